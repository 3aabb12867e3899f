// Runs one consensus core on one machine. The machine may be a validator's process, a simulated
// one, a member of a benchmark or a node of a test. It carries out single effects behind
// effect_ports; the runner alone decides the order. What must hold:
//   - The effects of an event are carried out in their order, all of them before the core takes the
//     next event.
//   - A result that is known while an effect is carried out becomes an event of its own. Such
//     events are taken in the order in which they came.
//   - After stop() no more effects are carried out, and the core takes no more events.
#pragma once

#include <deque>

#include "actors/consensus/simplex.hpp"

namespace soma::consensus {

/// The machine that a core runs on, with one function for each kind of effect. agreement.hpp says
/// what each effect asks for and which event answers it. An answer that is known at once is given
/// to runner::answer from inside the call, a later one to runner::run.
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

  /// Called after the core has taken this event and before its effects are carried out.
  virtual void on_step(const event&) {}
};

class runner {
 public:
  /// The machine must outlive the runner.
  runner(simplex core, effect_ports& machine);
  runner(const runner&) = delete;
  runner& operator=(const runner&) = delete;

  /// Gives the core one event, carries out all effects, and goes on with the events that they
  /// answer at once. Must not be called from inside an effect; answer() is for that.
  void run(event first, std::uint64_t now_ms);
  /// Gives the result of the effect that is being carried out. Only for calls from inside it.
  void answer(event what);
  /// May also be called from inside an effect.
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
