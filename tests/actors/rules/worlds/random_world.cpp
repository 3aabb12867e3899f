#include "tests/actors/rules/worlds/random_world.hpp"

#include <csetjmp>
#include <csignal>
#include <functional>

#include "tests/actors/rules/worlds/actors.hpp"
#include "tests/actors/rules/worlds/people.hpp"
#include "tests/actors/rules/worlds/random_genesis.hpp"
#include "tests/actors/rules/worlds/violation.hpp"

namespace soma::test {
namespace {

thread_local sigjmp_buf after_abort;
thread_local volatile std::sig_atomic_t expects_abort = 0;

extern "C" void on_abort(int) {
  if (expects_abort != 0) siglongjmp(after_abort, 1);
}

/// Runs `what` and returns whether it aborted. A failed assertion of the rules aborts; here it ends
/// the world. Memory of the world is leaked then, which does no harm, because the failure ends the
/// run.
bool aborts(const std::function<void()>& what) {
  static const bool installed = [] {
    struct sigaction action {};
    action.sa_handler = on_abort;
    return sigaction(SIGABRT, &action, nullptr) == 0;
  }();
  expects_abort = 1;
  const bool aborted = sigsetjmp(after_abort, 1) != 0;
  if (!aborted && installed) what();
  expects_abort = 0;
  return aborted;
}

/// Lets all people leave: first validators and models, an epoch later the stakes.
class farewell {
 public:
  explicit farewell(world& w) : w_(w) {}

  void run() {
    for (const auto& [who, row] : w_.rows().validators.rows) {
      if (row.wants_seat) send(who, tx::leave_committee{});
    }
    for (const auto& [id, row] : w_.rows().models.rows) {
      if (row.status != model_status::inactive && !row.retiring)
        send(row.owner, tx::retire_model{id});
    }
    end_epoch();
    std::map<stake_position, std::uint64_t> left;
    for (const auto& [position, row] : w_.rows().stakes.rows) {
      if (row.shares > 0) left[position] = row.shares;
    }
    for (const auto& [who, row] : w_.rows().validators.rows) {
      if (row.pool.owner_shares > 0) left[{who, who}] = row.pool.owner_shares;
    }
    for (const auto& [id, row] : w_.rows().models.rows) {
      if (row.pool.owner_shares > 0) left[{id, row.owner}] = row.pool.owner_shares;
    }
    for (const auto& [position, shares] : left)
      send(position.holder, tx::withdraw_stake{position.pool, shares});
    end_epoch();
    const auto kept = kept_pools(left);
    const auto quiet = 4 + w_.genesis().parameters.max_audit_extensions;
    for (std::uint32_t i = 0; i < quiet; ++i) end_epoch();
    check(kept);
  }

 private:
  void send(const address& who, transaction_kind body) {
    const auto person = person_at(who);
    if (!person) throw violation("only persons own anything");
    step s;
    s.serial = (std::uint64_t{1} << 40) + serial_++;
    s.sender = *person;
    s.body = std::move(body);
    s.size_bytes = 100;
    w_.take(s);
  }
  void end_epoch() {
    step s;
    s.kind = step::what::block;
    s.time_step_ms = w_.genesis().parameters.epoch_ms;
    w_.take(s);
    must(w_.last().epoch_closed, "an epoch ends when its time is over");
  }
  /// The pools that keep shares because their holders could not pay the fee for leaving.
  std::set<pool_owner> kept_pools(const std::map<stake_position, std::uint64_t>& left) const {
    std::set<pool_owner> kept;
    const auto& outcomes = w_.last().outcomes;
    must(outcomes.size() == left.size(), "each withdrawal has an outcome");
    std::size_t i = 0;
    for (const auto& [position, shares] : left) {
      const auto reason = outcomes[i++].reason;
      if (!reason) continue;
      using rules::refusal;
      must(reason == refusal::base_fee_unaffordable || reason == refusal::fee_unaffordable ||
               reason == refusal::arithmetic_overflow || reason == refusal::own_stake_needed ||
               reason == refusal::nonce_too_high,
           "whoever can pay the fee can leave");
      kept.insert(position.pool);
    }
    return kept;
  }
  void check(const std::set<pool_owner>& kept) const {
    w_.recount();
    w_.check_empty();
    for (const auto& [id, row] : w_.rows().targets.rows) {
      must(row.status != target_status::filled && row.status != target_status::revealed,
           "every target ends in one of three states");
    }
    const auto look = [&](const pool_owner& whose, const stake_pool& pool) {
      must(kept.contains(whose) || (pool.shares == 0 && pool.stake.value == 0),
           "all stake has come back");
    };
    for (const auto& [id, row] : w_.rows().validators.rows) look(id, row.pool);
    for (const auto& [id, row] : w_.rows().models.rows) look(id, row.pool);
  }

  world& w_;
  std::uint64_t serial_ = 0;
};

world_report guarded(std::uint64_t seed, const soma::genesis& genesis, const strictness& how,
                     const std::function<void(world&)>& steps) {
  world_report report;
  auto w = std::make_unique<world>(seed, genesis, how);
  try {
    if (aborts([&] { steps(*w); })) {
      report.broken = "an assertion of the rules failed";
    }
  } catch (const std::exception& e) {
    report.broken = e.what();
  }
  report.height = w->rows().chain.height;
  report.transactions = w->seen().transactions;
  report.seen = w->seen();
  report.seen.steps = w->steps();
  report.seen.samples = w->samples();
  return report;
}

}  // namespace

world_report live(std::uint64_t seed, std::uint64_t transactions, const strictness& how,
                  script* record) {
  const auto genesis = random_genesis(seed);
  if (record != nullptr) *record = {seed, genesis, {}};
  return guarded(seed, genesis, how, [&](world& w) {
    actors people(w);
    while (w.seen().transactions < transactions) {
      for (auto& each : people.next_block()) {
        if (record != nullptr) record->steps.push_back(each);
        w.take(each);
      }
    }
    farewell(w).run();
  });
}

world_report replay(const script& steps, const strictness& how) {
  return guarded(steps.seed, steps.genesis, how, [&](world& w) {
    for (const auto& each : steps.steps) w.take(each);
    farewell(w).run();
  });
}

script shrunk(script steps, const strictness& how, std::size_t tries) {
  for (std::size_t chunk = steps.steps.size() / 2; chunk > 0; chunk /= 2) {
    for (std::size_t at = 0; at < steps.steps.size() && tries > 0; --tries) {
      script fewer = steps;
      const auto first = fewer.steps.begin() + static_cast<std::ptrdiff_t>(at);
      const auto last =
          first + static_cast<std::ptrdiff_t>(std::min(chunk, fewer.steps.size() - at));
      fewer.steps.erase(first, last);
      if (replay(fewer, how).broken) {
        steps = std::move(fewer);
      } else {
        at += chunk;
      }
    }
  }
  return steps;
}

}  // namespace soma::test
