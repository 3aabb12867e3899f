#include "actors/validator/block_executor.hpp"

#include "actors/validator/registry_delta.hpp"
#include "messages/crypto/transactions.hpp"

namespace soma::actors {
namespace {

/// Of one chain above the last committed block; the agreement stops far below.
constexpr std::size_t max_ancestors = 1'024;

}  // namespace

block_executor::block_executor(validator_actor::pointer self, target_generator_actor generator,
                               std::shared_ptr<storage::ledger_store> ledger, const genesis& born)
    : self_(self),
      generator_(std::move(generator)),
      ledger_(std::move(ledger)),
      dim_(born.parameters.architecture.dim),
      state_(*ledger_, born) {}

void block_executor::execute(const block_ptr& candidate, on_result done) {
  auto work = std::make_shared<job>();
  work->todo.push_back(candidate);
  work->done = std::move(done);
  go_on(work);
}

void block_executor::go_on(const std::shared_ptr<job>& work) {
  for (;;) {
    const auto candidate = work->todo.front();
    auto begun = state_.begin(candidate);
    if (!begun) {
      const auto parent = executed_.find(candidate->whole.header.parent);
      if (begun.error() != speculation_trouble::unknown_parent || parent == executed_.end() ||
          work->todo.size() >= max_ancestors) {
        return work->done(std::nullopt);
      }
      work->todo.push_front(parent->second);
      continue;
    }
    if (auto* run = std::get_if<speculation::run>(&*begun)) return draw(work, std::move(*run));
    const auto& result = std::get<consensus::execution_result>(*begun);
    note(candidate, result);
    work->todo.pop_front();
    if (work->todo.empty()) return work->done(result);
  }
}

/// A block that follows, under the id it has with its result: a draft's is known only now.
void block_executor::note(const block_ptr& candidate, const consensus::execution_result& result) {
  if (!result.follows) return;
  auto whole = *candidate;
  whole.whole.header = consensus::complete(whole.whole.header, result);
  whole.id = crypto::id_of(whole.whole.header);
  const auto id = whole.id;
  if (!executed_.contains(id)) {
    executed_.emplace(id, id == candidate->id
                              ? candidate
                              : std::make_shared<const named_block>(std::move(whole)));
  }
}

/// The target generator draws; the rules assign. A registry that has lost its place gets a snapshot
/// and another try.
void block_executor::draw(const std::shared_ptr<job>& work, speculation::run&& begun) {
  const auto update = state_.router_for(begun);
  auto run = std::make_shared<speculation::run>(std::move(begun));
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
            if (reply.root().getRefusal() != 0) return again();
            const auto drawn = drawn_targets(run->draws(), reply.root());
            const auto candidate = run->candidate();
            const auto result = me->state_.finish(std::move(*run), drawn);
            if (!result && result.error() == speculation_trouble::bad_draws) return again();
            me->state_.router_answered(ticket, true);
            if (!result) return work->done(std::nullopt);
            me->note(candidate, *result);
            work->todo.pop_front();
            if (work->todo.empty()) return work->done(*result);
            me->go_on(work);
          },
          [again](caf::error&) { again(); });
}

void block_executor::commit(std::vector<consensus::final_block> blocks, on_block told,
                            std::function<void()> done) {
  auto work = std::make_shared<commitment>();
  for (auto& b : blocks) work->blocks.push_back(std::move(b));
  work->told = std::move(told);
  work->done = std::move(done);
  go_on(work);
}

/// Block and effects in one storage transaction, both here and there.
void block_executor::go_on(const std::shared_ptr<commitment>& work) {
  while (!work->blocks.empty()) {
    const auto next = work->blocks.front();
    if (state_.find(next.what->id) == nullptr) {
      return execute(next.what, [me = shared_from_this(), work](const auto& result) {
        SOMA_ASSERT(!result || result->follows, "what is final has been executed before");
        if (result) return me->go_on(work);
        me->stalled_ = work;  // some role is gone for the moment
      });
    }
    work->blocks.pop_front();
    const auto version = state_.chain().registry_version;
    const auto done = state_.commit(next.what->id);
    ledger_->commit_block(next.what->whole, done.changes, done.events, next.final, next.epoch_end);
    std::erase_if(executed_, [&](const auto& one) {
      return one.second->whole.header.height <= next.what->whole.header.height;
    });
    work->told(next, done, version);
  }
  tell_router(false);
  work->done();
}

void block_executor::try_again() {
  if (const auto work = std::exchange(stalled_, nullptr)) go_on(work);
}

void block_executor::tell_router(bool again) {
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
            const bool taken = reply.root().getRefusal() == 0;
            me->state_.router_answered(ticket, taken);
            if (!taken && !again) me->tell_router(true);
          },
          [me = shared_from_this(), ticket = update->ticket](caf::error&) {
            me->state_.router_answered(ticket, false);
          });
}

message<schema::RegistryDelta> block_executor::delta_of(const router_update& update) const {
  if (!update.snapshot) return registry_delta(update.changes, update.from, update.to);
  return registry_snapshot(*state_.rows_at(update.rows), update.changes, update.to);
}

}  // namespace soma::actors
