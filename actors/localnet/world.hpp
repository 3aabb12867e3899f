// A world is a process in which a whole network runs in virtual time, on a schedule that depends on
// its inputs alone. One thread drives all actors. Time moves on only at quiet moments, when no
// actor has anything left to do. Blocking work is collected until the next quiet moment and then
// runs on several threads at once; its results are delivered in the order in which the work was
// asked for. So the same seed and data give the same messages in the same order, however fast the
// machine is.
#pragma once

#include <caf/actor_system.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "actors/background/background_actor.hpp"
#include "actors/clock/clock_actor.hpp"
#include "actors/cluster/system_config.hpp"

namespace soma::localnet {

struct world_jobs;

class world {
 public:
  /// `threads` run blocking work; `start_ms` is the Unix time at which the world begins.
  world(unsigned threads, std::uint64_t start_ms);
  ~world();
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  [[nodiscard]] caf::actor_system& system() { return system_; }
  [[nodiscard]] const clock::clock_actor& clock() const { return clock_; }
  [[nodiscard]] std::uint64_t now_ms();
  /// Jobs of one such actor run one after the other; jobs of several actors run at the same time.
  [[nodiscard]] background::background_actor new_background();

  /// What went wrong with the machine itself, such as a full disk: the first blocking work that
  /// threw, the first watched role that ended with an error, or what note_fault() was told first.
  /// Empty if nothing did. A role that copes with such a fault would let the run go on with another
  /// result than on a machine that works.
  [[nodiscard]] const std::string& fault() const;
  void note_fault(const std::string& why);
  /// Notes it as a fault if the role ends with an error. `name` is for people: "the blob store".
  void watch(std::string name, const caf::actor& role);

  enum class stop_reason : std::uint8_t { done, interrupted, stalled, out_of_time };
  /// Runs until `done` is true, which is asked at every quiet moment. `stalled` means that no
  /// message, timer or work is left, so that nothing can happen any more.
  stop_reason run_until(const std::function<bool()>& done, const std::function<bool()>& interrupted,
                        std::uint64_t until_ms);

  /// Sends a request from outside and runs the world until the answer has come. Throws
  /// std::runtime_error when the answer is an error.
  template <class Reply, class Handle, class Request>
  message<Reply> ask(const Handle& role, const message<Request>& request);

 private:
  void settle();    // runs actors and blocking work until neither is left
  bool run_jobs();  // false when there were none
  caf::scheduler::test_coordinator& scheduler();
  void fail(const caf::error& why);

  cluster::system_config config_;
  caf::actor_system system_;
  unsigned threads_;
  std::uint64_t start_ms_;
  std::shared_ptr<world_jobs> jobs_;
  clock::clock_actor clock_;
};

}  // namespace soma::localnet

#include "actors/localnet/world_ask.hpp"
