// Execution of the simulated network: small, but of the shape of the real one. Accounts with
// nonces, fees that are burned, rewards for those who signed the parent, stakes, evidence that
// slashes once, epochs that end and seat the next committee, a root over all of it. What is
// executed depends on the block and the state alone, so all processes share the results; each
// keeps for itself which of them it has.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "actors/consensus/agreement.hpp"
#include "actors/simulation/fault_plan.hpp"
#include "actors/simulation/keys.hpp"

namespace soma::simulation {

inline constexpr std::uint64_t birth_ms = 100'000'000;  // clocks may be hours behind
inline constexpr std::uint8_t accounts = 16;

struct toy_state {
  std::uint64_t height = 0;
  std::uint64_t time_ms = birth_ms;
  std::uint64_t epoch = 0;
  std::uint64_t epoch_start_ms = birth_ms;
  std::uint64_t epoch_end_ms = 0;
  std::array<std::uint64_t, accounts> balances{};
  std::array<std::uint32_t, accounts> nonces{};
  std::vector<std::uint64_t> stakes;  // by identity
  std::uint64_t reward_pool = 0;
  std::uint64_t burned = 0;
  std::vector<std::uint64_t> evidence;  // keys of what has been punished, ascending
  std::vector<std::uint16_t> slashed;   // identities, ascending
  std::vector<committee_seat> seats;    // of `epoch`

  [[nodiscard]] std::uint64_t supply() const;
  [[nodiscard]] state_root root() const;
};
using state_ptr = std::shared_ptr<const toy_state>;

struct executed_block {
  block_id parent;
  std::uint64_t height = 0;
  consensus::execution_result result;
  state_ptr state;  // after it; null when the block does not follow
};
using executed_ptr = std::shared_ptr<const executed_block>;

struct toy_transaction {
  std::uint8_t from = 0;
  std::uint8_t to = 0;
  std::uint32_t nonce = 0;
  std::uint32_t amount = 0;
  std::uint64_t expiry = 0;  // last epoch
  std::uint64_t number = 0;  // tells it from all others
};
[[nodiscard]] signed_transaction encode_toy(const toy_transaction& t);
[[nodiscard]] signed_transaction encode_toy(const tx::report_equivocation& evidence);
/// nullopt for anything but a transfer.
[[nodiscard]] std::optional<toy_transaction> decode_toy(const signed_transaction& t);
/// Tells a transaction from all others.
[[nodiscard]] std::uint64_t name_of(const signed_transaction& t);

class toy_chain {
 public:
  toy_chain(const fault_plan& p, const keyring& keys);

  [[nodiscard]] const state_ptr& genesis() const { return genesis_; }
  /// On `state`, the one after its parent. Of a draft, too.
  executed_ptr execute(const state_ptr& state, const block_id& id, const block& b);
  /// What an execution of this block gave, whoever ran it; null: nobody did.
  [[nodiscard]] executed_ptr find(const block_id& id) const;
  /// A draft's result, found on `state`, under the id that it has with it.
  void name(const block_id& id, const state_ptr& state, executed_ptr executed);

 private:
  void pay_signers(toy_state& state, const signer_set& signers) const;
  bool apply(toy_state& state, const signed_transaction& t) const;
  void transfer(toy_state& state, const toy_transaction& t) const;
  void punish(toy_state& state, const tx::report_equivocation& evidence) const;
  void close_epoch(toy_state& state) const;
  [[nodiscard]] std::vector<committee_seat> committee_of(std::uint64_t epoch,
                                                         const toy_state& state) const;

  const fault_plan& plan_;
  const keyring& keys_;
  std::uint32_t frail_ = 0;  // identities that get nothing of what the slashed lose
  std::uint64_t supply_ = 0;
  state_ptr genesis_;
  struct remembered {
    state_ptr on;
    executed_ptr executed;
  };
  std::map<block_id, remembered> results_;
};

}  // namespace soma::simulation
