// A seat in the committee: an account asks for it with stake and a consensus key, and gives it
// back. Protocol §5.
#include "deploy/soma/send/sending.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/units.hpp"
#include "deploy/soma/verbs.hpp"
#include "messages/signing/signing.hpp"

namespace soma::cli {
namespace {

class validator_join final : public verb {
 public:
  std::string_view name() const override { return "validator join"; }
  std::string_view summary() const override { return "ask for a seat from the next epoch on"; }
  std::string_view example() const override {
    return "soma validator join --stake 1000 --consensus-key validator.key --from alice "
           "--config node.toml";
  }
  void declare(option_set& options) override {
    options
        .add("stake", stake_, "own stake to lock; the first time it must be at least the minimum")
        .shown_as("AMOUNT");
    options
        .add("consensus-key", consensus_key_,
             "key file, without a passphrase, of the node that signs; default: the account's key")
        .shown_as("FILE");
    sender_.declare(options);
  }
  outcome run(const run_context& context) override;

 private:
  std::string stake_ = "0";
  std::filesystem::path consensus_key_;
  sender_options sender_;
};

outcome validator_join::run(const run_context& context) {
  const auto stake = amount_of(stake_);
  if (!stake) return make_unexpected(stake.error());
  auto opened = sender::open(context, sender_);
  if (!opened) return make_unexpected(opened.error());
  // The transaction contains a proof that the sender has the consensus key. The proof is a
  // signature, so the key is needed in a dry run as well.
  const auto consensus =
      consensus_key_.empty()
          ? opened->secret()
          : unlock({consensus_key_.string(), consensus_key_, {}}, sender_.passphrase_file);
  if (!consensus) return make_unexpected(consensus.error());
  tx::join_committee join;
  join.consensus_key = consensus->public_half();
  join.proof_of_possession =
      signing::prove_possession(*consensus, opened->ledger().chain_of(), opened->who());
  join.stake = *stake;
  const auto done = opened->send(join, "cannot ask for a seat");
  if (!done) return make_unexpected(done.error());
  const auto epoch = done->dry_run ? opened->ledger().chain().epoch : done->state.epoch;
  if (context.wants_json) {
    auto facts = json::of({{"validator", opened->who().text()},
                           {"consensus_key", "0x" + to_hex(join.consensus_key)},
                           {"stake_shannons", stake->value},
                           {"from_epoch", epoch.next().value}});
    add_receipt(facts, *done);
    print_line(facts.text());
    return {};
  }
  print_line("validator    " + opened->who().text());
  print_line("seat         from epoch " + std::to_string(epoch.next().value) +
             " on, if its stake is among the largest");
  print_receipt(*done);
  return {};
}

class validator_leave final : public verb {
 public:
  std::string_view name() const override { return "validator leave"; }
  std::string_view summary() const override { return "give the seat back when the epoch ends"; }
  std::string_view example() const override {
    return "soma validator leave --from alice --config node.toml";
  }
  void declare(option_set& options) override { sender_.declare(options); }
  outcome run(const run_context& context) override {
    auto opened = sender::open(context, sender_);
    if (!opened) return make_unexpected(opened.error());
    const auto done = opened->send(tx::leave_committee{}, "cannot leave the committee");
    if (!done) return make_unexpected(done.error());
    const auto epoch = done->dry_run ? opened->ledger().chain().epoch : done->state.epoch;
    if (context.wants_json) {
      auto facts =
          json::of({{"validator", opened->who().text()}, {"seated_until_epoch", epoch.value}});
      add_receipt(facts, *done);
      print_line(facts.text());
      return {};
    }
    print_line("validator    " + opened->who().text());
    print_line("seat         until the end of epoch " + std::to_string(epoch.value) +
               "; then `soma stake withdraw` takes the stake out");
    print_receipt(*done);
    return {};
  }

 private:
  sender_options sender_;
};

}  // namespace

std::unique_ptr<verb> make_validator_join() {
  return std::make_unique<validator_join>();
}
std::unique_ptr<verb> make_validator_leave() {
  return std::make_unique<validator_leave>();
}

}  // namespace soma::cli
