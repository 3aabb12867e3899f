// Everything that a run of the simulated network will meet, drawn from one seed and then fixed:
// who is there, who sits in which committee, what breaks when. A plan is data: it can be printed,
// compared, and made smaller by hand or by a program (drop a fault, clear a behaviour, zero a rate)
// and run again.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "actors/consensus/simplex.hpp"

namespace soma::simulation {

/// Processes of the network are numbered; a set of them is a mask.
using node_set = std::uint32_t;
inline constexpr std::size_t max_nodes = 24;

/// What one process does to harm the others, in any combination. Such a process runs an honest core
/// and bends what goes out, and adds to it; it signs with its own key alone.
enum class behaviour : std::uint32_t {
  equivocate = 1,      // as leader: two or three blocks to disjoint sets, parents of all kinds
  vote_for_all = 2,    // every vote for every block it has seen, to random subsets
  withhold = 4,        // most of its own messages go to a few, or much later
  forge = 8,           // wrong signatures, other chain, other epoch, garbage certificates
  replay = 16,         // old messages of anybody, reflected own votes
  false_answers = 32,  // to requests: wrong payload, stale certificates, lies about heights
  far_votes = 64,      // votes for views far ahead: pressure on memory
  silent = 128,        // nothing goes out
  twin = 256,          // a second honest core with the key of another process; set at both
};
inline constexpr std::size_t behaviour_kinds = 9;
[[nodiscard]] std::string_view to_text(behaviour which);

struct node_plan {
  std::uint16_t identity = 0;    // whose keys it holds
  std::uint32_t behaviours = 0;  // of `behaviour`; 0: correct
  std::uint64_t start_ms = 0;
  std::int64_t clock_offset_ms = 0;  // constant, within the drift at correct ones
  friend bool operator==(const node_plan&, const node_plan&) = default;
};

struct seat_plan {
  std::uint16_t identity = 0;
  std::uint16_t key_version = 0;
  std::uint32_t power = 0;
  friend bool operator==(const seat_plan&, const seat_plan&) = default;
};
using committee_plan = std::vector<seat_plan>;  // by identity, ascending

/// Of links, in the two phases: before healing and after.
struct link_rates {
  std::uint32_t delay_min_us = 1'000;
  std::uint32_t delay_max_us = 30'000;
  std::uint32_t loss_permille = 0;
  std::uint32_t duplicate_permille = 0;
  std::uint32_t straggler_permille = 0;  // such a message takes up to straggler_max_us: reordering
  std::uint32_t straggler_max_us = 0;
  friend bool operator==(const link_rates&, const link_rates&) = default;
};

/// What happens to any operation of a correct process before healing.
struct local_rates {
  std::uint32_t disk_min_us = 200;
  std::uint32_t disk_max_us = 3'000;
  std::uint32_t crash_before_durable_permille = 0;  // of writes
  std::uint32_t crash_before_answer_permille = 0;   // durable, but the process never knew
  std::uint32_t crash_in_commit_permille = 0;       // a part of the blocks is in the ledger
  std::uint32_t execution_max_us = 4'000;
  std::uint32_t execution_fails_permille = 0;
  friend bool operator==(const local_rates&, const local_rates&) = default;
};

enum class fault_kind : std::uint8_t {
  cut,              // nodes -> others, one way
  partition,        // nodes | rest
  leader_apart,     // every `amount` ms the present leader and `nodes` are cut off the rest
  ring,             // everybody sees two neighbours only
  flapping,         // nodes | rest, on and off every `amount` ms
  slow_messages,    // messages of class `amount` take up to 10 s
  disconnect,       // nodes lose their connections and get them back
  clock_jump,       // nodes' clocks are off by `amount` ms (two's complement) until the end
  clock_frozen,     // nodes' clocks stand
  disk_full,        // nodes' writes fail
  disk_slow,        // nodes' writes take `amount` ms each
  crash,            // nodes stop, and come back at the end
  lose_record,      // as crash, and the voting record is gone
  lose_everything,  // as crash, and the ledger is gone, too
  bad_executor,     // nodes' executions give another state root
  stuck_executor,   // nodes' executions fail
  lose_ledger,      // as crash, and the ledger is gone; the record is not
};
inline constexpr std::size_t fault_kinds = 17;
[[nodiscard]] std::string_view to_text(fault_kind kind);

struct fault {
  fault_kind kind{};
  std::uint64_t at_ms = 0;
  std::uint64_t until_ms = 0;
  node_set nodes = 0;
  node_set others = 0;
  std::uint64_t amount = 0;
  friend bool operator==(const fault&, const fault&) = default;
};

struct fault_plan {
  std::uint64_t seed = 0;  // of all that is drawn while running
  std::vector<node_plan> nodes;
  std::vector<committee_plan> committees;  // by epoch; the last one stays
  std::uint64_t epoch_ms = 8'000;
  consensus::simplex_options options;
  link_rates before;
  link_rates after;
  local_rates local;
  std::vector<fault> faults;
  std::uint32_t transactions_per_s = 4;
  std::uint64_t heal_ms = 20'000;       // from then on nothing breaks, and everybody comes back
  std::uint64_t patience_ms = 300'000;  // within which liveness has to show after healing
  std::uint32_t blocks_after = 10;      // that every correct process finalizes after healing
  std::uint32_t epochs_after = 1;       // that have to close after healing
  /// Byzantine power may exceed what is tolerated: agreement is expected to break.
  bool beyond_tolerance = false;
};

/// What the seed holds. Intensity 0: nothing breaks; 1: single faults, mild rates; 2: the usual
/// mixture; 3: as much as the rules allow. Byzantine and fenced power stay within
/// tolerated_power in every committee, those whose disk is lost included.
[[nodiscard]] fault_plan draw_plan(std::uint64_t seed, std::uint32_t intensity = 2);
/// The worst hour: the others are two halves of equal power that do not hear each other, and the
/// Byzantine, with this much power, run on both sides at once and vote for all. With
/// tolerated_power agreement has to hold; one unit more makes a quorum of either side.
[[nodiscard]] fault_plan draw_plan_beyond(
    std::uint64_t seed, std::uint32_t byzantine_power = consensus::tolerated_power + 1);
/// `size` correct processes of equal power and nothing that breaks: where handwritten scenarios
/// begin.
[[nodiscard]] fault_plan quiet_plan(std::uint64_t seed, std::size_t size, std::size_t spare = 0);

[[nodiscard]] std::string to_text(const fault_plan& p);
[[nodiscard]] std::string nodes_text(node_set set);  // "{0 2}"
[[nodiscard]] std::string to_text(const fault& f);   // without its times
/// Nodes with any behaviour.
[[nodiscard]] node_set byzantine_nodes(const fault_plan& p);
/// Clocks of sound processes are off by at most this: two of them stay within the drift.
inline constexpr std::int64_t near_clock_ms = 900;
[[nodiscard]] bool is_far_jump(const fault& f);
/// Identities that are Byzantine, may be fenced, have a wrong clock, or stop on their own account:
/// none of them counts towards a quorum. A mask.
[[nodiscard]] std::uint32_t frail_identities(const fault_plan& p);
/// Powers that sum to `total`, in proportion to `weights`; each at least 1.
[[nodiscard]] std::vector<std::uint32_t> powers_of(const std::vector<std::uint32_t>& weights,
                                                   std::uint32_t total = consensus::total_power);

}  // namespace soma::simulation
