// The time and the timers of one validator, over the clock actor. Several timers by number, each
// with at most one moment; all share one wait, so that setting timers often costs no waits.
//   - A timer never rings early: it counts from a moment that the clock names after it was set, on
//     a clock that does not jump.
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
  /// The Unix time, and the timers whose moment has come, in the order of their numbers. The list
  /// may be empty.
  using wake = std::function<void(std::uint64_t now_ms, const std::vector<std::size_t>& due)>;

  alarm_clock(validator_actor::pointer self, clock::clock_actor clock, std::size_t timers,
              wake on_wake);

  /// `on_wake` follows soon.
  void look();
  /// Replaces the timer's earlier moment.
  void set(std::size_t timer, std::uint64_t after_ms);

 private:
  struct timer {
    std::optional<std::uint64_t> after_ms;  // set, and not yet counted from anywhere
    std::optional<std::uint64_t> due_ms;
  };
  void woken(schema::Time::Reader time);
  void sleep();

  validator_actor::pointer self_;
  clock::clock_actor clock_;
  std::vector<timer> timers_;
  wake on_wake_;
  bool looking_ = false;
  std::uint64_t now_ms_ = 0;             // that does not jump
  std::multiset<std::uint64_t> sleeps_;  // ends of the waits that are under way
};

}  // namespace soma::validator
