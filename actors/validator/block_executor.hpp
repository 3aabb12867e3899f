// Executes and commits blocks for the agreement: speculation does the work, the target generator
// draws. What the agreement believes to be executed is executed again here when it was dropped for
// want of room.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "actors/execution/execution_tree.hpp"
#include "actors/target_generator/target_generator_actor.hpp"
#include "actors/validator/validator_actor.hpp"
#include "actors/validator/validator_parts.hpp"

namespace soma::validator {

class block_executor : public std::enable_shared_from_this<block_executor> {
 public:
  /// nullopt: not now.
  using on_result = std::function<void(const std::optional<consensus::execution_result>&)>;

  /// `parts` outlives the actor's work.
  block_executor(validator_actor::pointer self, validator_parts& parts,
                 target_generator::target_generator_actor generator,
                 std::shared_ptr<tables::ledger_store> ledger, const soma::genesis& genesis);

  void execute(const block_ptr& candidate, on_result done);
  /// Each block into the ledger, then block_committed; `done` after the last. Throws lmdb::failure,
  /// at once or out of a handler of the actor's.
  void commit(std::vector<consensus::final_block> blocks, std::function<void()> done);
  /// Goes on with a commit for which an execution was missing and could not be had. Now and then.
  void try_again();
  void base_moved(const block_id& base) { state_.keep_only(base); }
  /// Lets the router know of the last committed block, whose models it may need before any draw.
  void update_router() { update_router(false); }

  [[nodiscard]] const execution::execution_tree& state() const { return state_; }
  /// As speculation::read.
  [[nodiscard]] rules::block_transaction read(const signed_transaction& sent) {
    return state_.read(sent);
  }

 private:
  struct job {
    std::deque<block_ptr> todo;  // the last one is what was asked for, those before its ancestors
    on_result done;
    bool drawn_again = false;
  };
  struct commitment {
    std::deque<consensus::final_block> blocks;
    std::function<void()> done;
  };
  void go_on(const std::shared_ptr<job>& work);
  void draw(const std::shared_ptr<job>& work, execution::execution_tree::pending_execution&& begun);
  void note(const block_ptr& candidate, const consensus::execution_result& result);
  void go_on(const std::shared_ptr<commitment>& work);
  void update_router(bool again);
  [[nodiscard]] message<schema::RegistryDelta> delta_of(
      const execution::router_update& update) const;

  validator_actor::pointer self_;
  validator_parts& parts_;
  target_generator::target_generator_actor generator_;
  std::shared_ptr<tables::ledger_store> ledger_;
  std::uint32_t dim_;
  execution::execution_tree state_;
  std::shared_ptr<commitment> stalled_;
  std::map<block_id, block_ptr> executed_;  // above the last committed one, kept or dropped
};

}  // namespace soma::validator
