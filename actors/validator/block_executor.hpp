// Executes and commits blocks for the consensus. The execution tree applies the rules, and the
// target generator draws the targets. The tree drops results when it has no room; a dropped result
// that the consensus relies on is computed here again.
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
#include "messages/signing/hash_onion.hpp"

namespace soma::validator {

class block_executor : public std::enable_shared_from_this<block_executor> {
 public:
  /// nullopt when the block could not be executed now; the caller may try again later.
  using on_result = std::function<void(const std::optional<consensus::execution_result>&)>;

  /// `parts` must outlive every answer that the executor waits for. `tree` as for the execution
  /// tree.
  block_executor(validator_actor::pointer self, validator_parts& parts,
                 target_generator::target_generator_actor generator,
                 std::shared_ptr<tables::ledger_store> ledger, const soma::genesis& genesis,
                 const crypto::key_pair& key, std::optional<state_tree::tree> tree = {});

  void execute(const block_ptr& candidate, on_result done);
  /// Executes a draft of this validator with the next layer of its onion. Without one, for instance
  /// because the onion is used up, there is no result.
  void execute_draft(const block_ptr& draft, on_result done);
  /// The onion to commit to when this validator has a seat and none, or few layers of it left, and
  /// none waits; nullopt otherwise.
  [[nodiscard]] std::optional<tx::commit_onion> onion_wanted();
  /// Writes each block into the ledger and then calls block_committed for it; calls `done` after
  /// the last block. Throws lmdb::failure, either from this call or from a later handler of the
  /// actor.
  void commit(std::vector<consensus::final_block> blocks, std::function<void()> done);
  /// Goes on with a commit that waits because a block could not be executed. The owner calls this
  /// regularly while a commit is under way.
  void try_again();
  void base_moved(const block_id& base) { state_.keep_only(base); }
  /// Sends the router the models as of the last committed block, before it is asked to draw.
  void update_router() { update_router(false); }

  [[nodiscard]] const execution::execution_tree& state() const { return state_; }
  /// Like execution_tree::read.
  [[nodiscard]] rules::block_transaction read(const signed_transaction& sent) {
    return state_.read(sent);
  }

 private:
  struct job {
    std::deque<block_ptr> todo;  // ancestors first; the last one is the requested block
    on_result done;
    bool drawn_again = false;
  };
  struct commitment {
    std::deque<consensus::final_block> blocks;
    std::function<void()> done;
  };
  [[nodiscard]] bool peel(block& draft);
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
  public_key key_;
  signing::hash_onion onion_;
  std::shared_ptr<commitment> stalled_;
  /// Executed blocks above the last committed one, also those whose result the tree has dropped.
  std::map<block_id, block_ptr> executed_;
};

}  // namespace soma::validator
