#include "tests/actors/simulation/mutants.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <utility>

#include "actors/simulation/simulated_network.hpp"

namespace soma::simulation::testing {
namespace {

/// What the child process reports. The child may end at any moment.
struct told {
  volatile std::uint64_t seed = 0;
  volatile bool done = false;
  volatile bool noticed = false;
  char by[240] = {};
};

void note(told& out, std::string_view by) {
  std::memcpy(out.by, by.data(), std::min(by.size(), sizeof out.by - 1));
  out.noticed = true;
}

network of(fault_plan p) {
  p.heal_ms = 1'000'000'000;
  return network(std::move(p));
}
network of(std::size_t size) {
  return of(quiet_plan(1, size));
}

void cut_off(network& net, node_set who) {
  const node_set rest = ((node_set{1} << net.size()) - 1) & ~who;
  net.cut(who, rest);
  net.cut(rest, who);
}

/// A member contradicts itself and has to be punished.
bool is_contradiction_unpunished() {
  auto net = of(4);
  net.set_behaviours(2, static_cast<std::uint32_t>(behaviour::silent));
  if (!net.run_blocks(2, 60'000)) return true;
  const auto view = net.core(0)->view() + 3;
  for (const std::uint8_t first : {1, 2}) {
    block_id id;
    id.value[0] = first;
    const auto vote = net.signed_by(2, {vote_kind::notarize, net.epoch(0), view, id});
    net.inject(2, 0, std::make_shared<const peer_message>(peer::vote{vote}));
  }
  return !net.run_until([](const network& x) { return x.is_slashed(2); }, 60'000);
}

/// A member votes in 3,000 views. The votes must not cost more memory than those of one window.
bool is_memory_taken() {
  auto net = of(4);
  net.set_behaviours(3, static_cast<std::uint32_t>(behaviour::silent));
  if (!net.run_blocks(2, 60'000)) return true;
  const auto first = net.core(0)->view() + 1;
  for (std::uint64_t i = 0; i < 3'000; ++i) {
    block_id id;
    id.value[0] = static_cast<std::uint8_t>(i);
    const auto vote = net.signed_by(3, {vote_kind::notarize, net.epoch(0), first + i, id});
    net.inject(3, 0, std::make_shared<const peer_message>(peer::vote{vote}));
  }
  net.run_for(1'000);
  return net.core(0)->held_bytes() >= 256 * 1024;
}

/// A member missed more skipped views than proposals and standstill messages show again, and it is
/// needed for the next block. So it has to ask for the certificates of these views.
bool is_long_gap_never_closed() {
  auto p = quiet_plan(1, 5);
  p.options.max_view_timeout_ms = p.options.view_timeout_ms;
  p.epoch_ms = 3'600'000;
  auto net = of(std::move(p));
  if (!net.run_blocks(2, 60'000)) return true;
  const auto until = net.core(1)->view() + 140;
  cut_off(net, 0b10000);
  net.set_filter([](std::uint32_t, std::uint32_t, const peer_message& m) {
    return std::holds_alternative<peer::proposal>(m);
  });
  if (!net.run_until([&](const network& x) { return x.core(1)->view() > until; }, 600'000))
    return true;
  net.set_filter({});
  net.crash(0);
  net.heal_network();
  return !net.run_blocks(3, 300'000);
}

/// Messages take longer than the first timeout of a view.
bool is_slow_network_too_slow() {
  auto net = of(4);
  link_rates slow;
  slow.delay_min_us = 2'000'000;
  slow.delay_max_us = 2'200'000;
  net.set_links(slow);
  return !net.run_blocks(3, 600'000);
}

/// A member that lost its ledger, but not its record, begins far below what it has signed, and
/// hears no other member at first.
bool is_second_past_signed() {
  auto net = of(4);
  if (!net.run_until([](const network& x) { return x.epoch(2).value >= 2; }, 120'000)) return true;
  net.crash(2);
  net.lose_ledger(2);
  cut_off(net, 0b0100);
  net.restart(2);
  net.run_for(20'000);
  net.heal_network();
  return !net.run_blocks(5, 120'000) || net.violation();
}

/// A member is sent a block with the right id and another payload.
bool is_false_payload_believed() {
  auto p = quiet_plan(1, 4);
  p.transactions_per_s = 50;
  auto net = of(std::move(p));
  // With a behaviour it is Byzantine and may be blamed.
  net.set_behaviours(1, static_cast<std::uint32_t>(behaviour::far_votes));
  if (!net.run_blocks(2, 60'000)) return true;
  std::optional<peer::proposal> held_back;
  net.set_filter([&](std::uint32_t, std::uint32_t to, const peer_message& m) {
    const auto* proposal = std::get_if<peer::proposal>(&m);
    if (proposal == nullptr || to != 3 || proposal->block->block.payload.empty()) return false;
    if (!held_back) held_back = *proposal;
    return true;
  });
  if (!net.run_until([&](const network&) { return held_back.has_value(); }, 30'000)) return true;
  net.set_filter({});
  auto other = *held_back->block;
  other.block.payload.front().body.back() ^= 1;
  held_back->block = std::make_shared<const identified_block>(std::move(other));
  net.inject(1, 3, std::make_shared<const peer_message>(*held_back));
  return !net.run_blocks(5, 60'000) || net.violation();
}

/// Another process signs with a member's key. The member has to be silent in this epoch, after a
/// restart, too.
bool is_twin_forgotten() {
  auto p = quiet_plan(1, 4);
  p.epoch_ms = 60'000;
  auto net = of(std::move(p));
  if (!net.run_blocks(2, 30'000)) return true;
  block_id other;
  other.value[0] = 1;
  const auto said =
      net.signed_by(2, {vote_kind::notarize, net.epoch(2), net.core(2)->view() + 3, other});
  net.inject(0, 2, std::make_shared<const peer_message>(peer::vote{said}));
  net.run_for(500);
  if (!net.core(2)->fenced()) return true;
  net.crash(2);
  net.restart(2);
  net.run_for(5'000);
  return !net.core(2)->fenced() || !net.run_blocks(5, 60'000) || net.violation();
}

/// A member whose clock is an hour ahead leads in some views. The chain must not follow its clock.
bool is_hour_ahead_followed() {
  auto net = of(4);
  net.set_clock_offset(2, 3'600'000);
  if (!net.run_blocks(1, 60'000)) return true;
  const auto first_ms = net.block_at(1)->block.header.time_ms;
  const auto began_ms = net.now_ms();
  return net.run_until(
      [&](const network& x) {
        const auto height = std::max({x.height(0), x.height(1), x.height(3)});
        const auto ahead_ms = x.block_at(height)->block.header.time_ms - first_ms;
        return ahead_ms > x.now_ms() - began_ms + 600'000;
      },
      120'000);
}

/// All members that are left have voted to skip a view, and all stop before any of these votes is
/// heard. Afterwards each vote is needed, so each member has to count its own one, too.
bool is_own_vote_missed() {
  auto net = of(4);
  if (!net.run_blocks(2, 30'000)) return true;
  net.crash(3);
  const auto member = net.core(0)->members().seats()[3].member;
  const auto led_by_nobody = [&](const network& x) {
    const auto& members = x.core(0)->members();
    return members.seats()[members.leader(x.core(0)->view()).value].member == member;
  };
  if (!net.run_until(led_by_nobody, 120'000)) return true;
  const auto view = net.core(0)->view();
  net.set_filter([](std::uint32_t, std::uint32_t, const peer_message& m) {
    return !std::holds_alternative<peer::hello>(m);
  });
  const auto all_skipped = [&](const network& x) {
    return std::ranges::all_of(std::array{0, 1, 2}, [&](int node_index) {
      return x.record(static_cast<std::uint32_t>(node_index))
          .votes.contains({view, vote_kind::skip});
    });
  };
  if (!net.run_until(all_skipped, 120'000)) return true;
  for (const std::uint32_t node_index : {0, 1, 2}) net.crash(node_index);
  net.set_filter({});
  for (const std::uint32_t node_index : {0, 1, 2}) net.restart(node_index);
  return !net.run_blocks(3, 120'000);
}

/// A member that lost everything passes the ends of several epochs on its way back. None of them
/// may end its fence.
bool is_lost_record_forgiven() {
  auto net = of(4);
  if (!net.run_until([](const network& x) { return x.epoch(2).value >= 3; }, 120'000)) return true;
  if (!net.run_blocks(3, 60'000)) return true;
  net.crash(2);
  net.lose_record(2);
  net.lose_ledger(2);
  net.restart(2);
  return !net.run_blocks(30, 240'000) || net.violation();
}

/// One of four members, which has all the power that is tolerated, lies for half an hour, while
/// votes to finalize take up to ten seconds. So there is always more than one block on which the
/// next may stand.
bool is_long_lie_believed() {
  constexpr auto votes_to_finalize = 16 + static_cast<std::uint64_t>(vote_kind::finalize);
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    auto p = quiet_plan(seed, 4);
    const std::array<std::uint32_t, 4> powers{2'223, consensus::tolerated_power.value, 2'222,
                                              2'222};
    for (std::size_t i = 0; i < powers.size(); ++i) p.committees.front()[i].power = powers[i];
    p.epoch_ms = 600'000;
    p.before.loss_permille = 30;
    p.before.delay_max_us = 400'000;
    p.faults.push_back({fault_kind::slow_messages, 0, 1'000'000'000, 0b1111, 0, votes_to_finalize});
    p.nodes[1].behaviours = static_cast<std::uint32_t>(behaviour::equivocate) |
                            static_cast<std::uint32_t>(behaviour::vote_for_all);
    auto net = of(std::move(p));
    net.run_for(1'800'000);
    if (!net.run_blocks(3, 120'000) || net.violation()) return true;
  }
  return false;
}

using named_story = std::pair<std::string_view, bool (*)()>;
constexpr auto stories = std::to_array<named_story>({
    {"contradictions_not_reported", is_contradiction_unpunished},
    {"votes_of_any_view", is_memory_taken},
    {"certificates_not_fetched", is_long_gap_never_closed},
    {"timeouts_do_not_grow", is_slow_network_too_slow},
    {"signs_below_record", is_second_past_signed},
    {"payload_unchecked", is_false_payload_believed},
    {"fence_forgotten", is_twin_forgotten},
    {"signs_beside_twin", is_twin_forgotten},
    {"future_time_accepted", is_hour_ahead_followed},
    {"own_votes_not_recounted", is_own_vote_missed},
    {"fence_ends_unasked", is_lost_record_forgiven},
    {"gap_needs_no_skips", is_long_lie_believed},
    {"parent_time_unchecked", is_long_lie_believed},
    {"parent_needs_no_certificate", is_long_lie_believed},
});

/// Memory that is shared with the child process.
class shared_told {
 public:
  shared_told() {
    void* at =
        ::mmap(nullptr, sizeof(told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) throw std::runtime_error("no shared memory");
    what_ = new (at) told;
  }
  shared_told(const shared_told&) = delete;
  shared_told& operator=(const shared_told&) = delete;
  ~shared_told() { ::munmap(what_, sizeof(told)); }
  [[nodiscard]] told& operator*() const { return *what_; }

 private:
  told* what_;
};

/// Runs `attempt` in a process of its own, since it may end its process, and reports the result.
template <class Attempt>
mutant_fate fate_of(const Attempt& attempt) {
  const shared_told shared;
  const auto child = ::fork();
  if (child < 0) throw std::runtime_error("no process");
  if (child == 0) {
    const int nowhere = ::open("/dev/null", O_WRONLY);
    if (nowhere >= 0) ::dup2(nowhere, STDERR_FILENO);
    for (const int each : {SIGABRT, SIGSEGV}) std::signal(each, SIG_DFL);  // not as in the parent
    attempt(*shared);
    (*shared).done = true;
    ::_exit(0);
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child) throw std::runtime_error("a child was lost");
  const auto& out = *shared;
  mutant_fate fate;
  fate.seed = out.seed;
  fate.intensity = out.seed == 0 ? 0 : intensity_of(out.seed);
  fate.killed = out.noticed || !out.done;
  if (out.noticed) fate.by = out.by;
  if (!out.done)
    fate.by = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? "assertion" : "crash";
  return fate;
}

}  // namespace

std::uint32_t intensity_of(std::uint64_t seed) {
  return seed % 4 == 0 ? 1 : 2 + static_cast<std::uint32_t>(seed % 2);
}

mutant_fate fate_of_seeds(std::uint64_t first, std::uint64_t last) {
  return fate_of([&](told& out) {
    for (auto seed = first; seed <= last; ++seed) {
      out.seed = seed;
      const auto seen = run(draw_plan(seed, intensity_of(seed)));
      if (!seen.ok) return note(out, seen.violation);
    }
  });
}

mutant_fate fate_of_story(std::string_view mutant) {
  const auto found = std::ranges::find(stories, mutant, &named_story::first);
  if (found == stories.end()) throw std::invalid_argument("there is no story for this mutant");
  return fate_of([&](told& out) {
    if (found->second()) note(out, "noticed");
  });
}

std::vector<std::string_view> mutants_of_all_stories() {
  std::vector<std::string_view> names;
  std::vector<bool (*)()> told;
  for (const auto& [name, story] : stories) {
    if (std::ranges::find(told, story) != told.end()) continue;
    told.push_back(story);
    names.push_back(name);
  }
  return names;
}

}  // namespace soma::simulation::testing
