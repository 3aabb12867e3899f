#include "deploy/soma/source/names.hpp"

#include <algorithm>

#include "deploy/soma/source/ids.hpp"
#include "deploy/soma/source/keys_home.hpp"

namespace soma::cli {
namespace {

template <class Id>
expected<Id, failure> find_id(ledger_source& source, ledger_table table, const std::string& text) {
  const auto digits = id_digits(text);
  if (!digits) return no_such_id(text, table);
  if (const auto whole = Id::parse(*digits)) return *whole;
  const auto found = ids_in(source, table, *digits);
  if (found.empty()) return no_such_id(text, table);
  if (found.size() > 1) return ambiguous_id(text, found);
  return Id{found.front().value};
}

std::optional<model_id> model_by_name(const ledger_source& source, const std::string& text) {
  for (const auto& [id, name] : source.names().models) {
    if (name == text) return id;
  }
  return {};
}

/// The account with the name of a key, or with one that a local network gave it. The key counts
/// first: its owner chose the name.
std::optional<address> account_by_name(const run_context& context, const ledger_source& source,
                                       const std::string& text) {
  if (const auto mine = key_named(context, text)) return mine;
  return account_of_localnet(source.names(), text);
}

}  // namespace

std::vector<hash256> ids_in(ledger_source& source, ledger_table table, std::string_view digits) {
  auto prefix = table_prefix(table);
  const auto whole = *from_hex(digits.substr(0, digits.size() / 2 * 2));
  prefix.insert(prefix.end(), whole.begin(), whole.end());
  std::vector<hash256> found;
  source.scan(prefix, [&](byte_view key, byte_view) {
    const auto id = id_in_key<hash256>(key);
    if (id && to_hex(id->view()).starts_with(digits)) found.push_back(*id);
    return found.size() < most_listed_candidates;
  });
  return found;
}

std::optional<address> key_named(const run_context& context, const std::string& text) {
  if (id_digits(text)) return {};  // such a text is always an id and never the name of a key
  const auto key = text.empty() ? unexpected<failure>(failure{}) : find_key(context, text);
  if (!key || !key->half) return {};
  return crypto::address_of(*key->half);
}

std::optional<address> account_of_localnet(const localnet_names& names, const std::string& text) {
  for (const auto& [id, name] : names.accounts) {
    if (name == text) return id;
  }
  return {};
}

expected<std::vector<address>, failure> own_accounts(const run_context& context,
                                                     const ledger_source& source,
                                                     const std::string& verb_name) {
  auto own = accounts_of_home(context, verb_name);
  const auto& given = source.names().accounts;
  if (own || given.empty()) return own;
  std::vector<address> all;
  for (const auto& [id, name] : given) all.push_back(id);
  std::ranges::sort(all, {}, [&](const address& id) { return given.at(id); });
  return all;
}

expected<address, failure> account_named(const run_context& context, ledger_source& source,
                                         const std::string& text) {
  if (const auto known = account_by_name(context, source, text)) return *known;
  if (id_digits(text)) return find_id<address>(source, ledger_table::account, text);
  return failed("`" + text + "` names no account",
                "it is not a key in " + (context.home / "keys").string() +
                    ", and an address is 0x and 64 hex digits, or at least the first 8 of them",
                "`soma wallet list` shows all keys");
}

outcome check_owner(const address& owner, const std::string& where) {
  if (!owner.is_zero()) return {};
  return failed(where, "nobody has a key for the address of zeros, so its money is lost",
                "name another account");
}

expected<model_id, failure> model_named(ledger_source& source, const std::string& text) {
  if (const auto named = model_by_name(source, text)) return *named;
  return find_id<model_id>(source, ledger_table::model, text);
}

expected<target_id, failure> target_named(ledger_source& source, const std::string& text) {
  return find_id<target_id>(source, ledger_table::target, text);
}

expected<pool_owner, failure> pool_named(const run_context& context, ledger_source& source,
                                         const std::string& text) {
  constexpr std::string_view of_model = "model:", of_validator = "validator:";
  auto rest = text;
  const bool is_model = text.starts_with(of_model), is_validator = text.starts_with(of_validator);
  if (is_model) rest = text.substr(of_model.size());
  if (is_validator) rest = text.substr(of_validator.size());
  std::optional<model_id> model;
  std::optional<address> validator = account_by_name(context, source, rest);
  if (!is_validator) model = model_by_name(source, rest);
  if (!model && !validator) {
    const auto digits = id_digits(rest);
    if (!digits) return no_such_id(rest, ledger_table::model);
    std::vector<hash256> models, validators;
    if (!is_validator) models = ids_in(source, ledger_table::model, *digits);
    if (!is_model) validators = ids_in(source, ledger_table::validator, *digits);
    if (models.size() + validators.size() > 1) {
      models.insert(models.end(), validators.begin(), validators.end());
      return ambiguous_id(text, models);
    }
    if (!models.empty()) model = models[0].as<model_tag>();
    if (!validators.empty()) validator = validators[0].as<address_tag>();
  }
  const auto remedy = "`soma model list` shows all models, `soma status` the committee";
  if (model && source.find(model_key(*model))) return pool_owner{*model};
  if (validator && !is_model && source.find(validator_key(*validator))) {
    return pool_owner{*validator};
  }
  return failed("`" + text + "` names no pool",
                "neither a model nor a validator of this network has that id", remedy);
}

name_book::name_book(const run_context& context, const ledger_source& source)
    : models_(source.names().models) {
  // Without the keys, addresses are shown without names.
  for (const auto& key : keys_of(context.home).value_or(std::vector<home_key>{})) {
    if (key.half) accounts_.emplace(crypto::address_of(*key.half), key.name);
  }
  for (const auto& [id, name] : source.names().accounts) accounts_.emplace(id, name);
}

std::string name_book::shown(const address& id) const {
  const auto found = accounts_.find(id);
  return (found == accounts_.end() ? "" : found->second + " ") + id.short_text();
}
std::string name_book::shown(const model_id& id) const {
  const auto found = models_.find(id);
  return (found == models_.end() ? "" : found->second + " ") + id.short_text();
}
std::string name_book::shown(const pool_owner& pool) const {
  if (const auto* model = std::get_if<model_id>(&pool)) return "model " + shown(*model);
  return "validator " + shown(std::get<address>(pool));
}
json name_book::name(const address& id) const {
  const auto found = accounts_.find(id);
  return found == accounts_.end() ? json() : json(found->second);
}
json name_book::name(const model_id& id) const {
  const auto found = models_.find(id);
  return found == models_.end() ? json() : json(found->second);
}

json pool_json(const pool_owner& pool, const name_book& names) {
  if (const auto* model = std::get_if<model_id>(&pool)) {
    return json::of({{"kind", "model"}, {"id", model->text()}, {"name", names.name(*model)}});
  }
  const auto& validator = std::get<address>(pool);
  return json::of(
      {{"kind", "validator"}, {"id", validator.text()}, {"name", names.name(validator)}});
}

}  // namespace soma::cli
