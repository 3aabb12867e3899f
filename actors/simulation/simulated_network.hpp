// A whole network of agreement cores in one process: virtual time, one seed, and the production
// core at every node. What surrounds the cores (network, disks, ledgers, execution, adversaries)
// is simulated; what has to hold is checked as the run goes, and the first violation ends it.
//   same plan, same options -> the same run, told by its trace hash, whatever compiler built it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/consensus/simplex.hpp"
#include "actors/simulation/coverage.hpp"
#include "actors/simulation/fault_plan.hpp"

namespace soma::simulation {

/// One thing that happened. Node `whole_network`: to the network as a whole.
struct trace_line {
  std::uint64_t time_us = 0;  // since the start
  std::uint32_t node_index = 0;
  std::string text;
};
inline constexpr std::uint32_t whole_network = 0xff;
using trace_sink = std::function<void(const trace_line&)>;

struct run_options {
  trace_sink trace;                      // text is made only if there is one
  std::uint64_t max_events = 3'000'000;  // more is a violation of its own: "too many events"
};

struct outcome {
  bool ok = true;
  std::string violation;  // "S1: ..." names the invariant first
  std::uint64_t events = 0;
  std::uint64_t virtual_ms = 0;
  std::uint64_t blocks = 0;  // of the longest ledger
  std::uint64_t epochs = 0;  // closed
  std::uint64_t crashes = 0;
  std::uint64_t recovery_ms = 0;  // from healing until liveness had shown
  std::size_t max_held_bytes = 0;
  run_counts counts;
  std::uint64_t trace_hash = 0;
};

/// From the start to healing, and on until liveness has shown, or to the first violation.
[[nodiscard]] outcome run(const fault_plan& p, const run_options& options = {});

struct engine;
struct toy_state;

/// Where in the life of a write a process is to stop.
enum class crash_point : std::uint8_t { before_durable, before_answer, after_answer, in_commit };

/// For handwritten scenarios. Nodes as in the plan; all numbers are asserted to be in range.
class network {
 public:
  explicit network(fault_plan p, run_options options = {});
  ~network();
  network(network&&) noexcept;

  // ---- time
  [[nodiscard]] std::uint64_t now_ms() const;
  /// The next event. False: a violation was found, or nothing is left to happen.
  bool step();
  void run_for(std::uint64_t ms);
  /// Until `done`, asked after every event; false when `within_ms` have passed or a check failed.
  bool run_until(const std::function<bool(const network&)>& done, std::uint64_t within_ms);
  /// Until every correct process that runs has this many blocks more than the longest ledger now.
  bool run_blocks(std::uint64_t count, std::uint64_t within_ms);

  // ---- what breaks
  void crash(std::uint32_t node_index);
  /// With its disk as it is. A node that runs is left alone.
  void restart(std::uint32_t node_index);
  void lose_record(std::uint32_t node_index);  // both: only while it is down
  void lose_ledger(std::uint32_t node_index);
  void put_back(std::uint32_t node_index, voting_record older);  // an older copy of its record
  /// The node stops at its count-th write (or commit) from now on.
  void crash_at(std::uint32_t node_index, crash_point where, std::uint32_t count = 1);
  /// At the first write from now on of which `such` is true.
  void crash_when(std::uint32_t node_index, crash_point where,
                  std::function<bool(const record_batch&)> such);
  void set_disk_full(std::uint32_t node_index, bool full);
  void set_bad_executor(std::uint32_t node_index, bool bad);
  void set_clock_offset(std::uint32_t node_index, std::int64_t ms);
  void set_clock_frozen(std::uint32_t node_index, bool frozen);
  void cut(node_set from, node_set to);  // one way; replaces nothing
  void partition(node_set group);        // group | rest
  void heal_network();                   // no cut is left
  void set_links(const link_rates& rates);
  void set_behaviours(std::uint32_t node_index, std::uint32_t behaviours);
  /// Asked for every message that a node sends, for every receiver: true drops it.
  void set_filter(std::function<bool(std::uint32_t from, std::uint32_t to, const peer_message&)> f);
  /// Asked for every message that travels: microseconds that it takes longer.
  void set_delay(
      std::function<std::uint64_t(std::uint32_t from, std::uint32_t to, const peer_message&)> d);
  /// A message out of nowhere, as if from `from`.
  void inject(std::uint32_t from, std::uint32_t to, std::shared_ptr<const peer_message> message);
  /// What the key of the node says of a vote; for messages to inject. The checkers take note of it.
  [[nodiscard]] member_vote signed_by(std::uint32_t node_index, const vote_statement& statement);
  /// A transfer handed to this node; its number for is_final.
  std::uint64_t submit(std::uint32_t node_index);

  // ---- what can be seen
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] const consensus::simplex* core(std::uint32_t node_index) const;  // null: down
  [[nodiscard]] std::uint64_t height(std::uint32_t node_index) const;            // of its ledger
  [[nodiscard]] epoch_number epoch(std::uint32_t node_index) const;              // of its ledger
  [[nodiscard]] block_ptr block_at(std::uint64_t height) const;  // of the longest ledger
  [[nodiscard]] const voting_record& record(std::uint32_t node_index) const;  // what is durable
  [[nodiscard]] bool is_final(std::uint64_t transaction) const;
  [[nodiscard]] const toy_state& state() const;                 // after the longest ledger
  [[nodiscard]] bool is_slashed(std::uint16_t identity) const;  // in the longest ledger
  [[nodiscard]] std::uint64_t evidence_reported() const;        // by correct processes
  [[nodiscard]] std::uint64_t sent_bytes(std::uint32_t node_index) const;
  [[nodiscard]] std::uint64_t sent_messages(std::uint32_t node_index) const;
  [[nodiscard]] const run_counts& counts() const;
  [[nodiscard]] std::uint64_t trace_hash() const;
  [[nodiscard]] const std::optional<std::string>& violation() const;
  [[nodiscard]] outcome result() const;

 private:
  std::unique_ptr<engine> engine_;
};

}  // namespace soma::simulation
