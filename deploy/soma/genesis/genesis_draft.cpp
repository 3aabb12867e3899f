#include "deploy/soma/genesis/genesis_draft.hpp"

#include <algorithm>

#include "actors/rules/emission.hpp"
#include "actors/rules/genesis_state.hpp"
#include "deploy/soma/genesis/genesis_fields.hpp"
#include "deploy/soma/shell/config.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/files.hpp"
#include "deploy/soma/shell/options.hpp"
#include "deploy/soma/shell/units.hpp"
#include "deploy/soma/source/keys_home.hpp"
#include "deploy/soma/source/names.hpp"
#include "messages/crypto/key_file.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t ten_years_ms = 3'650ULL * 86'400'000ULL;

unexpected<failure> wrong(const std::string& where, const std::string& why) {
  return wrong_usage(where, why, "see `soma genesis new --help`");
}

/// The text of a member; empty if the table has no such member.
std::string member(const json& table, std::string_view name) {
  const auto* found = table.find(name);
  return found == nullptr ? "" : found->plain();
}

/// Refuses what is no table, and members that mean nothing or are neither a text nor a whole
/// number.
outcome check_members(const json& table, const std::vector<std::string>& known,
                      const std::string& where) {
  if (table.as_object() == nullptr) return wrong(where, line_of(table) + "each is a table");
  for (const auto& [name, value] : *table.as_object()) {
    const auto member = where + "." + name;
    if (std::ranges::find(known, name) == known.end()) {
      return wrong(member, line_of(value) + "it has no meaning here" + nearest_of(name, known));
    }
    if (value.as_string() == nullptr && !value.is_integer()) {
      return wrong(member, line_of(value) + "write a text in quotes, or a whole number");
    }
  }
  return {};
}

/// The same outcome with the line of `value` in its reason. What is not a mistake in the text of
/// the file, such as a key that cannot be made, stays as it is.
outcome at_line_of(const json& value, outcome done) {
  if (!done && done.error().code == exit_code::wrong_usage) {
    done.error().why = line_of(value) + done.error().why;
  }
  return done;
}

/// Why a parameter cannot have a value of this type. An amount with a fraction is a text, since a
/// number with a fraction may have been rounded when it was read.
std::optional<std::string> wrong_type(const std::string& field, const json& value) {
  const auto* known = find_genesis_field(field);
  if (known == nullptr) return {};  // the name is refused instead
  const bool is_text = value.as_string() != nullptr;
  if (known->is_amount) {
    if (is_text || value.is_integer()) return {};
    return "write an amount in quotes, such as \"12.5\"";
  }
  if (known->value(genesis_parameters{}).is_number()) {
    if (value.is_integer()) return {};
    return "write a whole number, without quotes";
  }
  if (is_text) return {};
  return "write a text in quotes";
}

}  // namespace

outcome genesis_draft::set(const std::string& field, const std::string& value,
                           const std::string& where) {
  const auto* found = find_genesis_field(field);
  if (found == nullptr) {
    std::vector<std::string> names;
    for (const auto& one : genesis_fields()) names.emplace_back(one.name);
    return wrong_usage(where, "there is no parameter " + field + nearest_of(field, names),
                       "`soma genesis inspect` lists all of them");
  }
  if (!found->set(genesis_.parameters, value)) {
    return wrong(where, "`" + value + "` is not a value of " + field + " (" +
                            std::string(found->meaning) + ")");
  }
  given_.push_back(field);
  return {};
}

outcome genesis_draft::set_start(std::uint64_t start_ms, const std::string& where) {
  // From 2001 to the year 9999. A time in seconds is far below.
  constexpr std::uint64_t least = 1'000'000'000'000, most = 253'402'300'799'999;
  if (start_ms < least || start_ms > most) {
    return wrong(where, "`" + std::to_string(start_ms) +
                            "` is not a Unix time in milliseconds from 2001 to 9999");
  }
  genesis_.start_ms = start_ms;
  return {};
}

outcome genesis_draft::add_account(const run_context& context, const std::string& owner,
                                   const std::string& balance, const std::string& where) {
  genesis_account account;
  const auto amount = parse_amount(balance);
  if (!amount) return wrong(where, "`" + balance + "` is not an amount such as 12.5 or 12500sh");
  account.balance = *amount;
  if (const auto whole = address::parse(owner)) {
    if (auto checked = check_owner(*whole, where); !checked) return checked;
    account.owner = *whole;
  } else {
    const auto key = find_key(context, owner);
    if (!key) return make_unexpected(key.error());
    if (!key->half)
      return failed("cannot read " + key->path.string(),
                    "a passphrase locks it, and its public half is not stored beside it");
    account.owner = crypto::address_of(*key->half);
  }
  const auto is_same = [&](const genesis_account& one) { return one.owner == account.owner; };
  if (std::ranges::any_of(genesis_.accounts, is_same)) {
    return wrong(where, "`" + owner + "` has an account already");
  }
  genesis_.accounts.push_back(account);
  return {};
}

outcome genesis_draft::add(const genesis_validator& validator, const std::string& where) {
  const auto is_same = [&](const genesis_validator& one) {
    return one.consensus_key == validator.consensus_key;
  };
  if (std::ranges::any_of(genesis_.validators, is_same)) {
    return wrong(where, "another validator has the same key");
  }
  genesis_.validators.push_back(validator);
  return {};
}

outcome genesis_draft::add_validator(const fs::path& path, const std::string& stake,
                                     const std::string& where) {
  genesis_validator validator;
  if (!stake.empty()) {
    const auto amount = parse_amount(stake);
    if (!amount || amount->value == 0) {
      return wrong(where, "`" + stake + "` is not an amount such as 5000 or 12500sh");
    }
    validator.stake = *amount;
  }
  for (const auto& one : new_keys_) {
    if (!same_file(one.path, path)) continue;
    validator.consensus_key = one.key.public_half();
    return add(validator, where);
  }
  const auto key = crypto::load_key(path, std::nullopt);
  if (!key && key.error() == crypto::key_file_refusal::not_found) {
    crypto::system_random random;
    new_keys_.push_back({path, crypto::key_pair::generate(random)});
    validator.consensus_key = new_keys_.back().key.public_half();
    return add(validator, where);
  }
  if (!key) {
    return failed("cannot use the key " + path.string(), std::string(crypto::to_text(key.error())),
                  "name a key file without a passphrase, or a place for a new one");
  }
  validator.consensus_key = key->public_half();
  return add(validator, where);
}

outcome genesis_draft::save_keys() const {
  for (const auto& [path, key] : new_keys_) {
    if (auto saved = crypto::save_key(path, key, std::nullopt); !saved) {
      return failed("cannot make the key " + path.string(),
                    std::string(crypto::to_text(saved.error())), "name another place");
    }
    note_line("made the key " + path.string());
  }
  return {};
}

outcome genesis_draft::read_file(const run_context& context, const fs::path& file) {
  if (file.empty()) return {};
  const auto document = read_config(file);
  if (!document) return make_unexpected(document.error());
  const auto folder = fs::absolute(file).parent_path();
  outcome done;
  for (const auto& [name, value] : *document->as_object()) {
    const auto where = file.string() + ": " + name;
    const auto* list = value.as_array();
    if (name == "name" && value.as_string() != nullptr) {
      if (value.as_string()->empty()) return wrong(where, line_of(value) + "it is empty");
      genesis_.name = *value.as_string();
    } else if (name == "start_ms" && value.unsigned_integer().first) {
      done = at_line_of(value, set_start(value.unsigned_integer().second, where));
    } else if (name == "parameters" && value.as_object() != nullptr) {
      done = read_parameters(value, where);
    } else if (name == "accounts" && list != nullptr) {
      for (const auto& one : *list) {
        if (done) done = check_members(one, {"owner", "balance"}, where);
        if (done && member(one, "owner").empty()) {
          done = wrong(where, line_of(one) + "each needs an owner and a balance");
        }
        if (!done) break;
        done = at_line_of(
            one, add_account(context, member(one, "owner"), member(one, "balance"), where));
      }
    } else if (name == "validators" && list != nullptr) {
      for (const auto& one : *list) {
        if (done) done = check_members(one, {"key", "public_key", "stake"}, where);
        if (done) done = at_line_of(one, read_validator(one, folder, where));
      }
    } else {
      const std::vector<std::string> known{"name", "start_ms", "parameters", "accounts",
                                           "validators"};
      const bool is_known = std::ranges::find(known, name) != known.end();
      done = wrong(
          where, line_of(value) + (is_known ? "it does not have this form"
                                            : "it has no meaning here" + nearest_of(name, known)));
    }
    if (!done) return done;
  }
  return {};
}

outcome genesis_draft::read_parameters(const json& table, const std::string& where) {
  for (const auto& [field, value] : *table.as_object()) {
    const auto name = where + "." + field;
    if (const auto no = wrong_type(field, value)) return wrong(name, line_of(value) + *no);
    if (auto done = at_line_of(value, set(field, value.plain(), name)); !done) return done;
  }
  return {};
}

outcome genesis_draft::read_validator(const json& table, const fs::path& folder,
                                      const std::string& where) {
  const auto given = member(table, "public_key");
  const bool has_key = table.find("key") != nullptr;
  if (has_key == !given.empty()) {
    return wrong(where, "each needs a key, or a public_key and a stake, and not both");
  }
  if (has_key) {
    const auto* path = table.find("key")->as_string();
    if (path == nullptr || path->empty() || path->find('\0') != path->npos) {
      return wrong(where, "the path of a key is a text in quotes that is not empty");
    }
    if (table.find("stake") != nullptr && member(table, "stake").empty()) {
      return wrong(where, "an amount is missing after stake");
    }
    return add_validator(folder / expanded(*path), member(table, "stake"), where);
  }
  const auto half = hash256::parse(given);
  if (!half) return wrong(where, "`" + given + "` is not a public key in hexadecimal");
  const auto stake = parse_amount(member(table, "stake"));
  if (!stake || stake->value == 0) {
    return wrong(where, "`" + member(table, "stake") + "` is not an amount such as 5000");
  }
  return add({half->value, *stake}, where);
}

outcome genesis_draft::finish() {
  auto& p = genesis_.parameters;
  const auto is_given = [&](const char* name) {
    return std::ranges::find(given_, name) != given_.end();
  };
  if (p.epoch_ms != 0 && is_given("epoch_ms")) {
    if (!is_given("emission_epochs")) {
      p.emission_epochs = std::max<std::uint64_t>(1, ten_years_ms / p.epoch_ms);
    }
    if (!is_given("hits_wanted")) {
      p.hits_wanted = std::max<std::uint64_t>(1, p.epoch_ms / 1'000);
    }
  }
  if (!is_given("initial_targets") && p.hits_wanted > 0) {
    // More would stand open than the pot can pay in a slice, and the rest of it would lie idle.
    const auto most = std::max<std::uint64_t>(1, p.hits_wanted / rules::slices_of(p) / 2);
    p.initial_targets = std::min(p.initial_targets,
                                 static_cast<std::uint32_t>(std::min<std::uint64_t>(most, 10'000)));
  }
  if (genesis_.start_ms == 0) {
    genesis_.start_ms = unix_now_ms();
  }
  for (auto& validator : genesis_.validators) {
    if (validator.stake.value == 0) validator.stake = p.min_validator_stake;
  }
  if (genesis_.validators.empty()) {
    return wrong("a genesis needs a validator", "without one there are no blocks");
  }
  if (const auto refusal = rules::check_genesis(genesis_)) {
    return failed("cannot make this genesis", std::string(rules::to_text(*refusal)),
                  "see `soma genesis new --help`");
  }
  return {};
}

}  // namespace soma::cli
