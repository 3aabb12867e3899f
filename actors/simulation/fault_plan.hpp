// The plan of a run of the simulated network: its nodes, the committee of each epoch, and what
// breaks when. A plan is drawn from one seed and fixed before the run begins. It is data: it can be
// printed, compared and made smaller, by hand or by a program, which drops a fault, clears a
// behaviour or sets a rate to zero and runs the plan again.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "actors/consensus/simplex.hpp"

namespace soma::simulation {

/// A set of nodes: bit i stands for the node with the index i.
using node_set = std::uint32_t;
inline constexpr std::size_t max_nodes = 24;

/// How a Byzantine node harms the others; a node may have any combination of these. It runs an
/// honest core, changes what the core sends and adds messages. It signs with its own key alone.
enum class behaviour : std::uint32_t {
  equivocate = 1,      // as leader it sends two or three blocks, on parents of all kinds
  vote_for_all = 2,    // it votes in every way for every block it has seen, to random subsets
  withhold = 4,        // half of its messages reach only some nodes, or come much later
  forge = 8,           // wrong signatures, other chains, other epochs, broken certificates
  replay = 16,         // it sends old messages of any node again
  false_answers = 32,  // it answers with wrong payloads and stale certificates
  far_votes = 64,      // it votes for views far ahead, to fill the memory of others
  silent = 128,        // it sends nothing
  twin = 256,          // two nodes run honest cores with the same key; both have this behaviour
};
inline constexpr std::size_t behaviour_kinds = 9;
[[nodiscard]] std::string_view to_text(behaviour which);

struct node_plan {
  std::uint16_t identity = 0;    // the node holds the keys of this identity
  std::uint32_t behaviours = 0;  // a sum of `behaviour`; 0: the node is correct
  std::uint64_t start_ms = 0;
  std::int64_t clock_offset_ms = 0;  // constant; of a correct node within the drift
  friend bool operator==(const node_plan&, const node_plan&) = default;
};

struct seat_plan {
  std::uint16_t identity = 0;
  std::uint16_t key_version = 0;
  std::uint32_t power = 0;
  friend bool operator==(const seat_plan&, const seat_plan&) = default;
};
using committee_plan = std::vector<seat_plan>;  // by identity, ascending

/// What happens to messages on every link. A plan has one set for the time before everything heals
/// and one for the time after.
struct link_rates {
  std::uint32_t delay_min_us = 1'000;
  std::uint32_t delay_max_us = 30'000;
  std::uint32_t loss_permille = 0;
  std::uint32_t duplicate_permille = 0;
  /// Such a message takes up to straggler_max_us longer, so that later ones overtake it.
  std::uint32_t straggler_permille = 0;
  std::uint32_t straggler_max_us = 0;
  friend bool operator==(const link_rates&, const link_rates&) = default;
};

/// What happens to the operations of every node, and what fails at correct nodes before everything
/// heals.
struct local_rates {
  std::uint32_t disk_min_us = 200;
  std::uint32_t disk_max_us = 3'000;
  std::uint32_t crash_before_durable_permille = 0;  // of writes, which are lost
  std::uint32_t crash_before_answer_permille = 0;   // of writes, which are durable
  std::uint32_t crash_in_commit_permille = 0;       // only some of the blocks are in the ledger
  std::uint32_t execution_max_us = 4'000;
  std::uint32_t execution_fails_permille = 0;
  friend bool operator==(const local_rates&, const local_rates&) = default;
};

enum class fault_kind : std::uint8_t {
  // Each kind hits `nodes` of the fault from at_ms until until_ms.
  cut,              // messages from `nodes` to `others` are lost, not the other way
  partition,        // nothing passes between `nodes` and the rest
  leader_apart,     // the present leader and `nodes` are cut off; anew every `amount` ms
  ring,             // every node reaches its two neighbours only; `nodes` does not count
  flapping,         // as partition, off and on again every `amount` ms
  slow_messages,    // messages of class `amount` take up to 10 s longer, at all nodes
  disconnect,       // connections end, and come back at the end
  clock_jump,       // the clock is off by `amount` ms (two's complement)
  clock_frozen,     // the clock stands
  disk_full,        // writes fail
  disk_slow,        // each write takes `amount` ms longer
  crash,            // the nodes stop, and start again at the end
  lose_record,      // as crash, and the voting record is lost
  lose_everything,  // as crash, and the voting record and the ledger are lost
  bad_executor,     // executions give another state root; this does not end
  stuck_executor,   // executions fail
  lose_ledger,      // as crash, and the ledger is lost, but not the voting record
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
  std::uint64_t seed = 0;  // of everything that is drawn during the run
  std::vector<node_plan> nodes;
  std::vector<committee_plan> committees;  // by epoch; the last one stays
  std::uint64_t epoch_ms = 8'000;
  consensus::simplex_options options;
  link_rates before;
  link_rates after;
  local_rates local;
  std::vector<fault> faults;
  std::uint32_t transactions_per_s = 4;
  std::uint64_t heal_ms = 20'000;  // from then on nothing breaks, and all nodes come back
  // Liveness has to show within patience_ms after heal_ms: every correct node finalizes
  // blocks_after more blocks, and epochs_after epochs close.
  std::uint64_t patience_ms = 300'000;
  std::uint32_t blocks_after = 10;
  std::uint32_t epochs_after = 1;
  /// The Byzantine power may be more than is tolerated; then agreement is expected to break.
  bool beyond_tolerance = false;
};

/// The plan of a seed. With intensity 0 nothing breaks; 1 has single faults and mild rates, 2 the
/// usual mixture, 3 as much as the rules allow. In every committee the power of Byzantine nodes and
/// of those that lose their disk is together at most tolerated_power.
[[nodiscard]] fault_plan draw_plan(std::uint64_t seed, std::uint32_t intensity = 2);
/// The worst case: the correct nodes are two halves of equal power that do not hear each other. The
/// Byzantine ones have `byzantine_power` together, run on both sides at once and vote for every
/// block. With tolerated_power agreement has to hold; with one unit more each side has a quorum.
[[nodiscard]] fault_plan draw_plan_beyond(
    std::uint64_t seed, std::uint32_t byzantine_power = consensus::tolerated_power.value + 1);
/// A plan in which nothing breaks, with which handwritten scenarios begin: `size` correct nodes of
/// equal power, and `spare` nodes without a seat.
[[nodiscard]] fault_plan quiet_plan(std::uint64_t seed, std::size_t size, std::size_t spare = 0);

[[nodiscard]] std::string to_text(const fault_plan& p);
[[nodiscard]] std::string nodes_text(node_set set);  // "{0 2}"
[[nodiscard]] std::string to_text(const fault& f);   // without its times
/// Nodes that have a behaviour.
[[nodiscard]] node_set byzantine_nodes(const fault_plan& p);
/// The clock of a sound node is off by at most this, so that any two of them are within the drift.
inline constexpr std::int64_t near_clock_ms = 900;
[[nodiscard]] bool is_far_jump(const fault& f);
/// A mask of the identities that are Byzantine, may be fenced, have a wrong clock or stop because
/// they execute wrongly. A network has to make progress without them.
[[nodiscard]] std::uint32_t frail_identities(const fault_plan& p);
/// Powers that sum to `total`, in proportion to `weights`; each at least 1.
[[nodiscard]] std::vector<std::uint32_t> powers_of(const std::vector<std::uint32_t>& weights,
                                                   std::uint32_t total = total_power.value);

}  // namespace soma::simulation
