// Runs one agreement core on one machine. The machine may be a validator's process, a simulated
// one, a member of a benchmark or a node of a test: what differs between them is behind
// effect_ports, and the order in which things happen is decided here alone. What must hold:
//   - The effects of an event are carried out in their order, all of them before the core takes the
//     next event.
//   - What an effect leads to at once is an event of its own, in the order in which it came.
//   - After stop() nothing more is carried out, and the core takes no event any more.
#pragma once

#include <deque>

#include "actors/consensus/simplex.hpp"

namespace soma::consensus {

/// The machine that a core runs on: one function carries out each kind of effect. agreement.hpp
/// says what each effect asks for and which event answers it. An answer that is known at once is
/// given to runner::answer from inside the call, a later one to runner::run.
struct effect_ports {
  virtual ~effect_ports() = default;
  virtual void apply(persist wanted) = 0;
  virtual void apply(send wanted) = 0;
  virtual void apply(set_timer wanted) = 0;
  virtual void apply(execute wanted) = 0;
  virtual void apply(commit wanted) = 0;
  virtual void apply(base_moved wanted) = 0;
  virtual void apply(report wanted) = 0;
  virtual void apply(blame wanted) = 0;
  virtual void apply(alarm wanted) = 0;

  /// The core has taken this event. What it wants is carried out next.
  virtual void on_step(const event&) {}
};

class runner {
 public:
  /// The machine outlives the runner.
  runner(simplex core, effect_ports& machine);
  runner(const runner&) = delete;
  runner& operator=(const runner&) = delete;

  /// One event, all of its effects, and all that follows from them at once. Not from inside of an
  /// effect: that is what answer() is for.
  void run(event first, std::uint64_t now_ms);
  /// What came at once of the effect that is being carried out.
  void answer(event what);
  /// From inside of an effect, too.
  void stop() { stopped_ = true; }

  [[nodiscard]] bool is_running() const { return running_; }
  [[nodiscard]] bool is_stopped() const { return stopped_; }
  [[nodiscard]] const simplex& core() const { return core_; }

 private:
  simplex core_;
  effect_ports& machine_;
  std::deque<event> events_;
  bool running_ = false;
  bool stopped_ = false;
};

}  // namespace soma::consensus
