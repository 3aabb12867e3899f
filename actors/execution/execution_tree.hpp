// Executes blocks that are not final yet, each on the state at its parent: the last committed block
// or one executed before. No actor in it and no waiting: whoever draws targets comes back with
// them. What must hold:
//   - A block gives the same result on every path: executed as a draft or whole, early or late,
//     whatever else was executed meanwhile; the same that a replay of the final chain computes.
//   - Nothing a peer's block says can end the program; a block that cannot follow is a result.
//   - At most max_live executions are kept. What is dropped for want of room can be executed again.
// The ledger stands where this stands whenever anything is begun (asserted): a block is committed
// here and there in one go. One thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/consensus/agreement.hpp"
#include "actors/execution/verified_transactions.hpp"
#include "actors/rules/execution.hpp"
#include "actors/state_tree/state_tree.hpp"
#include "messages/values/expected.hpp"
#include "messages/values/genesis.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::execution {

/// Why an execution can't be had now; none says anything about the block itself.
enum class execution_trouble : std::uint8_t {
  unknown_parent,  // neither the last committed block nor executed (any more): execute it first
  no_room,         // max_live executions, all of them ancestors of this block
  parent_gone,     // while targets were drawn, something else became final
  bad_draws,       // the draws do not answer what was asked: have them drawn again
};
[[nodiscard]] std::string_view to_text(execution_trouble why);

/// Names one state of the set of active models: blocks that change it differently have different
/// ones, whatever their versions.
using registry_mark = std::uint64_t;

/// What the router has to be told before it draws. One registry is kept there, blocks here fork: a
/// change is told as a change only when the router is known to hold the state it starts from.
struct router_update {
  std::uint64_t ticket = 0;
  bool snapshot = false;   // all active models of the rows below, with `changes` on top
  std::uint64_t from = 0;  // registry versions; of a snapshot `to` alone counts
  std::uint64_t to = 0;
  std::vector<rules::registry_change> changes;  // at most one a model
  block_id rows;                                // see rows_at
};

class execution_tree {
 public:
  static constexpr std::size_t max_live = 64;

  /// Reads all rows once. The ledger is initialised and outlives this.
  execution_tree(const tables::ledger_store& ledger, const soma::genesis& genesis);
  ~execution_tree();
  execution_tree(const execution_tree&) = delete;
  execution_tree& operator=(const execution_tree&) = delete;

  /// An execution between its two stages; refers to nothing here.
  class pending_execution {
   public:
    [[nodiscard]] const block_ptr& candidate() const { return candidate_; }
    /// What must be drawn; never empty.
    [[nodiscard]] const std::vector<rules::wanted_draw>& draws() const { return begun_.draws(); }
    [[nodiscard]] const rules::execution& begun() const { return begun_; }

   private:
    friend class execution_tree;
    pending_execution(block_ptr candidate, rules::execution&& begun, registry_mark mark)
        : candidate_(std::move(candidate)), begun_(std::move(begun)), mark_(mark) {}
    block_ptr candidate_;
    rules::execution begun_;
    registry_mark mark_;  // of the registry after it
  };

  /// Executes a block, or a draft whose header has neither state root, flags nor next committee
  /// yet, up to its draws, or to the end when there is nothing to draw. A block that was executed
  /// before, as a draft too, costs nothing.
  using started = std::variant<consensus::execution_result, pending_execution>;
  [[nodiscard]] expected<started, execution_trouble> begin(const block_ptr& candidate);
  /// The rest. The result is kept under the id of the completed header: crypto::id_of(
  /// consensus::complete(header, result)).
  [[nodiscard]] expected<consensus::execution_result, execution_trouble> finish(
      pending_execution&& begun, const rules::drawn_targets& drawn);

  /// A transaction that comes from anywhere: what held once is not verified again, here or in a
  /// block.
  [[nodiscard]] rules::block_transaction read(const signed_transaction& sent) {
    return transactions_.read(sent);
  }

  /// What a kept execution did; nullptr for an unknown one.
  [[nodiscard]] const rules::effects* find(const block_id& id) const;
  [[nodiscard]] std::size_t live() const { return live_.size(); }

  /// The last committed block and what is true after it.
  [[nodiscard]] const block_id& base() const { return base_; }
  [[nodiscard]] const chain_row& chain() const { return chain_; }
  [[nodiscard]] const state_tree::tree& tree() const { return tree_; }
  /// This kept execution is final: its parent is the base (asserted) and it becomes the base. What
  /// does not descend from it is dropped. Hands out what the ledger has to take in at once.
  [[nodiscard]] rules::effects commit(const block_id& id);
  /// Drops what is neither an ancestor of this kept execution nor descends from it; nothing when
  /// the id is unknown or the base's.
  void keep_only(const block_id& id);

  /// The ledger's rows as they are after a kept execution or the base; nullptr for an unknown one.
  /// For less than a second, and not across a commit.
  [[nodiscard]] std::unique_ptr<ledger::state_reader> rows_at(const block_id& id) const;

  /// What to tell the router with the draws of this run. Noted as told; router_answered must
  /// follow, whatever came of it.
  [[nodiscard]] router_update router_for(const pending_execution& begun);
  /// What to tell the router so that it knows of the base; nullopt when it does (or knows more), or
  /// while an answer is awaited. To be asked at the start, after commits and after a failure.
  [[nodiscard]] std::optional<router_update> router_for_base();
  /// `taken`: it answered without refusal, and its draws fit.
  void router_answered(std::uint64_t ticket, bool taken);

 private:
  struct kept {
    block_id parent;
    rules::effects result;
    state_tree::tree::prepared tree;
    consensus::execution_result told;
    std::shared_ptr<const rules::active_models> active;
    registry_mark mark = 0;
    std::uint64_t used = 0;  // when last: the leaf with the lowest goes first
  };
  class branch_rows;
  /// From the base's child to this one; empty for the base.
  using branch = std::vector<const kept*>;

  [[nodiscard]] std::optional<branch> branch_to(const block_id& id) const;
  [[nodiscard]] std::optional<rules::block_input> input_of(const block& candidate,
                                                           const chain_row& parent,
                                                           const ledger::state_reader& rows);
  [[nodiscard]] expected<consensus::execution_result, execution_trouble> keep(
      const block& candidate, const branch& below, rules::effects&& result, registry_mark mark);
  [[nodiscard]] bool make_room(const block_id& parent);
  [[nodiscard]] registry_mark mark_of(const branch& below) const {
    return below.empty() ? base_mark_ : below.back()->mark;
  }
  [[nodiscard]] const chain_row& chain_of(const branch& below) const {
    return below.empty() ? chain_ : below.back()->result.chain;
  }
  /// To a state with this mark: `more` on top of `below`, whose last block is `rows`.
  router_update make_router_update(const branch& below, const block_id& rows,
                                   const std::vector<rules::registry_change>& more,
                                   std::uint64_t version, registry_mark mark);

  const tables::ledger_store& ledger_;
  soma::genesis genesis_;
  state_tree::tree tree_;
  std::shared_ptr<const rules::active_models> active_;
  chain_row chain_;
  block_id base_;
  verified_transactions transactions_;
  std::map<block_id, kept> live_;
  std::uint64_t uses_ = 0;

  registry_mark base_mark_ = 1;
  registry_mark last_mark_ = 1;
  // The router: what it was told last, and whether the answer to that is awaited.
  std::uint64_t router_ticket_ = 0;
  bool router_asked_ = false;
  std::optional<registry_mark> router_mark_;  // none: nobody knows what it holds
  std::uint64_t router_version_ = 0;
  bool router_lags_ = false;  // it holds the state of a base before this one
  std::vector<rules::registry_change> committed_since_;  // then: what came since
};

}  // namespace soma::execution
