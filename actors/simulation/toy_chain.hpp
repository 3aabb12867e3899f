// Execution in the simulated network. It is small, but has the shape of the real one: accounts with
// nonces, fees that are burned, rewards for the signers of the parent, stakes, evidence that
// slashes once, epochs that end and seat the next committee, and a root over all of it. A result
// depends on the block and the state alone, so all nodes share one memory of results; each node
// keeps a list of those that it has computed.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "actors/consensus/agreement.hpp"
#include "actors/simulation/fault_plan.hpp"
#include "actors/simulation/keys.hpp"

namespace soma::simulation {

inline constexpr std::uint64_t genesis_ms = 100'000'000;  // clocks may be hours behind it
inline constexpr std::uint8_t accounts = 16;

struct toy_state {
  std::uint64_t height = 0;
  std::uint64_t time_ms = genesis_ms;
  std::uint64_t epoch = 0;
  std::uint64_t epoch_start_ms = genesis_ms;
  std::uint64_t epoch_end_ms = 0;
  std::array<std::uint64_t, accounts> balances{};
  std::array<std::uint32_t, accounts> nonces{};
  std::vector<std::uint64_t> stakes;  // by identity
  std::uint64_t reward_pool = 0;
  std::uint64_t burned = 0;
  std::vector<std::uint64_t> evidence;  // keys of the offences that were punished, ascending
  std::vector<std::uint16_t> slashed;   // identities, ascending
  std::vector<committee_seat> seats;    // of `epoch`
  hash256 entropy;                      // of all peels so far
  hash256 leader_seed;                  // of `epoch`
  hash256 next_leader_seed;             // of the next epoch

  [[nodiscard]] std::uint64_t supply() const;
  [[nodiscard]] state_root root() const;
};
using state_ptr = std::shared_ptr<const toy_state>;

struct executed_block {
  block_id parent;
  std::uint64_t height = 0;
  consensus::execution_result result;
  state_ptr state;  // after the block; null when the block does not follow its parent
};
using executed_ptr = std::shared_ptr<const executed_block>;

struct toy_transaction {
  std::uint8_t from = 0;
  std::uint8_t to = 0;
  std::uint32_t nonce = 0;
  std::uint32_t amount = 0;
  std::uint64_t expiry = 0;  // the last epoch in which it may be executed
  std::uint64_t number = 0;  // no two transfers have the same
};
[[nodiscard]] signed_transaction encode_toy(const toy_transaction& t);
[[nodiscard]] signed_transaction encode_toy(const tx::report_equivocation& evidence);
/// nullopt for anything but a transfer.
[[nodiscard]] std::optional<toy_transaction> decode_toy(const signed_transaction& t);
/// A digest of the transaction; no two transactions of a run have the same.
[[nodiscard]] std::uint64_t name_of(const signed_transaction& t);

class toy_chain {
 public:
  toy_chain(const fault_plan& p, const keyring& keys);

  [[nodiscard]] const state_ptr& genesis() const { return genesis_; }
  /// Executes a block, or the draft of one, on `state`, which is the state after its parent.
  executed_ptr execute(const state_ptr& state, const block_id& id, const block& b);
  /// The result of this block at whichever node executed it; null when no node has.
  [[nodiscard]] executed_ptr find(const block_id& id) const;
  /// Remembers the result of a draft under the id that the block got with this result.
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
  std::uint32_t frail_ = 0;  // identities that get no power of the slashed
  std::uint64_t supply_ = 0;
  state_ptr genesis_;
  struct remembered {
    state_ptr on;
    executed_ptr executed;
  };
  std::map<block_id, remembered> results_;
};

}  // namespace soma::simulation
