// A whole network of validators in one process, in virtual time. Every node runs the agreement core
// of production. What surrounds the cores is simulated: links, disks, ledgers, execution and
// adversaries. A run is the execution of one plan, which follows from one seed. The safety checker
// looks at every event of a run, and the first violation ends the run.
// The same plan with the same options gives the same run, whatever compiler built the program; two
// runs are the same when their trace hashes are equal.
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

/// One line of the story of a run. `node_index` is `whole_network` when the line is about no single
/// node.
struct trace_line {
  std::uint64_t time_us = 0;  // since the start of the run
  std::uint32_t node_index = 0;
  std::string text;
};
inline constexpr std::uint32_t whole_network = 0xff;
using trace_sink = std::function<void(const trace_line&)>;

struct run_options {
  trace_sink trace;                      // without it no text of a trace line is made
  std::uint64_t max_events = 3'000'000;  // the violation "too many events" ends a longer run
};

struct outcome {
  bool ok = true;
  std::string violation;  // begins with the name of the invariant: "S1: ..."
  std::uint64_t events = 0;
  std::uint64_t virtual_ms = 0;
  std::uint64_t blocks = 0;  // of the longest ledger
  std::uint64_t epochs = 0;  // that were closed
  std::uint64_t crashes = 0;
  std::uint64_t recovery_ms = 0;  // from the healing until liveness had shown
  std::size_t max_held_bytes = 0;
  run_counts counts;
  std::uint64_t trace_hash = 0;
};

/// Executes the plan: from the start to the moment at which everything heals, and on until liveness
/// has shown. The first violation ends the run.
[[nodiscard]] outcome run(const fault_plan& p, const run_options& options = {});

struct engine;
struct toy_state;

/// The moment of a write, or of a commit to the ledger, at which a node stops.
enum class crash_point : std::uint8_t { before_durable, before_answer, after_answer, in_commit };

/// The network for handwritten scenarios, which advance its time and break what they want broken.
/// Nodes are numbered as in the plan. A number out of range fails an assertion.
class network {
 public:
  explicit network(fault_plan p, run_options options = {});
  ~network();
  network(network&&) noexcept;

  // ---- time
  [[nodiscard]] std::uint64_t now_ms() const;
  /// Handles the next event. False when a violation was found or no event is left.
  bool step();
  void run_for(std::uint64_t ms);
  /// Advances until `done` is true, which is asked after every event. False when `within_ms` have
  /// passed or a check failed.
  bool run_until(const std::function<bool(const network&)>& done, std::uint64_t within_ms);
  /// Advances until the ledger of every correct node that is up has `count` blocks more than the
  /// longest ledger has now. False as with run_until.
  bool run_blocks(std::uint64_t count, std::uint64_t within_ms);

  // ---- what breaks
  void crash(std::uint32_t node_index);
  /// Starts the node with its disk as it is. Nothing happens to a node that is up.
  void restart(std::uint32_t node_index);
  /// The node loses its voting record, or its ledger. Asserts that the node is down.
  void lose_record(std::uint32_t node_index);
  void lose_ledger(std::uint32_t node_index);
  /// Replaces the voting record by an older copy. Asserts that the node is down.
  void put_back(std::uint32_t node_index, voting_record older);
  /// The node stops at its count-th write from now on, or at its count-th commit.
  void crash_at(std::uint32_t node_index, crash_point where, std::uint32_t count = 1);
  /// The node stops at its first write from now on for which `such` is true.
  void crash_when(std::uint32_t node_index, crash_point where,
                  std::function<bool(const record_batch&)> such);
  void set_disk_full(std::uint32_t node_index, bool full);
  void set_bad_executor(std::uint32_t node_index, bool bad);
  void set_clock_offset(std::uint32_t node_index, std::int64_t ms);
  void set_clock_frozen(std::uint32_t node_index, bool frozen);
  /// Messages from `from` to `to` are lost from now on, not those in the other direction. Earlier
  /// cuts stay.
  void cut(node_set from, node_set to);
  /// Cuts both directions between `group` and all other nodes.
  void partition(node_set group);
  /// Takes back all cuts.
  void heal_network();
  void set_links(const link_rates& rates);
  void set_behaviours(std::uint32_t node_index, std::uint32_t behaviours);
  /// `f` is asked for every message and each of its receivers; true drops the message there.
  void set_filter(std::function<bool(std::uint32_t from, std::uint32_t to, const peer_message&)> f);
  /// `d` is asked for every message that travels and says by how many microseconds it is delayed.
  void set_delay(
      std::function<std::uint64_t(std::uint32_t from, std::uint32_t to, const peer_message&)> d);
  /// Sends a message that no core has sent, as if it came from `from`.
  void inject(std::uint32_t from, std::uint32_t to, std::shared_ptr<const peer_message> message);
  /// A vote signed with the node's key, for messages to inject. The safety checker learns of it.
  [[nodiscard]] member_vote signed_by(std::uint32_t node_index, const vote_statement& statement);
  /// Hands a new transfer to this node and returns the transfer's number, which is_final takes.
  std::uint64_t submit(std::uint32_t node_index);

  // ---- what can be seen
  [[nodiscard]] std::size_t size() const;
  /// Null while the node is down.
  [[nodiscard]] const consensus::simplex* core(std::uint32_t node_index) const;
  [[nodiscard]] std::uint64_t height(std::uint32_t node_index) const;  // of the node's ledger
  [[nodiscard]] epoch_number epoch(std::uint32_t node_index) const;    // of the node's ledger
  [[nodiscard]] block_ptr block_at(std::uint64_t height) const;        // of the longest ledger
  /// The durable voting record of the node.
  [[nodiscard]] const voting_record& record(std::uint32_t node_index) const;
  [[nodiscard]] bool is_final(std::uint64_t transaction) const;
  [[nodiscard]] const toy_state& state() const;                 // after the longest ledger
  [[nodiscard]] bool is_slashed(std::uint16_t identity) const;  // in the longest ledger
  [[nodiscard]] std::uint64_t evidence_reported() const;        // by correct nodes
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
