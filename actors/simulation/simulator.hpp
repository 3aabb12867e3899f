// The inside of the simulated network: the queue of events and what each event does. Only this
// folder includes it; callers use simulated_network.hpp.
#pragma once

#include "actors/simulation/event_queue.hpp"
#include "actors/simulation/node.hpp"

namespace soma::simulation {

class adversary;
using message_ptr = std::shared_ptr<const peer_message>;

/// The class of a message, by which the fault `slow_messages` delays: the index of its kind, or for
/// a vote vote_classes plus the kind of the vote.
[[nodiscard]] std::uint32_t class_of(const peer_message& m);
inline constexpr std::uint32_t vote_classes = 16;
[[nodiscard]] std::size_t size_of(const peer_message& m);
[[nodiscard]] std::uint64_t digest_of(const peer_message& m);
[[nodiscard]] std::string to_text(const peer_message& m);

enum class event_kind : std::uint8_t {
  start,
  message,
  connect,
  timer,
  write_done,
  commit_done,
  executed,
  execution_failed,
  fault_begins,
  fault_ends,
  fault_ticks,
  submit,
  gossip,
  adversary_acts,
  heal,
  wake,  // does nothing; the time of the run moves on to it
};

struct happening {
  event_kind kind{};
  std::uint8_t node_index = 0;
  std::uint8_t from = 0;
  std::uint32_t lifecycle = 0;
  std::uint64_t number = 0;  // a ticket, a timer's kind and generation, or a fault's index
  message_ptr message{};
};

struct engine {
  engine(fault_plan planned, run_options opts);
  ~engine();
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  // ---- time, simulator.cpp
  bool step();
  void handle(happening& h);
  [[nodiscard]] std::uint64_t now_ms() const { return now_us / 1000; }
  [[nodiscard]] std::uint64_t local_ms(const node& n) const;
  void after(std::uint64_t us, happening h) { queue.push(now_us + us, std::move(h)); }
  void feed(node& n, const consensus::event& e);
  void check_after(node& n, const consensus::event& e);
  template <class Text>
  void trace(std::uint32_t node_index, Text&& text) {
    if (options.trace) options.trace({now_us - genesis_ms * 1000, node_index, text()});
  }
  void note(std::uint64_t word) { hash = mix(hash ^ word); }

  // ---- start and end of a lifecycle, lifecycle.cpp
  void start(node& n);
  void crash(node& n, std::uint32_t writes_kept_permille = 0);
  void connect(node& a, node& b);
  void disconnect(node& a, node& b);
  void come_back(node& n, std::uint64_t after_ms);
  void lose_record(node& n);
  [[nodiscard]] std::uint16_t key_version_now(const node& n) const;
  bool crash_is_due(node& n, crash_point where, std::uint32_t permille,
                    const record_batch* write = nullptr);

  // ---- effects of the cores, simulator_effects.cpp
  void on(node& n, consensus::persist& e);
  void on(node& n, consensus::send& e);
  void on(node& n, consensus::set_timer& e);
  void on(node& n, consensus::execute& e);
  void on(node& n, consensus::commit& e);
  void on(node& n, consensus::base_moved& e);
  void on(node& n, consensus::report& e);
  void on(node& n, consensus::blame& e);
  void on(node& n, consensus::alarm& e);
  void write_done(node& n, std::uint64_t ticket);
  void make_durable(node& n, const record_batch& batch);
  void fail_writes(node& n);
  void commit_done(node& n);
  void append(node& n, const consensus::final_block& b);
  void check_sent(node& n, const peer_message& m);
  void check_justified(node& n, const record_batch& batch);

  // ---- links, simulator_network.cpp
  void broadcast(node& n, node_set to, const message_ptr& message);
  void deliver(std::uint32_t from, std::uint32_t to, const message_ptr& message,
               std::uint64_t extra_us = 0);
  void find_cuts();
  void arrive(const happening& h);
  void gossip(node& n, const signed_transaction& t);
  void pass_on(node& n, std::vector<signed_transaction> list);
  std::uint64_t submit(node& n, std::uint8_t account);

  // ---- faults, simulator_faults.cpp
  void begin(std::size_t number);
  void end(std::size_t number);
  void tick(std::size_t number);
  void heal();
  void cut_by(const fault& f, std::size_t number);

  [[nodiscard]] outcome result() const;
  [[nodiscard]] node_set everybody() const {
    return static_cast<node_set>((std::uint64_t{1} << nodes.size()) - 1);
  }

  fault_plan plan;
  run_options options;
  keyring keys;
  toy_chain toy;
  safety_checker all;
  std::vector<std::unique_ptr<node>> nodes;
  std::unique_ptr<adversary> the_adversary;
  event_queue<happening> queue;

  random_stream network_dice;
  random_stream local_dice;
  random_stream fault_dice;

  std::uint64_t now_us = genesis_ms * 1000;
  std::uint64_t events = 0;
  std::uint64_t hash = 0;
  std::uint64_t crashes = 0;
  run_counts counts;
  bool healed = false;

  std::array<node_set, max_nodes> blocked{};      // by sender: nodes that do not hear it
  std::array<node_set, max_nodes> manual_cuts{};  // the same, by scenarios
  std::array<node_set, max_nodes> no_connection{};
  // By fault: whether it is on, the phase of one that comes and goes, the nodes that it hits now.
  std::vector<bool> active;
  std::vector<bool> phase;
  std::vector<node_set> group;
  std::uint32_t slow_classes = 0;
  link_rates links;
  local_rates local;
  std::function<bool(std::uint32_t, std::uint32_t, const peer_message&)> filter;
  std::function<std::uint64_t(std::uint32_t, std::uint32_t, const peer_message&)> delay;

  struct submitted {
    toy_transaction transaction;
    std::uint64_t name = 0;
  };
  std::vector<submitted> transactions;
  std::set<std::uint64_t> final_names;
  std::uint64_t reported = 0;
};

/// The machine under one node: the engine applies the effects of its core.
class simulated_machine final : public consensus::effect_ports {
 public:
  simulated_machine(engine& of, node& at) : engine_(of), node_(at) {}
  void on_step(const consensus::event& e) override {
    ++node_.steps;
    engine_.check_after(node_, e);
  }
  void apply(consensus::persist wanted) override { engine_.on(node_, wanted); }
  void apply(consensus::send wanted) override { engine_.on(node_, wanted); }
  void apply(consensus::set_timer wanted) override { engine_.on(node_, wanted); }
  void apply(consensus::execute wanted) override { engine_.on(node_, wanted); }
  void apply(consensus::commit wanted) override { engine_.on(node_, wanted); }
  void apply(consensus::base_moved wanted) override { engine_.on(node_, wanted); }
  void apply(consensus::report wanted) override { engine_.on(node_, wanted); }
  void apply(consensus::blame wanted) override { engine_.on(node_, wanted); }
  void apply(consensus::alarm wanted) override { engine_.on(node_, wanted); }

 private:
  engine& engine_;
  node& node_;
};

}  // namespace soma::simulation
