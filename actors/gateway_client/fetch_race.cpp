#include "actors/gateway_client/fetch_race.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "messages/values/assert.hpp"

namespace soma::gateway_client {

using race_clock = std::chrono::steady_clock;

/// One gateway. The thread is joined before another one begins. The lock of the race guards what
/// both threads use.
struct fetch_race::lane {
  runner by;
  std::thread thread;
  race_clock::time_point began;
  bool is_wanted = false;            // the caller waits for the answer
  bool is_asking = false;            // the thread has not ended its question
  std::optional<finished> answered;  // not taken yet
  std::optional<fetch_error> failed_late;
};

fetch_race::fetch_race(std::vector<runner> runners) {
  for (auto& one : runners) {
    lanes_.push_back(std::make_unique<lane>());
    lanes_.back()->by = std::move(one);
  }
}

fetch_race::~fetch_race() {
  for (const auto& one : lanes_) {
    if (one->thread.joinable() && one->by.cancel) one->by.cancel();
  }
  for (const auto& one : lanes_) {
    if (one->thread.joinable()) one->thread.join();
  }
}

bool fetch_race::is_busy(std::size_t which) const {
  const std::lock_guard lock(mutex_);
  return lanes_[which]->is_asking && !lanes_[which]->is_wanted;
}

void fetch_race::start(std::size_t which, const rows_question& question) {
  auto& to = *lanes_[which];
  SOMA_ASSERT(!to.is_wanted, "a gateway is asked one question at a time");
  if (to.thread.joinable()) to.thread.join();
  to.began = race_clock::now();
  to.is_wanted = to.is_asking = true;
  to.answered.reset();
  to.thread = std::thread([this, &to, which, question] {
    auto answer = to.by.ask(question);
    const auto took_ms = asked_for_ms(which);
    const std::lock_guard lock(mutex_);
    to.is_asking = false;
    if (!to.is_wanted && !answer) to.failed_late.emplace(std::move(answer.error()));
    if (to.is_wanted) to.answered.emplace(finished{which, std::move(answer), took_ms});
    came_.notify_all();
  });
}

std::vector<std::size_t> fetch_race::running() const {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (lanes_[i]->is_wanted) all.push_back(i);
  }
  return all;
}

std::uint64_t fetch_race::asked_for_ms(std::size_t which) const {
  using std::chrono::milliseconds;
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<milliseconds>(race_clock::now() - lanes_[which]->began).count());
}

std::optional<fetch_race::finished> fetch_race::wait(std::uint64_t ms) {
  SOMA_ASSERT(!running().empty(), "somebody is asked");
  std::unique_lock lock(mutex_);
  const auto has_answer = [](const auto& one) { return one->answered.has_value(); };
  came_.wait_for(lock, std::chrono::milliseconds(ms),
                 [&] { return std::ranges::any_of(lanes_, has_answer); });
  const auto found = std::ranges::find_if(lanes_, has_answer);
  if (found == lanes_.end()) return std::nullopt;
  (*found)->is_wanted = false;
  return std::exchange((*found)->answered, std::nullopt);
}

std::vector<std::pair<std::size_t, fetch_error>> fetch_race::late_failures() {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<std::size_t, fetch_error>> all;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (auto why = std::exchange(lanes_[i]->failed_late, std::nullopt)) {
      all.emplace_back(i, std::move(*why));
    }
  }
  return all;
}

void fetch_race::give_up() {
  const std::lock_guard lock(mutex_);
  for (const auto& one : lanes_) {
    one->is_wanted = false;
    one->answered.reset();
  }
}

}  // namespace soma::gateway_client
