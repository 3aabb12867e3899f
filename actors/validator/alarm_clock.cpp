#include "actors/validator/alarm_clock.hpp"

#include <algorithm>

namespace soma::validator {
namespace {

constexpr std::uint64_t longest_wait_ms = 3'600'000;

}  // namespace

alarm_clock::alarm_clock(validator_actor::pointer self, clock::clock_actor clock,
                         std::size_t timers, wake on_wake)
    : self_(self), clock_(std::move(clock)), timers_(timers), on_wake_(std::move(on_wake)) {}

void alarm_clock::look() {
  if (looking_) return;
  looking_ = true;
  self_->request(clock_, caf::infinite, message<schema::Wait>{})
      .then([me = shared_from_this()](const message<schema::Time>& time) {
        me->looking_ = false;
        me->woken(time.root());
      });
}

void alarm_clock::set(std::size_t which, std::uint64_t after_ms) {
  SOMA_ASSERT(which < timers_.size(), "a timer that this clock has");
  timers_[which] = {after_ms, std::nullopt};
  look();
}

void alarm_clock::woken(schema::Time::Reader time) {
  now_ms_ = std::max(now_ms_, time.getSteadyMs());
  std::vector<std::size_t> due;
  for (std::size_t i = 0; i < timers_.size(); ++i) {
    auto& t = timers_[i];
    if (t.after_ms) t.due_ms = now_ms_ + std::min(*t.after_ms, longest_wait_ms * 1'000);
    t.after_ms.reset();
    if (!t.due_ms || *t.due_ms > now_ms_) continue;
    t.due_ms.reset();
    due.push_back(i);
  }
  on_wake_(time.getUnixMs(), due);
  sleep();
}

/// Starts a wait until the earliest moment, unless a wait is under way that ends no later.
void alarm_clock::sleep() {
  std::optional<std::uint64_t> next;
  for (const auto& t : timers_) {
    if (t.due_ms && (!next || *t.due_ms < *next)) next = t.due_ms;
  }
  if (!next || (!sleeps_.empty() && *sleeps_.begin() <= *next)) return;
  const auto left = std::min(*next - now_ms_, longest_wait_ms);
  const auto end = now_ms_ + left;
  sleeps_.insert(end);
  self_
      ->request(clock_, caf::infinite, message<schema::Wait>::build([&](auto out) {
                  out.setMs(static_cast<std::uint32_t>(std::max<std::uint64_t>(left, 1)));
                }))
      .then([me = shared_from_this(), end](const message<schema::Time>& awake) {
        me->sleeps_.erase(me->sleeps_.find(end));
        me->woken(awake.root());
      });
}

}  // namespace soma::validator
