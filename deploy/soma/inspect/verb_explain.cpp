#include <algorithm>
#include <map>

#include "actors/documents/explanation.hpp"
#include "actors/explain/subjects.hpp"
#include "actors/public_answers/explanation.hpp"
#include "deploy/soma/network/network_connection.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/source/keys_home.hpp"
#include "deploy/soma/source/names.hpp"
#include "deploy/soma/source/stored_ledger.hpp"
#include "deploy/soma/verbs.hpp"

namespace soma::cli {
namespace {

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
           "soma explain 7 --json\n"
           "soma explain 0x3f9a21c4 --join https://gateway.example.org";
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
    place_.declare(options);
  }
  outcome run(const run_context& context) override;

 private:
  [[nodiscard]] std::string id_of(const run_context& context, const localnet_names& names) const;
  [[nodiscard]] answer ask_network(const run_context& context, network_connection& network) const;
  [[nodiscard]] answer ask_ledger(const run_context& context, const stored_ledger& ledger) const;

  std::string what_;
  std::uint64_t events_ = 2'000;
  ledger_place place_;
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

answer told(expected<explanation, explain::unexplained> found, const std::string& what) {
  if (found) return std::move(*found);
  using enum explain::naming;
  switch (found.error().reason) {
    case not_a_name:
      return wrong_usage("cannot explain `" + what + "`",
                         "it is neither the number of an epoch, a name, nor 0x and at least 8 hex "
                         "digits",
                         "`soma wallet list` shows all keys");
    case ambiguous:
      return failed("`" + what + "` can mean more than one", found.error().why,
                    "write more digits");
    case epoch_to_come:
      return failed("cannot explain epoch " + what, found.error().why,
                    "an id begins with 0x; a number without 0x is an epoch");
    case unknown:
      break;
  }
  return failed("cannot explain " + what, found.error().why);
}

/// The name of a key, an account or a model as an id; any other text as it is.
std::string explain_verb::id_of(const run_context& context, const localnet_names& names) const {
  auto account = key_named(context, what_);
  if (!account) account = account_of_localnet(names, what_);
  if (account) return account->text();
  for (const auto& [model, name] : names.models) {
    if (name == what_) return model.text();
  }
  return what_;
}

answer explain_verb::ask_network(const run_context& context, network_connection& network) const {
  const auto id = id_of(context, {});
  const bool is_number = !id.empty() && std::ranges::all_of(id, is_digit);
  if (!is_number && !explain::id_digits(id)) {
    return told(make_unexpected(explain::unexplained{explain::naming::not_a_name, {}}), what_);
  }
  if (events_ > public_answers::max_explained_events) {
    return wrong_usage("--events", "a network reads at most 20,000 events for an answer",
                       "ask for fewer, or read the ledger of a node with --ledger");
  }
  return network.explain(id, static_cast<std::uint32_t>(events_));
}

answer explain_verb::ask_ledger(const run_context& context, const stored_ledger& ledger) const {
  explain::options how;
  how.names = ledger.names().models;
  how.events = events_;
  return told(explain::explain(ledger.view(), id_of(context, ledger.names()), how), what_);
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
  auto opened = open_source(context, place_);
  if (!opened) return make_unexpected(opened.error());
  localnet_names names;
  std::optional<answer> found;
  if (auto* network = dynamic_cast<network_connection*>(opened->get())) {
    found = ask_network(context, *network);
  } else {
    opened->reset();  // a process opens a ledger once at a time
    const auto ledger = stored_ledger::open(context, place_.ledger);
    if (!ledger) return make_unexpected(ledger.error());
    names = ledger->names();
    found = ask_ledger(context, *ledger);
  }
  if (!*found) return make_unexpected(found->error());
  const bool is_proven = *opened == nullptr;
  if (context.wants_json) {
    auto facts = documents::explanation_json(**found);
    if (!is_proven) facts.set("proven", "nothing");
    print_line(facts.text());
  } else {
    print_text(**found, names_of_accounts(context, names));
    if (!is_proven) note_line("nothing proves an explanation: it tells what events say");
  }
  return {};
}

}  // namespace

std::unique_ptr<verb> make_explain() {
  return std::make_unique<explain_verb>();
}

}  // namespace soma::cli
