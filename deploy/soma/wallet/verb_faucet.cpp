// Money from the faucet of a test network's gateway.
#include <chrono>

#include "deploy/soma/network/network_connection.hpp"
#include "deploy/soma/send/sending.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/units.hpp"
#include "deploy/soma/source/names.hpp"
#include "deploy/soma/verbs.hpp"

namespace soma::cli {
namespace {

constexpr std::chrono::seconds patience(60);
constexpr std::uint32_t most_wait_ms = 5'000;  // for one answer

class wallet_faucet final : public verb {
 public:
  std::string_view name() const override { return "wallet faucet"; }
  std::string_view summary() const override {
    return "ask the faucet of a test network for money, and wait until it has come";
  }
  std::string_view example() const override {
    return "soma wallet faucet alice --join https://gateway.example.org";
  }
  void declare(option_set& options) override {
    options
        .add("account", account_, "a key's name or an address; default: the only key of the home")
        .positional()
        .shown_as("ACCOUNT");
    place_.declare(options);
  }
  outcome run(const run_context& context) override;

 private:
  [[nodiscard]] expected<address, failure> account(const run_context& context,
                                                   ledger_source& source) const;
  std::string account_;
  ledger_place place_;
};

expected<address, failure> wallet_faucet::account(const run_context& context,
                                                  ledger_source& source) const {
  if (!account_.empty()) return account_named(context, source, account_);
  const auto own = own_accounts(context, source, "wallet faucet");
  if (!own) return make_unexpected(own.error());
  if (own->size() == 1) return own->front();
  return wrong_usage("wallet faucet", "the home has more than one key",
                     "name one of them; `soma wallet list` shows all");
}

outcome wallet_faucet::run(const run_context& context) {
  auto opened = network_connection::open(context, place_);
  if (!opened) return make_unexpected(opened.error());
  auto& network = **opened;
  const auto to = account(context, network);
  if (!to) return make_unexpected(to.error());
  const auto given = network.ask_faucet(*to);
  if (!given) return make_unexpected(given.error());
  const auto deadline = std::chrono::steady_clock::now() + patience;
  auto state = network.state_of(given->transaction, most_wait_ms);
  while (state.height.value == 0 && std::chrono::steady_clock::now() < deadline) {
    state = network.state_of(given->transaction, most_wait_ms);
  }
  if (state.height.value == 0) {
    return failed("the money has not come yet",
                  "no block has transaction " + given->transaction.text() + " after 60 s",
                  "`soma wallet balance` shows when it is there");
  }
  if (state.refusal) {
    return failed("the faucet's transaction was refused", state.why,
                  "the faucet may be empty; tell its operator");
  }
  const auto held = network.row<account_row>(account_key(*to)).value_or(account_row{});
  if (context.wants_json) {
    auto facts = json::of({{"address", to->text()},
                           {"amount_shannons", given->amount.value},
                           {"transaction", given->transaction.text()},
                           {"height", state.height.value},
                           {"balance_shannons", held.balance.value}});
    add_evidence(facts, network);
    print_line(facts.text());
    return {};
  }
  const name_book names(context, network);
  print_line("received     " + to_text(given->amount) + " for " + names.shown(*to));
  print_line("balance      " + to_text(held.balance));
  print_line("transaction  " + given->transaction.text() + ", in block " +
             std::to_string(state.height.value));
  note_evidence(network, "");
  return {};
}

}  // namespace

std::unique_ptr<verb> make_wallet_faucet() {
  return std::make_unique<wallet_faucet>();
}

}  // namespace soma::cli
