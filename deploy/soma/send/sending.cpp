#include "deploy/soma/send/sending.hpp"

#include <chrono>
#include <thread>

#include "actors/rules/execution.hpp"
#include "actors/validator/ledger_answers.hpp"
#include "deploy/soma/send/source_reader.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/report.hpp"
#include "deploy/soma/shell/stop.hpp"
#include "deploy/soma/shell/units.hpp"
#include "messages/signing/signing.hpp"
#include "messages/values/assert.hpp"

namespace soma::cli {
namespace {

constexpr std::chrono::milliseconds between_questions(50);
/// For how long one question after a transaction may wait for a block. A stop is seen in between.
constexpr std::uint32_t answer_ms = 1'000;

/// After so long without a result the same transaction is offered again.
constexpr std::chrono::seconds offered_again(3);

account_row account_in(const std::vector<row_change>& changes, const address& who) {
  for (const auto& change : changes) {
    if (change.key == account_key(who) && change.value) {
      return ledger_source::decoded<account_row>(*change.value);
    }
  }
  return {};
}

/// True if the validator does not take the transaction. A duplicate is not turned away: the same
/// transaction waits there already, and a block will show its result.
bool is_turned_away(const validator::offer_refusal& refusal) {
  if (std::holds_alternative<std::monostate>(refusal)) return false;
  const auto* by_pool = std::get_if<consensus::pool_refusal>(&refusal);
  return by_pool == nullptr || *by_pool != consensus::pool_refusal::duplicate;
}

/// Whether a block has the transaction. What a gateway says of it is not proven, but the account
/// is: a block that executes or refuses a transaction uses its nonce. Only one with a nonce that is
/// too high does not.
bool is_shown(const ledger_source& network, const sent& told, std::uint64_t nonce) {
  if (told.state.height.value == 0) return false;
  return network.proven() == ledger_source::evidence::own || told.after.nonce > nonce ||
         told.state.refusal == rules::refusal::nonce_too_high;
}

/// Stands in for the targets that the block would draw: points and distances of zero.
rules::drawn_targets empty_draws(const rules::execution& begun, const soma::genesis& genesis) {
  rules::drawn_targets drawn;
  for (const auto& candidate : begun.candidates()) drawn.models.push_back(candidate.model);
  for (const auto& wanted : begun.draws()) {
    drawn.targets.push_back({wanted.seed, std::vector<float>(genesis.parameters.architecture.dim),
                             std::vector<std::uint32_t>(drawn.models.size())});
  }
  return drawn;
}

}  // namespace

void sender_options::declare(option_set& options) {
  options
      .add("from", from,
           "key of the account: its name in the home, or a file; default: the only key")
      .shown_as("NAME");
  options.add(
      "passphrase-file", passphrase_file,
      "file whose first line is the passphrase; default: SOMA_PASSPHRASE, or it is asked for");
  options.add("dry-run", dry_run, "show what it would cost and do, and send nothing");
  place.declare(options);
}

expected<sender, failure> sender::open(const run_context& context, const sender_options& options) {
  sender out;
  out.options_ = options;
  auto key = find_key(context, options.from);
  if (!key) return make_unexpected(key.error());
  out.key_ = std::move(*key);
  // Without the public half in a file of its own, the key must be unlocked to know its account.
  if (!out.key_.half) {
    const auto secret = out.secret();
    if (!secret) return make_unexpected(secret.error());
    out.key_.half = secret->public_half();
  }
  out.who_ = crypto::address_of(*out.key_.half);
  if (options.place.unverified) {
    return wrong_usage("--unverified", "a transaction is tried out on proven rows alone",
                       "leave it out, or only read");
  }
  if (options.dry_run) {
    auto source = open_source(context, options.place);
    if (!source) return make_unexpected(source.error());
    out.ledger_ = std::move(*source);
  } else {
    auto connected = network_connection::open(context, options.place);
    if (!connected) return make_unexpected(connected.error());
    out.network_ = connected->get();
    out.ledger_ = std::move(*connected);
  }
  return out;
}

expected<crypto::key_pair, failure> sender::secret() {
  if (!secret_) {
    auto opened = unlock(key_, options_.passphrase_file);
    if (!opened) return opened;
    secret_ = std::move(*opened);
  }
  return *secret_;
}

foreseen sender::foresee(const transaction_kind& kind) const {
  const auto chain = ledger_->chain();
  const auto account = ledger_->row<account_row>(account_key(who_));
  rules::block_transaction tried;
  tried.body = wallet::make_transaction(ledger_->chain_of(), *key_.half,
                                        account ? account->nonce : 0, chain.epoch.next(), kind);
  tried.size_bytes = encode(*tried.body).size() + 64;
  rules::block_input block;
  block.height = chain.height.next();
  // The earliest possible time, so that the block hardly ever ends the epoch.
  block.time_ms = chain.time_ms + 1;
  block.transactions.push_back(std::move(tried));
  const source_reader reader(*ledger_, chain);
  // The block is tried without active models. So no target is opened and nothing has to be drawn.
  // Only a claim would need the models, and no verb sends a claim.
  auto begun = rules::begin_block(block, reader, rules::active_models{}, ledger_->genesis());
  const auto drawn = empty_draws(begun, ledger_->genesis());
  auto effects = rules::finish(std::move(begun), drawn);
  foreseen out;
  const auto& result = effects.outcomes.front();
  if (result.reason) {
    out.refusal = *result.reason;
    out.why = rules::to_text(*result.reason);
  }
  out.fee = result.fee;
  out.events = std::move(effects.events);
  out.after = account_in(effects.changes, who_);
  return out;
}

expected<wallet::own_transaction, failure> sender::sign(transaction_kind kind) {
  const auto opened = secret();
  if (!opened) return make_unexpected(opened.error());
  const auto account = ledger_->row<account_row>(account_key(who_));
  return wallet::make_signed_transaction(*opened, ledger_->chain_of(), account ? account->nonce : 0,
                                         ledger_->chain().epoch.next(), std::move(kind));
}

expected<sent, failure> sender::deliver(const signed_transaction& transaction, epoch_number expiry,
                                        std::uint64_t nonce) {
  SOMA_ASSERT(network_ != nullptr && !is_dry_run(), "only a network that runs is sent anything");
  const patient_stop until_told;  // a stop, too, says what may have happened to the money
  try {
    return offer_and_wait(transaction, expiry, nonce);
  } catch (const source_failure&) {
    // The general advice to give the same command again could pay twice here.
    return failed("transaction " + signing::id_of(transaction).text() +
                      " may have been sent, and its result is not known",
                  network_->where() + " does not answer any more",
                  "a block may take it until epoch " + std::to_string(expiry.value) +
                      " ends; look at `soma wallet balance` before you send anything again");
  }
}

expected<sent, failure> sender::offer_and_wait(const signed_transaction& transaction,
                                               epoch_number expiry, std::uint64_t nonce) {
  const auto id = signing::id_of(transaction);
  const auto what = "transaction " + id.text();
  const auto offered = network_->offer(transaction);
  if (is_turned_away(offered.refusal) && network_->state_of(id).height.value == 0) {
    const bool by_pool = std::holds_alternative<consensus::pool_refusal>(offered.refusal);
    return failed(
        what + " was not taken", offered.why,
        by_pool
            ? "nothing was charged; try again when the account's other transactions are in blocks"
            : "nothing was charged");
  }
  auto offered_at = std::chrono::steady_clock::now();
  for (;;) {
    sent done;
    done.id = id;
    done.state = network_->state_of(id, answer_ms);
    if (done.state.height.value != 0) {
      if (const auto account = network_->row<account_row>(account_key(who_))) done.after = *account;
    }
    if (is_shown(*network_, done, nonce)) {
      if (!done.state.refusal) {
        remember_done(what + " is in block " + std::to_string(done.state.height.value));
        return done;
      }
      return failed(what + " was refused in block " + std::to_string(done.state.height.value),
                    done.state.why, "the base fee of " + to_text(done.state.fee) + " was charged");
    }
    if (network_->chain().epoch > expiry) {
      return failed(what + " expired", "no block took it before its last epoch ended",
                    "nothing was charged; try again");
    }
    if (stop_requested()) {
      return failed(what + " was sent, but its result is not known", "the wait was stopped",
                    "a block may still take it; `soma wallet balance` shows it");
    }
    std::this_thread::sleep_for(between_questions);
    // A node that was started anew has forgotten what waited there. Whatever it answers now, the
    // ledger will show what became of the transaction.
    if (const auto now = std::chrono::steady_clock::now(); now - offered_at >= offered_again) {
      (void)network_->offer(transaction);
      offered_at = now;
    }
  }
}

expected<sent, failure> sender::send(const transaction_kind& kind, const std::string& doing) {
  const auto expected_effect = foresee(kind);
  if (expected_effect.refusal) {
    const bool is_unknown = expected_effect.refusal == rules::refusal::account_unknown;
    return named(rules::name_of(*expected_effect.refusal),
                 failed(doing,
                        is_unknown ? "the sender " + who_.text() + " has no account in this network"
                                   : expected_effect.why,
                        "nothing was sent and nothing was charged"));
  }
  if (is_dry_run()) {
    sent done;
    done.dry_run = true;
    done.state.fee = expected_effect.fee;
    done.after = expected_effect.after;
    return done;
  }
  note_line("fee: " + to_text(expected_effect.fee));
  const auto transaction = sign(kind);
  if (!transaction) return make_unexpected(transaction.error());
  return deliver(transaction->sent, transaction->content.expiry, transaction->content.nonce);
}

expected<shannons, failure> amount_of(const std::string& text) {
  if (const auto amount = parse_amount(text)) return *amount;
  return wrong_usage("`" + text + "` is not an amount",
                     "an amount has at most nine decimals and is not above the supply",
                     "write 12.5, 12.5SOMA or 12500000000sh");
}

void add_receipt(json& facts, const sent& done) {
  facts.set("dry_run", done.dry_run);
  facts.set("transaction", done.dry_run ? json() : json(done.id.text()));
  facts.set("height", done.dry_run ? json() : json(done.state.height.value));
  facts.set("epoch", done.dry_run ? json() : json(done.state.epoch.value));
  facts.set("fee_shannons", done.state.fee.value);
  facts.set("balance_shannons", done.after.balance.value);
}

void print_receipt(const sent& done) {
  print_line("fee          " + to_text(done.state.fee) + (done.dry_run ? "" : ", burned"));
  print_line("balance      " + to_text(done.after.balance) +
             (done.dry_run ? " would be left" : ""));
  if (done.dry_run) {
    print_line("nothing was sent: --dry-run");
    return;
  }
  print_line("transaction  " + done.id.text());
  print_line("block        " + std::to_string(done.state.height.value) + ", epoch " +
             std::to_string(done.state.epoch.value));
}

}  // namespace soma::cli
