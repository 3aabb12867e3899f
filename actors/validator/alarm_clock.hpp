// The time and the timers of one validator, on top of the clock actor. Timers have numbers, and
// each has at most one moment at which it fires. All timers share one wait at the clock actor, so
// that setting a timer often does not add waits. What must hold:
//   - A timer never fires early: it counts from a time that the clock reported after the timer was
//     set, on a clock that does not jump.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "actors/clock/clock_actor.hpp"
#include "actors/validator/validator_actor.hpp"

namespace soma::validator {

class alarm_clock : public std::enable_shared_from_this<alarm_clock> {
 public:
  /// `now_ms` is the Unix time. `due` lists the timers whose moment has come, in the order of their
  /// numbers; it may be empty.
  using wake = std::function<void(std::uint64_t now_ms, const std::vector<std::size_t>& due)>;

  alarm_clock(validator_actor::pointer self, clock::clock_actor clock, std::size_t timers,
              wake on_wake);

  /// Asks the clock for the time. `on_wake` is called with the answer.
  void look();
  /// Sets the timer to `after_ms` milliseconds from now. This replaces its earlier moment.
  void set(std::size_t timer, std::uint64_t after_ms);

 private:
  struct timer {
    std::optional<std::uint64_t> after_ms;  // set; counts from the clock's next answer
    std::optional<std::uint64_t> due_ms;
  };
  void woken(schema::Time::Reader time);
  void sleep();

  validator_actor::pointer self_;
  clock::clock_actor clock_;
  std::vector<timer> timers_;
  wake on_wake_;
  bool looking_ = false;
  std::uint64_t now_ms_ = 0;             // of the clock that does not jump
  std::multiset<std::uint64_t> sleeps_;  // the times at which the waits under way end
};

}  // namespace soma::validator
