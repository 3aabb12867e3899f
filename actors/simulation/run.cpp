// Executes a plan from its start to its end. Before everything heals only safety is checked; after
// it liveness is checked, too (L1-L4). L5, and what chance seldom brings, is checked by scenarios.
#include <algorithm>
#include <utility>

#include "actors/simulation/simulator.hpp"

namespace soma::simulation {
namespace {

constexpr std::uint8_t watched_account = accounts - 2;  // no other transfer uses it

class ending {
 public:
  explicit ending(engine& e)
      : e_(e),
        goal_(e.all.height() + e.plan.blocks_after),
        epochs_(e.all.epochs_closed() + e.plan.epochs_after) {}

  /// Whether everything that has to happen after healing has happened.
  bool done() {
    const auto height = e_.all.height();
    if (!watched_) watch();
    if (height == seen_ && height != 0 && !recheck()) return false;
    seen_ = height;
    return height >= goal_ && e_.all.epochs_closed() >= epochs_ && is_resolved() && laggards() == 0;
  }

  /// Whether all nodes that may sign wait for a leader that is silent, in another view than when
  /// this was asked last. In about one of ten thousand networks chance draws ten such leaders in a
  /// row, and the timeout law then needs more time than the patience of any plan.
  bool waits_for_silent_leader() {
    const node* first = nullptr;
    for (const auto& n : e_.nodes) {
      if (!n->correct() || !n->up || !n->core->may_sign()) continue;
      if (first == nullptr || position_of(*n) > position_of(*first)) first = n.get();
    }
    if (first == nullptr) return false;
    if (std::exchange(excused_, position_of(*first)) == position_of(*first)) return false;
    const auto& members = first->core->members();
    const auto& key = members.key_of(members.leader(first->core->view()));
    return std::none_of(e_.nodes.begin(), e_.nodes.end(), [&](const auto& n) {
      return n->correct() && n->up && n->core->may_sign() && n->signer.key() == key;
    });
  }

  [[nodiscard]] std::string what_is_missing() const {
    if (e_.all.height() < goal_) return "L1: no new blocks after healing" + heights();
    if (laggards() != 0) return "L3: not everybody reaches the tip" + heights();
    if (e_.all.epochs_closed() < epochs_) return "L4: an epoch does not close" + heights();
    return "L2: a transaction is neither final nor void" + heights();
  }

 private:
  using position = std::pair<epoch_number, view_number>;
  [[nodiscard]] static position position_of(const node& n) {
    return {n.core->epoch(), n.core->view()};
  }

  // True for every 256th question, so that all is checked even if the longest ledger does not grow.
  bool recheck() { return ++asked_ % 256 == 0; }

  [[nodiscard]] std::uint32_t laggards() const {
    std::uint32_t mask = 0;
    for (const auto& n : e_.nodes) {
      if (n->correct() && !n->stopped && (!n->up || n->chain.height() < goal_)) {
        mask |= node_set{1} << n->node_index;
      }
    }
    return mask;
  }

  void watch() {
    for (const auto& n : e_.nodes) {
      if (!n->correct() || !n->up || n->stopped) continue;
      number_ = e_.submit(*n, watched_account);
      holder_ = n->node_index;
      watched_ = true;
      return;
    }
  }

  // L2: the watched transaction is final, or void because its last epoch is over.
  [[nodiscard]] bool is_resolved() const {
    if (!watched_) return false;
    const auto& t = e_.transactions[number_].transaction;
    const auto& state = *e_.all.tip_state();
    return state.nonces[t.from] > t.nonce || state.epoch > t.expiry;
  }

  [[nodiscard]] std::string heights() const {
    std::string text = ";";
    for (const auto& n : e_.nodes) {
      text += " " + std::to_string(n->node_index) + (n->correct() ? ":" : "!");
      if (!n->up) {
        text += "down";
        continue;
      }
      text += std::to_string(n->chain.height()) + "@" + std::to_string(n->core->epoch().value) +
              "." + std::to_string(n->core->view().value);
      if (n->core->fenced()) text += "f";
      if (n->core->mute()) text += "m";
    }
    return text;
  }

  engine& e_;
  std::uint64_t goal_;
  std::uint64_t epochs_;
  std::uint64_t seen_ = 0;
  std::uint64_t asked_ = 0;
  bool watched_ = false;
  position excused_;
  std::uint64_t number_ = 0;
  std::uint32_t holder_ = 0;
};

}  // namespace

outcome run(const fault_plan& p, const run_options& options) {
  engine e(p, options);
  while (!e.healed && e.step()) {
  }
  const auto healed_us = e.now_us;
  std::uint64_t recovery_ms = 0;
  if (e.healed && !e.all.violation()) {
    ending ends(e);
    auto until_us = healed_us + p.patience_ms * 1000;
    bool excused = false;
    while (!ends.done()) {
      if (!e.step()) break;
      if (e.now_us <= until_us) continue;
      const bool waits = ends.waits_for_silent_leader();
      if (!waits && !excused) {
        e.all.fail(ends.what_is_missing());
        break;
      }
      excused = waits;  // the next leader gets the time of a view, too
      until_us = e.now_us + 2 * p.options.max_view_timeout_ms * 1000;
    }
    recovery_ms = (e.now_us - healed_us) / 1000;
  }
  auto out = e.result();
  out.recovery_ms = recovery_ms;
  return out;
}

}  // namespace soma::simulation
