#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "actors/explain/explain.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/source/ids.hpp"
#include "deploy/soma/source/keys_home.hpp"
#include "deploy/soma/source/names.hpp"
#include "deploy/soma/source/stored_ledger.hpp"
#include "deploy/soma/verbs.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;
using explanation = explain::explanation;
using answer = expected<explanation, failure>;

class explain_verb final : public verb {
 public:
  std::string_view name() const override { return "explain"; }
  std::string_view summary() const override {
    return "why a target, model or address was paid or not, or what an epoch did";
  }
  std::string_view example() const override {
    return "soma explain 0x1f3a90c2\n"
           "soma explain submitter-1\n"
           "soma explain 7 --json";
  }
  void declare(option_set& options) override {
    options
        .add(
            "what", what_,
            "a target, model or address (0x and at least 8 digits), the name of a key or of what a "
            "local network has, or the number of an epoch")
        .positional()
        .required();
    options.add("events", events_,
                "how many of the latest events of a model or address to read at most, since a "
                "validator may have millions");
    add_ledger_option(options, ledger_);
  }
  outcome run(const run_context& context) override;

 private:
  [[nodiscard]] answer ask(const run_context& context, const tables::ledger_view& view,
                           const explain::options& how, const localnet_names& names) const;

  std::string what_;
  std::uint64_t events_ = 2'000;
  fs::path ledger_;
};

enum class subject : std::uint8_t { target, model, address };
struct candidate {
  subject kind;
  hash256 id;
  friend auto operator<=>(const candidate&, const candidate&) = default;
};

std::string_view name_of(subject kind) {
  static constexpr std::array<std::string_view, 3> names{"target", "model", "address"};
  return names[static_cast<std::size_t>(kind)];
}

std::vector<candidate> candidates_of(const tables::ledger_view& view, const std::string& digits) {
  std::vector<candidate> all;
  const auto add = [&](subject kind, ledger_table table) {
    for (const auto& id : ids_with_prefix(view, table, digits)) all.push_back({kind, id});
  };
  add(subject::target, ledger_table::target);
  add(subject::model, ledger_table::model);
  add(subject::address, ledger_table::account);
  add(subject::address, ledger_table::validator);
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

/// Reads the number of an epoch, which is a number without "0x".
std::optional<epoch_number> epoch_in(const std::string& text) {
  epoch_number epoch;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), epoch.value);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
  return epoch;
}

answer told(expected<explanation, explain::refusal> found, const std::string& what) {
  if (!found)
    return failed("cannot explain " + what, std::string(explain::to_text(found.error())),
                  found.error() == explain::refusal::epoch_to_come
                      ? "an id begins with 0x; a number without 0x is an epoch"
                      : "");
  return std::move(*found);
}

answer explain_one(const tables::ledger_view& view, const candidate& one,
                   const explain::options& how) {
  const auto text = one.id.text();
  switch (one.kind) {
    case subject::target:
      return told(explain::explain_target(view, one.id.as<target_tag>(), how), text);
    case subject::model:
      return told(explain::explain_model(view, one.id.as<model_tag>(), how), text);
    case subject::address:
      break;
  }
  return told(explain::explain_address(view, one.id.as<address_tag>(), how), text);
}

answer explain_verb::ask(const run_context& context, const tables::ledger_view& view,
                         const explain::options& how, const localnet_names& names) const {
  if (const auto epoch = epoch_in(what_))
    return told(explain::explain_epoch(view, *epoch, how), "epoch " + what_);
  auto account = key_named(context, what_);
  if (!account) account = account_of_localnet(names, what_);
  if (account) return explain_one(view, {subject::address, hash256{account->value}}, how);
  for (const auto& [model, name] : how.names) {
    if (name == what_) return explain_one(view, {subject::model, hash256{model.value}}, how);
  }
  const auto digits = id_digits(what_);
  if (!digits) {
    return wrong_usage("cannot explain `" + what_ + "`",
                       "it is neither the number of an epoch, a name, nor 0x and at least 8 hex "
                       "digits",
                       "`soma wallet list` shows all keys");
  }
  const auto found = candidates_of(view, *digits);
  if (found.size() == 1) return explain_one(view, found.front(), how);
  if (found.empty()) {
    // Events may contain an address that never had an account.
    if (const auto whole = hash256::parse(*digits))
      return explain_one(view, {subject::address, *whole}, how);
    return failed("cannot explain " + what_,
                  "the ledger has no target, model or address that begins with it");
  }
  std::string all;
  for (const auto& one : found)
    all += (all.empty() ? "" : ", ") + std::string(name_of(one.kind)) + " " + one.id.text();
  return failed("`" + what_ + "` can mean more than one", all, "write more digits");
}

json json_of(const explain::content& value) {
  return std::visit(
      [](const auto& held) -> json {
        if constexpr (requires { held.begin()->begin(); }) {
          return json::list_of(held);
        } else {
          return json(held);
        }
      },
      value);
}

json json_of(const explain::step& one) {
  json object = json::of({{"what", one.name}, {"text", one.text}});
  if (one.height) object.set("height", one.height->value);
  if (!one.section.empty()) object.set("section", one.section);
  for (const auto& f : one.fields) object.set(f.name, json_of(f.value));
  return object;
}

json json_of(const std::vector<explain::step>& steps) {
  json list = json::list();
  for (const auto& one : steps) list.push(json_of(one));
  return list;
}

json json_of(const explanation& all) {
  json object = json::of(
      {{"subject", all.subject}, {"id", all.id}, {"status", all.status}, {"summary", all.summary}});
  json facts = json::of({});
  for (const auto& f : all.facts) facts.set(f.name, json_of(f.value));
  object.set("facts", std::move(facts));
  for (const auto& p : all.passages) object.set(p.name, json_of(p.steps));
  object.set("next", json_of(all.next));
  return object;
}

/// The names of accounts by the short text of their addresses, for the report for people.
using account_names = std::map<std::string, std::string>;

account_names names_of_accounts(const run_context& context, const localnet_names& given) {
  account_names all;
  // Without the keys, addresses are shown without names.
  for (const auto& key : keys_of(context.home).value_or(std::vector<home_key>{})) {
    if (key.half) all.emplace(crypto::address_of(*key.half).short_text(), key.name);
  }
  for (const auto& [id, name] : given.accounts) all.emplace(id.short_text(), name);
  return all;
}

/// The text with the name of each account before its address: "submitter-1 (0x3e065095)".
std::string with_names(std::string text, const account_names& names) {
  for (auto at = text.find("0x"); at != std::string::npos; at = text.find("0x", at + 2)) {
    const auto found = names.find(text.substr(at, address().short_text().size()));
    if (found == names.end()) continue;
    text.insert(at + found->first.size(), ")");
    text.insert(at, found->second + " (");
    at += found->second.size() + 2;
  }
  return text;
}

void print_steps(const std::string& title, const std::vector<explain::step>& steps,
                 const account_names& names) {
  if (steps.empty()) return;
  print_line("");
  print_line(painted(title, colour::bold, stream::out));
  for (const auto& one : steps) print_line("  " + with_names(explain::line_of(one), names));
}

/// Whether all events of a model or address were read. Those of an epoch have a limit of their own.
bool is_complete(const explanation& all) {
  return all.subject == "epoch" || std::ranges::none_of(all.facts, [](const auto& fact) {
           const auto* holds = std::get_if<bool>(&fact.value);
           return fact.name == "events_complete" && holds != nullptr && !*holds;
         });
}

void print_text(const explanation& all, const account_names& names) {
  const bool is_id = all.id.starts_with("0x");
  print_line(
      painted(with_names(all.subject + " " + (is_id ? all.id.substr(0, 10) : all.id), names) +
                  ", " + all.status,
              colour::bold, stream::out));
  print_line(with_names(all.summary, names));
  if (!is_complete(all)) {
    print_line("the sums are those of the latest events alone; --events reads more of them");
  }
  for (const auto& p : all.passages) print_steps(p.title, p.steps, names);
  print_steps("What comes next", all.next, names);
}

outcome explain_verb::run(const run_context& context) {
  const auto ledger = stored_ledger::open(context, ledger_);
  if (!ledger) return make_unexpected(ledger.error());
  explain::options how;
  how.names = ledger->names().models;
  how.events = events_;
  const auto view = ledger->view();
  const auto found = ask(context, view, how, ledger->names());
  if (!found) return make_unexpected(found.error());
  if (context.wants_json) {
    print_line(json_of(*found).text());
  } else {
    print_text(*found, names_of_accounts(context, ledger->names()));
  }
  return {};
}

}  // namespace

std::unique_ptr<verb> make_explain() {
  return std::make_unique<explain_verb>();
}

}  // namespace soma::cli
