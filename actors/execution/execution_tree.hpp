// Executes blocks that are not final yet, each on the state after its parent. The parent is the
// last committed block or a block that was executed before. It uses no actors and does not wait: it
// says which targets must be drawn, and its caller comes back with the draws. What must hold:
//   - A block gives the same result on every path, as a draft or whole, early or late, whatever
//     else was executed meanwhile. A replay of the final chain computes the same result.
//   - No content of a peer's block can end the program. That a block can't follow its parent is a
//     result, too.
//   - At most max_live executions are kept. An execution that was dropped to make room can be done
//     again.
// A block is committed here and to the ledger in one step; each execution asserts that both stand
// at the same block. All of it runs on one thread.
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

/// Why an execution is not possible now. These reasons say nothing about the block itself.
enum class execution_trouble : std::uint8_t {
  unknown_parent,  // the parent is not the last committed block, and no execution of it is kept
  no_room,         // there are max_live executions, all of them ancestors of this block
  parent_gone,     // another block became final while targets were drawn
  bad_draws,       // the draws do not answer the question; they have to be drawn again
};
[[nodiscard]] std::string_view to_text(execution_trouble why);

/// The name of one state of the set of active models. Two blocks that change the set differently
/// have different marks, even if the registry versions are the same.
using registry_mark = std::uint64_t;

/// What the router has to be told before it draws. The router keeps one registry, but the blocks
/// here fork. So changes alone are sent only when the router is known to hold the state to which
/// they apply; otherwise all models are sent.
struct router_update {
  std::uint64_t ticket = 0;
  bool snapshot = false;   // all active models of `rows`, with `changes` on top
  std::uint64_t from = 0;  // registry versions; a snapshot uses `to` alone
  std::uint64_t to = 0;
  std::vector<rules::registry_change> changes;  // at most one for each model
  block_id rows;                                // see rows_at
};

class execution_tree {
 public:
  static constexpr std::size_t max_live = 64;

  /// The ledger has its genesis and outlives this object. Whoever has just built the state tree of
  /// this ledger gives it here. A tree with another root than the last header names is dropped;
  /// then, and without a tree, all rows are read once to build it.
  execution_tree(const tables::ledger_store& ledger, const soma::genesis& genesis,
                 std::optional<state_tree::tree> tree = {});
  ~execution_tree();
  execution_tree(const execution_tree&) = delete;
  execution_tree& operator=(const execution_tree&) = delete;

  /// An execution between its two stages. It has no reference to the tree.
  class pending_execution {
   public:
    [[nodiscard]] const block_ptr& candidate() const { return candidate_; }
    /// The draws that are needed; never empty.
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

  /// Executes a block up to its draws, or to the end when there is nothing to draw. The block may
  /// be a draft, whose header has no state root, flags and next committee yet. A block that was
  /// executed before, even as a draft, costs nothing.
  using started = std::variant<consensus::execution_result, pending_execution>;
  [[nodiscard]] expected<started, execution_trouble> begin(const block_ptr& candidate);
  /// Executes the rest. The result is kept under the id of the completed header, which is
  /// signing::id_of(consensus::complete(header, result)).
  [[nodiscard]] expected<consensus::execution_result, execution_trouble> finish(
      pending_execution&& begun, const rules::drawn_targets& drawn);

  /// Reads a transaction of a client or a peer. Its signature is not verified again when it comes
  /// once more or in a block.
  [[nodiscard]] rules::block_transaction read(const signed_transaction& sent) {
    return transactions_.read(sent);
  }

  /// The effects of a kept execution; nullptr when none is kept under this id.
  [[nodiscard]] const rules::effects* find(const block_id& id) const;
  [[nodiscard]] std::size_t live() const { return live_.size(); }

  /// The base is the last committed block; the chain row and the tree are those after it.
  [[nodiscard]] const block_id& base() const { return base_; }
  [[nodiscard]] const chain_row& chain() const { return chain_; }
  [[nodiscard]] const state_tree::tree& tree() const { return tree_; }
  /// This kept execution is final and becomes the base. Executions that do not descend from it are
  /// dropped. Returns the effects, which the ledger has to take in at once. Asserts that the parent
  /// is the base.
  [[nodiscard]] rules::effects commit(const block_id& id);
  /// Drops the executions that are neither an ancestor nor a descendant of this kept one. Does
  /// nothing for an unknown id or that of the base.
  void keep_only(const block_id& id);

  /// The ledger's rows after a kept execution or the base; nullptr for an unknown id. It must not
  /// be held for more than a second, or across a commit.
  [[nodiscard]] std::unique_ptr<ledger::state_reader> rows_at(const block_id& id) const;

  /// What to tell the router before the draws of this execution. From now on it counts as sent, and
  /// router_answered has to be called, whatever the answer is.
  [[nodiscard]] router_update router_for(const pending_execution& begun);
  /// What to tell the router so that it holds the state of the base; nullopt when it holds that or
  /// a later state, or while an answer is awaited. To be called at the start, after each commit and
  /// after a failure.
  [[nodiscard]] std::optional<router_update> router_for_base();
  /// `taken` says that the router answered without a refusal and that its draws fit.
  void router_answered(std::uint64_t ticket, bool taken);

 private:
  struct kept {
    block_id parent;
    rules::effects result;
    state_tree::tree::prepared tree;
    consensus::execution_result told;
    std::shared_ptr<const rules::active_models> active;
    registry_mark mark = 0;
    std::uint64_t used = 0;  // order of the last use: the leaf with the lowest is dropped first
  };
  class branch_rows;
  /// The executions from the child of the base to one of its descendants; empty for the base.
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
  /// The update to the state with this mark: that of `below`, whose last block is `rows`, with
  /// `more` on top.
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
  // What the router was sent last, and whether its answer is awaited.
  std::uint64_t router_ticket_ = 0;
  bool router_asked_ = false;
  std::optional<registry_mark> router_mark_;  // of the state that it holds; nullopt: unknown
  std::uint64_t router_version_ = 0;
  bool router_lags_ = false;                             // it holds the state of an earlier base
  std::vector<rules::registry_change> committed_since_;  // the changes since that base
};

}  // namespace soma::execution
