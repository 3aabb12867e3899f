// Stakes: put into the pool of a validator or a model, taken out again, and listed.
#include <cstdlib>
#include <set>

#include "deploy/soma/send/sending.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/units.hpp"
#include "deploy/soma/source/keys_home.hpp"
#include "deploy/soma/source/positions.hpp"
#include "deploy/soma/stake/stake_history.hpp"
#include "deploy/soma/verbs.hpp"

namespace soma::cli {
namespace {

constexpr auto pool_help =
    "model:ID or validator:ID, or the id alone; of an id, at least the first 8 digits";

std::string epoch_text(epoch_number epoch) {
  return "epoch " + std::to_string(epoch.value);
}

class stake_add final : public verb {
 public:
  std::string_view name() const override { return "stake add"; }
  std::string_view summary() const override { return "lock SOMA in a validator's or model's pool"; }
  std::string_view example() const override {
    return "soma stake add model:0x3f9a21c4 25 --from alice --config node.toml\n"
           "soma stake add validator:0x77c01d2e 100SOMA --from alice --config node.toml --dry-run";
  }
  void declare(option_set& options) override {
    options.add("pool", pool_, pool_help).positional().required().shown_as("POOL");
    options.add("amount", amount_, "12.5, 12.5SOMA or 12500000000sh")
        .positional()
        .required()
        .shown_as("AMOUNT");
    sender_.declare(options);
  }
  outcome run(const run_context& context) override;

 private:
  std::string pool_, amount_;
  sender_options sender_;
};

outcome stake_add::run(const run_context& context) {
  const auto amount = amount_of(amount_);
  if (!amount) return make_unexpected(amount.error());
  auto opened = sender::open(context, sender_);
  if (!opened) return make_unexpected(opened.error());
  const auto pool = pool_named(context, opened->ledger(), pool_);
  if (!pool) return make_unexpected(pool.error());
  const name_book names(context, opened->ledger());
  const auto done = opened->send(tx::add_stake{*pool, *amount},
                                 "cannot stake " + to_text(*amount) + " in " + names.shown(*pool));
  if (!done) return make_unexpected(done.error());
  const auto epoch = done->dry_run ? opened->ledger().chain().epoch : done->state.epoch;
  if (context.wants_json) {
    auto facts = json::of({{"pool", pool_json(*pool, names)},
                           {"holder", opened->who().text()},
                           {"amount_shannons", amount->value},
                           {"becomes_shares_after_epoch", epoch.value}});
    add_receipt(facts, *done);
    print_line(facts.text());
    return {};
  }
  print_line(std::string(done->dry_run ? "would stake  " : "staked       ") + to_text(*amount) +
             " of " + names.shown(opened->who()) + " in " + names.shown(*pool));
  print_line("earns        from the end of " + epoch_text(epoch) + " on");
  print_receipt(*done);
  return {};
}

class stake_withdraw final : public verb {
 public:
  std::string_view name() const override { return "stake withdraw"; }
  std::string_view summary() const override { return "take stake out of a pool"; }
  std::string_view example() const override {
    return "soma stake withdraw model:0x3f9a21c4 10 --from alice --config node.toml\n"
           "soma stake withdraw validator:0x77c01d2e --all --from alice --config node.toml";
  }
  void declare(option_set& options) override {
    options.add("pool", pool_, pool_help).positional().required().shown_as("POOL");
    options
        .add("amount", amount_, "value of the shares at the present price, rounded up to a share")
        .positional()
        .also_named("amount")
        .shown_as("AMOUNT");
    options.add("shares", shares_, "number of shares; `soma stake list` shows them");
    options.add("all", all_, "every share that is not leaving already");
    sender_.declare(options);
  }
  outcome run(const run_context& context) override;

 private:
  [[nodiscard]] expected<std::uint64_t, failure> wanted(const position& held,
                                                        const std::string& pool) const;
  std::string pool_, amount_;
  std::optional<std::uint64_t> shares_;
  bool all_ = false;
  sender_options sender_;
};

expected<std::uint64_t, failure> stake_withdraw::wanted(const position& held,
                                                        const std::string& pool) const {
  const auto free = held.shares - std::min(held.shares, held.row.leaving_shares);
  const auto nothing = [&](std::string why) {
    return failed("cannot withdraw from " + pool, std::move(why), "see `soma stake list`");
  };
  if (free == 0) {
    return nothing(held.shares > 0              ? "all shares are leaving already"
                   : held.row.joining.value > 0 ? "the deposit becomes shares when the epoch ends"
                                                : "this account has no share in it");
  }
  if (all_) return free;
  if (shares_) return *shares_;
  const auto amount = amount_of(amount_);
  if (!amount) return make_unexpected(amount.error());
  const auto wide = static_cast<unsigned __int128>(amount->value) * held.of.shares;
  const auto stake = std::max<std::uint64_t>(1, held.of.stake.value);
  const auto rounded_up = (wide + stake - 1) / stake;
  if (rounded_up > free) {
    return nothing(
        "this account's free shares are worth " + to_text(held.worth) +
        (held.leaving.value > 0 ? ", of which " + to_text(held.leaving) + " leave" : ""));
  }
  return static_cast<std::uint64_t>(rounded_up);
}

outcome stake_withdraw::run(const run_context& context) {
  if ((amount_.empty() ? 0 : 1) + (shares_ ? 1 : 0) + (all_ ? 1 : 0) != 1) {
    return wrong_usage("stake withdraw needs one of AMOUNT, --shares and --all", "",
                       "see `soma stake withdraw --help`");
  }
  auto opened = sender::open(context, sender_);
  if (!opened) return make_unexpected(opened.error());
  auto& ledger = opened->ledger();
  const auto pool = pool_named(context, ledger, pool_);
  if (!pool) return make_unexpected(pool.error());
  const name_book names(context, ledger);
  const auto held = position_in(ledger, *pool, opened->who());
  const auto shares = wanted(*held, names.shown(*pool));
  if (!shares) return make_unexpected(shares.error());
  const auto done = opened->send(tx::withdraw_stake{*pool, *shares},
                                 "cannot withdraw from " + names.shown(*pool));
  if (!done) return make_unexpected(done.error());
  const auto epoch = done->dry_run ? ledger.chain().epoch : done->state.epoch;
  const auto& p = ledger.genesis().parameters;
  const bool is_model = std::holds_alternative<model_id>(*pool);
  const epoch_number paid{epoch.value +
                          (is_model ? p.model_unbonding_epochs : p.validator_unbonding_epochs)};
  const auto worth =
      mul_div(held->of.stake.value, *shares, std::max<std::uint64_t>(1, held->of.shares));
  if (context.wants_json) {
    auto facts = json::of({{"pool", pool_json(*pool, names)},
                           {"holder", opened->who().text()},
                           {"shares", *shares},
                           {"worth_now_shannons", worth.value_or(0)},
                           {"leaves_after_epoch", epoch.value},
                           {"paid_after_epoch", paid.value}});
    add_receipt(facts, *done);
    print_line(facts.text());
    return {};
  }
  print_line(std::string(done->dry_run ? "would leave  " : "leaving      ") + count_text(*shares) +
             " shares of " + names.shown(opened->who()) + " in " + names.shown(*pool) + ", now " +
             to_text(shannons{worth.value_or(0)}));
  print_line("priced       at the end of " + epoch_text(epoch));
  print_line("paid out     at the end of " + epoch_text(paid));
  print_receipt(*done);
  return {};
}

class stake_commission final : public verb {
 public:
  std::string_view name() const override { return "stake commission"; }
  std::string_view summary() const override {
    return "set the owner's share of a pool's rewards, from the next epoch on";
  }
  std::string_view example() const override {
    return "soma stake commission model:0x3f9a21c4 1200 --from alice --config node.toml";
  }
  void declare(option_set& options) override {
    options.add("pool", pool_, pool_help).positional().required().shown_as("POOL");
    options.add("bps", bps_, "hundredths of a percent, from 0 to 10000")
        .positional()
        .required()
        .shown_as("BPS");
    sender_.declare(options);
  }
  outcome run(const run_context& context) override {
    auto opened = sender::open(context, sender_);
    if (!opened) return make_unexpected(opened.error());
    const auto pool = pool_named(context, opened->ledger(), pool_);
    if (!pool) return make_unexpected(pool.error());
    const name_book names(context, opened->ledger());
    const auto done = opened->send(tx::set_commission{*pool, bps_},
                                   "cannot set the commission of " + names.shown(*pool));
    if (!done) return make_unexpected(done.error());
    const auto epoch = done->dry_run ? opened->ledger().chain().epoch : done->state.epoch;
    if (context.wants_json) {
      auto facts = json::of({{"pool", pool_json(*pool, names)},
                             {"commission_bps", bps_},
                             {"from_epoch", epoch.next().value}});
      add_receipt(facts, *done);
      print_line(facts.text());
      return {};
    }
    print_line("commission   " + decimal_text(bps_ / 100.0, 2) + " % of " + names.shown(*pool) +
               ", from " + epoch_text(epoch.next()) + " on");
    print_receipt(*done);
    return {};
  }

 private:
  std::string pool_;
  std::uint32_t bps_ = 0;
  sender_options sender_;
};

class stake_list final : public verb {
 public:
  std::string_view name() const override { return "stake list"; }
  std::string_view summary() const override { return "list which account has what in which pool"; }
  std::string_view example() const override {
    return "soma stake list alice --config node.toml\n"
           "soma stake list model:0x3f9a21c4 --json";
  }
  void declare(option_set& options) override {
    options
        .add("of", of_,
             "an account, or a pool as model:ID or validator:ID; default: the keys of the home")
        .positional()
        .shown_as("WHO");
    place_.declare(options);
  }
  outcome run(const run_context& context) override;

 private:
  [[nodiscard]] expected<std::vector<position>, failure> found(const run_context& context,
                                                               ledger_source& source) const;
  std::string of_;
  ledger_place place_;
};

expected<std::vector<position>, failure> stake_list::found(const run_context& context,
                                                           ledger_source& source) const {
  if (of_.empty()) {
    auto own = own_accounts(context, source, "stake list");
    if (!own) return make_unexpected(own.error());
    return positions_of(source, *own);
  }
  const bool says_pool = of_.find(':') != std::string::npos;
  if (!says_pool) {
    if (const auto account = account_named(context, source, of_);
        account && source.find(account_key(*account))) {
      return positions_of(source, std::span(&*account, 1));
    }
  }
  const auto pool = pool_named(context, source, of_);
  if (!pool && !says_pool) {
    return failed("`" + of_ + "` names neither an account nor a pool", pool.error().why,
                  "write a key's name, an address, model:ID or validator:ID");
  }
  if (!pool) return make_unexpected(pool.error());
  return positions_in(source, *pool);
}

constexpr std::size_t listed_epochs = 5;  // of rewards, for people

/// What the shares are worth beyond the principal: negative after a slash.
std::int64_t earned(const position& one, shannons principal) {
  return static_cast<std::int64_t>(one.worth.value) - static_cast<std::int64_t>(principal.value);
}

/// "0.044 SOMA (0.04 %)", or "-" if the principal is not known.
std::string earned_text(const position& one, const std::optional<shannons>& principal) {
  if (!principal) return "-";
  const auto sum = earned(one, *principal);
  const auto size = shannons{static_cast<std::uint64_t>(std::abs(sum))};
  auto text = (sum < 0 ? "-" : "") + to_text(size);
  if (principal->value == 0) return text;
  const auto percent = 100.0 * static_cast<double>(sum) / static_cast<double>(principal->value);
  return text + " (" + decimal_text(percent, 2) + " %)";
}

json position_json(const position& one, const name_book& names, stake_histories& reports) {
  const auto principal = reports.principal(one);
  const auto rewards = reports.rewards(one.pool);
  json by_epoch;
  if (rewards) {
    by_epoch = json::list();
    for (const auto& [epoch, paid] : *rewards)
      by_epoch.push(json::of({{"epoch", epoch.value}, {"paid_shannons", paid.value}}));
  }
  json::array unbonding;
  for (const auto& part : one.row.unbonding) {
    unbonding.push_back(json::of(
        {{"amount_shannons", part.amount.value}, {"paid_after_epoch", part.payable_in.value}}));
  }
  return json::of({{"pool", pool_json(one.pool, names)},
                   {"holder", one.holder.text()},
                   {"name", names.name(one.holder)},
                   {"owner", one.is_owner},
                   {"shares", one.shares},
                   {"worth_shannons", one.worth.value},
                   {"principal_shannons", principal ? json(principal->value) : json()},
                   {"earned_shannons", principal ? json(earned(one, *principal)) : json()},
                   {"pool_rewards", by_epoch},
                   {"joining_shannons", one.row.joining.value},
                   {"leaving_shares", one.row.leaving_shares},
                   {"leaving_worth_shannons", one.leaving.value},
                   {"unbonding", json(std::move(unbonding))}});
}

std::string unbonding_text(const position& one) {
  std::string text;
  for (const auto& part : one.row.unbonding) {
    text +=
        (text.empty() ? "" : ", ") + to_text(part.amount) + " after " + epoch_text(part.payable_in);
  }
  return text;
}

/// A line such as "model c++ 0x12345678 was paid  12.5 SOMA in epoch 3, 13 SOMA in epoch 4".
void print_rewards(const std::string& pool, const std::optional<epoch_sums>& rewards) {
  if (!rewards || rewards->empty()) return;
  std::string text;
  auto first = rewards->begin();
  if (rewards->size() > listed_epochs) std::advance(first, rewards->size() - listed_epochs);
  for (; first != rewards->end(); ++first) {
    text += (text.empty() ? "" : ", ") + to_text(first->second) + " in " + epoch_text(first->first);
  }
  print_line(pool + " was paid " + text);
}

outcome stake_list::run(const run_context& context) {
  const auto opened = open_source(context, place_);
  if (!opened) return make_unexpected(opened.error());
  auto& source = **opened;
  const name_book names(context, source);
  const auto positions = found(context, source);
  if (!positions) return make_unexpected(positions.error());
  const auto chain = source.chain();
  stake_histories reports(source);
  if (context.wants_json) {
    json::array list;
    for (const auto& one : *positions) list.push_back(position_json(one, names, reports));
    auto facts = json::of({{"height", chain.height.value},
                           {"epoch", chain.epoch.value},
                           {"positions", json(std::move(list))}});
    add_evidence(facts, source);
    print_line(facts.text());
    return {};
  }
  note_evidence(source, "each stake is proven; that none is left out is the gateway's word");
  if (positions->empty()) {
    print_line("no stakes");
    return {};
  }
  table rows({"pool", "holder", "shares", "principal", "worth", "earned", "joining", "leaving",
              "paid out"});
  std::set<pool_owner> pools;
  for (const auto& one : *positions) {
    const auto principal = reports.principal(one);
    pools.insert(one.pool);
    rows.row({names.shown(one.pool), names.shown(one.holder) + (one.is_owner ? " (owner)" : ""),
              count_text(one.shares), principal ? to_text(*principal) : "-", to_text(one.worth),
              earned_text(one, principal), to_text(one.row.joining), to_text(one.leaving),
              unbonding_text(one)});
  }
  rows.print();
  for (const auto& pool : pools) print_rewards(names.shown(pool), reports.rewards(pool));
  print_line("epoch " + std::to_string(chain.epoch.value) +
             ": deposits join and shares leave when it ends");
  return {};
}

}  // namespace

std::unique_ptr<verb> make_stake_add() {
  return std::make_unique<stake_add>();
}
std::unique_ptr<verb> make_stake_withdraw() {
  return std::make_unique<stake_withdraw>();
}
std::unique_ptr<verb> make_stake_commission() {
  return std::make_unique<stake_commission>();
}
std::unique_ptr<verb> make_stake_list() {
  return std::make_unique<stake_list>();
}

}  // namespace soma::cli
