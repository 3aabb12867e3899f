#include "actors/validator/block_executor.hpp"

#include <algorithm>

#include "actors/ledger/queries.hpp"
#include "actors/rules/onion.hpp"
#include "actors/validator/registry_delta.hpp"
#include "messages/signing/signing.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::validator {
namespace {

/// The longest chain above the last committed block that is executed again. The consensus allows
/// far fewer blocks there.
constexpr std::size_t max_ancestors = 1'024;

}  // namespace

block_executor::block_executor(validator_actor::pointer self, validator_parts& parts,
                               target_generator::target_generator_actor generator,
                               std::shared_ptr<tables::ledger_store> ledger,
                               const soma::genesis& genesis, const crypto::key_pair& key,
                               std::optional<state_tree::tree> tree)
    : self_(self),
      parts_(parts),
      generator_(std::move(generator)),
      ledger_(std::move(ledger)),
      dim_(genesis.parameters.architecture.dim),
      state_(*ledger_, genesis, std::move(tree)),
      key_(key.public_half()),
      onion_(key, signing::chain_id_of(genesis)) {}

void block_executor::execute(const block_ptr& candidate, on_result done) {
  auto work = std::make_shared<job>();
  work->todo.push_back(candidate);
  work->done = std::move(done);
  go_on(work);
}

void block_executor::execute_draft(const block_ptr& draft, on_result done) {
  const auto& parent = draft->block.header.parent;
  if (state_.rows_at(parent) == nullptr) {
    const auto known = executed_.find(parent);
    if (known == executed_.end()) return done(std::nullopt);
    return execute(known->second, [me = shared_from_this(), draft, done](const auto& result) {
      if (!result || me->state_.rows_at(draft->block.header.parent) == nullptr) {
        return done(std::nullopt);
      }
      me->execute_draft(draft, done);
    });
  }
  auto peeled = *draft;
  if (!peel(peeled.block)) return done(std::nullopt);
  execute(std::make_shared<const identified_block>(std::move(peeled)), std::move(done));
}

/// Sets the peel of a draft by the rows after its parent. False when the layer is not at hand.
bool block_executor::peel(block& draft) {
  const auto rows = state_.rows_at(draft.header.parent);
  const auto onion = ledger::read_onion(*rows, key_);
  const auto due = rules::due_at(onion, draft.header.height);
  if (due.layer == hash256{}) return true;
  const auto layer = onion_.peel(due.number, due.layer);
  if (!layer) {
    parts_.notify_operator("the onion of this validator has no more layers: it cannot lead");
    return false;
  }
  draft.header.peel = *layer;
  return true;
}

std::optional<tx::commit_onion> block_executor::onion_wanted() {
  const auto rows = state_.rows_at(state_.base());
  const auto& seats = ledger::read_committee(*rows).seats;
  if (std::ranges::find(seats, key_, &committee_seat::consensus_key) == seats.end()) return {};
  const auto onion = rules::due_at(ledger::read_onion(*rows, key_), state_.chain().height.next());
  if (onion.next_layer != hash256{}) return {};
  const bool has_one = onion.layer != hash256{};
  if (has_one && onion_.left(onion.number, onion.layer) > signing::hash_onion::few) return {};
  const auto number = has_one ? onion.number + 1 : onion.number;
  return tx::commit_onion{onion_.outermost(number), number};
}

void block_executor::go_on(const std::shared_ptr<job>& work) {
  for (;;) {
    const auto candidate = work->todo.front();
    auto begun = state_.begin(candidate);
    if (!begun) {
      const auto parent = executed_.find(candidate->block.header.parent);
      if (begun.error() != execution::execution_trouble::unknown_parent ||
          parent == executed_.end() || work->todo.size() >= max_ancestors) {
        return work->done(std::nullopt);
      }
      work->todo.push_front(parent->second);
      continue;
    }
    if (auto* run = std::get_if<execution::execution_tree::pending_execution>(&*begun))
      return draw(work, std::move(*run));
    const auto& result = std::get<consensus::execution_result>(*begun);
    note(candidate, result);
    work->todo.pop_front();
    if (work->todo.empty()) return work->done(result);
  }
}

/// Notes an executed block whose result follows its parent. A draft gets its final id only now,
/// because the id covers the result.
void block_executor::note(const block_ptr& candidate, const consensus::execution_result& result) {
  if (!result.follows) return;
  auto completed = *candidate;
  completed.block.header = consensus::complete(completed.block.header, result);
  completed.id = signing::id_of(completed.block.header);
  const auto id = completed.id;
  if (!executed_.contains(id)) {
    executed_.emplace(id, id == candidate->id
                              ? candidate
                              : std::make_shared<const identified_block>(std::move(completed)));
  }
}

/// The target generator draws and the rules assign. If the router's version of the models does not
/// fit, it gets a snapshot of all models and the draw is tried once more.
void block_executor::draw(const std::shared_ptr<job>& work,
                          execution::execution_tree::pending_execution&& begun) {
  const auto update = state_.router_for(begun);
  auto run = std::make_shared<execution::execution_tree::pending_execution>(std::move(begun));
  const auto again = [me = shared_from_this(), work, ticket = update.ticket] {
    me->state_.router_answered(ticket, false);
    if (std::exchange(work->drawn_again, true)) return work->done(std::nullopt);
    me->go_on(work);
  };
  self_
      ->request(generator_, caf::infinite, message<schema::DrawTargets>::build([&](auto out) {
                  auto seeds = out.initSeeds(static_cast<unsigned>(run->draws().size()));
                  for (unsigned i = 0; i < run->draws().size(); ++i)
                    seeds.set(i, run->draws()[i].seed);
                  out.setDim(dim_);
                  out.setDelta(delta_of(update).root());
                }))
      .then(
          [me = shared_from_this(), work, run, again,
           ticket = update.ticket](const message<schema::DrawnTargets>& reply) {
            if (is_refused(reply.root().getRefusal())) return again();
            const auto drawn = drawn_targets(run->draws(), reply.root());
            const auto candidate = run->candidate();
            const auto result = me->state_.finish(std::move(*run), drawn);
            if (!result && result.error() == execution::execution_trouble::bad_draws)
              return again();
            me->state_.router_answered(ticket, true);
            if (!result) return work->done(std::nullopt);
            me->note(candidate, *result);
            work->todo.pop_front();
            if (work->todo.empty()) return work->done(*result);
            me->go_on(work);
          },
          [again](caf::error&) { again(); });
}

void block_executor::commit(std::vector<consensus::final_block> blocks,
                            std::function<void()> done) {
  SOMA_ASSERT(!stalled_ && !blocks.empty(), "one commit at a time, of at least one block");
  auto work = std::make_shared<commitment>();
  for (auto& b : blocks) work->blocks.push_back(std::move(b));
  work->done = std::move(done);
  go_on(work);
}

/// Each block and its effects go into the ledger in one storage transaction.
void block_executor::go_on(const std::shared_ptr<commitment>& work) {
  while (!work->blocks.empty()) {
    const auto next = work->blocks.front();
    if (state_.find(next.block->id) == nullptr) {
      return execute(next.block, [me = shared_from_this(), work](const auto& result) {
        SOMA_ASSERT(!result || result->follows, "what is final has been executed before");
        if (result) return me->go_on(work);
        me->stalled_ = work;  // a role that the execution needs is down, so try_again() goes on
      });
    }
    work->blocks.pop_front();
    const auto version = state_.chain().registry_version;
    const auto done = state_.commit(next.block->id);
    ledger_->commit_block(next.block->block, done.changes, done.events, next.final, next.epoch_end);
    std::erase_if(executed_, [&](const auto& one) {
      return one.second->block.header.height <= next.block->block.header.height;
    });
    parts_.block_committed(next, done, version);
  }
  update_router(false);
  work->done();
}

void block_executor::try_again() {
  if (const auto work = std::exchange(stalled_, nullptr)) go_on(work);
}

void block_executor::update_router(bool again) {
  const auto update = state_.router_for_base();
  if (!update) return;
  self_
      ->request(generator_, caf::infinite, message<schema::DrawTargets>::build([&](auto out) {
                  out.setDim(dim_);
                  out.setDelta(delta_of(*update).root());
                }))
      .then(
          [me = shared_from_this(), again,
           ticket = update->ticket](const message<schema::DrawnTargets>& reply) {
            const bool taken = !is_refused(reply.root().getRefusal());
            me->state_.router_answered(ticket, taken);
            if (!taken && !again) me->update_router(true);
          },
          [me = shared_from_this(), ticket = update->ticket](caf::error&) {
            me->state_.router_answered(ticket, false);
          });
}

message<schema::RegistryDelta> block_executor::delta_of(
    const execution::router_update& update) const {
  if (!update.snapshot) return registry_delta(update.changes, update.from, update.to);
  return registry_snapshot(*state_.rows_at(update.rows), update.changes, update.to);
}

}  // namespace soma::validator
