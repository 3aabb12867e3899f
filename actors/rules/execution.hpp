// One block, in two pure stages (protocol §10.3). Drawing targets needs floating point, which is
// not allowed here: the first stage runs the block up to the point where targets are opened and
// names the draws it wants; the caller has them drawn; the second stage assigns the targets and
// returns the changes. The same block on the same state gives the same bytes on every machine.
#pragma once

#include <memory>

#include "actors/rules/active_models.hpp"
#include "actors/rules/targets.hpp"
#include "actors/rules/transactions.hpp"

namespace soma::rules {

struct block_input {
  block_height height;
  std::uint64_t time_ms = 0;
  block_id parent;
  public_key proposer{};  // its consensus key
  hash256 peel;           // of the onion of that key, protocol §7.1
  /// The members that signed for the parent. Empty in an epoch's first block.
  std::vector<address> signers;
  std::vector<block_transaction> transactions;  // in order
};

/// Why a proposed block cannot follow this state. Nothing is executed. Protocol §10.1.
enum class block_refusal : std::uint8_t {
  wrong_height,
  time_not_after_parent,
  too_many_transactions,
  payload_too_large,
  wrong_peel
};
[[nodiscard]] std::string_view to_text(block_refusal reason);
/// `parent` is the chain row of `state`.
[[nodiscard]] std::optional<block_refusal> check_block(const block_input& block,
                                                       const chain_row& parent,
                                                       const ledger::state_reader& state);

/// Everything a block leaves behind. `changes` are sorted by key and go into the store and the
/// state root together.
struct effects {
  std::vector<row_change> changes;
  std::vector<event> events;
  std::vector<transaction_outcome> outcomes;  // one a transaction, in order
  std::vector<registry_change> registry;
  chain_row chain;  // as it is after the block
  bool epoch_closed = false;
  /// If this block closes an epoch: the committee of the next one, by address.
  std::vector<committee_seat> next_committee;
};

/// A block between its two stages. Holds no reference to the state it was begun on.
class execution {
 public:
  execution(execution&&) noexcept;
  execution& operator=(execution&&) noexcept;
  ~execution();

  /// The draws that are needed, in this order. May be empty.
  [[nodiscard]] const std::vector<wanted_draw>& draws() const;
  /// The models to which the drawn targets are assigned, as they are after this block's changes, in
  /// order of their ids. Empty if there are no draws.
  [[nodiscard]] const std::vector<candidate>& candidates() const;
  [[nodiscard]] const std::vector<registry_change>& registry() const;
  [[nodiscard]] bool closes_epoch() const;
  [[nodiscard]] std::uint64_t registry_version() const;

 private:
  struct parts;
  explicit execution(std::unique_ptr<parts> p);
  static void open_waiting(parts& p, const active_models& active);
  std::unique_ptr<parts> parts_;
  friend execution begin_block(const block_input&, const ledger::state_reader&,
                               const active_models&, const genesis&);
  friend effects finish(execution&&, const drawn_targets&);
  friend std::optional<draw_refusal> check_draws(const execution&, const drawn_targets&);
};

/// Runs the transactions and, when the time has come, the end of the epoch. The block has passed
/// check_block. `active` are the active models of `state`. Neither is used after the return.
[[nodiscard]] execution begin_block(const block_input& block, const ledger::state_reader& state,
                                    const active_models& active, const genesis& genesis);
/// Checks whether these draws can finish the execution.
[[nodiscard]] std::optional<draw_refusal> check_draws(const execution& begun,
                                                      const drawn_targets& drawn);
/// Opens the targets and returns the changes. The draws must have passed check_draws.
[[nodiscard]] effects finish(execution&& begun, const drawn_targets& drawn);

}  // namespace soma::rules
