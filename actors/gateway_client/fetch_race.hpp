// Several gateways that are asked the same question for rows, each on a thread of its own. The
// caller takes their answers in the order in which they come. What must hold:
//   - A gateway is asked one question at a time. One that the caller has given up goes on in the
//     background, and ends within the limits of the gateway's port. Nobody gets its answer; that it
//     failed can be learnt.
//   - What comes back are bytes. Nothing is checked here, and nobody is blamed.
// It belongs to one thread, and its ports must not be used otherwise.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "actors/gateway_client/fetch_port.hpp"

namespace soma::gateway_client {

using rows_question = message<schema::GetProvenRows>;

class fetch_race {
 public:
  struct runner {
    std::function<fetched(const rows_question&)> ask;
    std::function<void()> cancel;  // ends the present question and all later ones, from any thread
  };
  struct finished {
    std::size_t which = 0;
    fetched answer;
    std::uint64_t took_ms = 0;
  };

  explicit fetch_race(std::vector<runner> runners);
  /// Cancels the questions that are under way, and waits for their ends.
  ~fetch_race();
  fetch_race(const fetch_race&) = delete;
  fetch_race& operator=(const fetch_race&) = delete;

  /// Whether a question that was given up is still under way.
  [[nodiscard]] bool is_busy(std::size_t which) const;
  /// Asks a gateway. If it is busy, this waits until it is not.
  void start(std::size_t which, const rows_question& question);
  /// The gateways that were started and whose answers have not been taken.
  [[nodiscard]] std::vector<std::size_t> running() const;
  /// The milliseconds for which this gateway has been asked.
  [[nodiscard]] std::uint64_t asked_for_ms(std::size_t which) const;
  /// The first answer that comes within so many milliseconds. Asserts that one is running.
  [[nodiscard]] std::optional<finished> wait(std::uint64_t ms);
  /// Gives up all questions whose answers have not been taken.
  void give_up();
  /// The gateways that gave no answer to a question that was given up, since the last call.
  [[nodiscard]] std::vector<std::pair<std::size_t, fetch_error>> late_failures();

 private:
  struct lane;
  std::vector<std::unique_ptr<lane>> lanes_;
  mutable std::mutex mutex_;
  std::condition_variable came_;
};

}  // namespace soma::gateway_client
