// Scenarios 8, 9, 14 and 15: leaders with several blocks, keys that two nodes hold, silent leaders,
// and the power of members.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/actors/simulation/scenario_support.hpp"

using namespace soma;
using namespace soma::simulation;
using namespace soma::simulation::testing;

namespace {

fault_plan with_puppets(fault_plan p, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) p.nodes[i].behaviours = puppet;
  return p;
}

fault_plan long_epochs(fault_plan p) {
  p.epoch_ms = 3'600'000;
  return p;
}

// ---- 8

enum class parent_kind : std::uint8_t { tip, older, unnotarized };

/// A leader sends its own block and one or two others of the same view, each to a part of the
/// network. A node gets two of them if the parts overlap.
struct two_faced_leader {
  two_faced_leader(std::uint64_t seed, parent_kind on, bool parts_overlap)
      : p(with_puppets(long_epochs(story_plan(seed, size_of_seed(seed))), 1)),
        on_(on),
        overlap_(parts_overlap),
        seed_(seed),
        net(begin(p)),
        all(net),
        forge(p) {
    all.drops = [this](std::uint32_t from, std::uint32_t, const peer_message& m) {
      const auto* proposal = std::get_if<peer::proposal>(&m);
      if (proposal == nullptr) return false;
      forge.see(proposal->block);
      const auto& h = proposal->block->block.header;
      if (!armed || from != 0 || h.epoch.value != 0 || leader_of(h) != 0) return false;
      if (!own) own = *proposal;
      return own->block->block.header.view == h.view;
    };
  }

  /// The node of the leader: in this plan node and identity have the same number.
  static std::uint16_t leader_of(const block_header& h) { return h.proposer.value; }

  shortcoming tell() {
    armed = true;
    if (!net.run_until([&](const network&) { return own.has_value(); }, 120'000)) {
      return fails(net, "it never leads");
    }
    std::vector<peer::proposal> versions{*own};
    for (std::uint64_t i = 1; i <= 1 + seed_ % 2; ++i) {
      auto other = *own;
      other.block = made(i);
      if (other.block == nullptr) return fails(net, "no block can be made");
      if (on_ != parent_kind::tip) other.parent.reset();
      versions.push_back(std::move(other));
    }
    all.lets_all_through = true;
    for (std::uint32_t to = 1; to < net.size(); ++to) {
      net.inject(0, to, message(versions[(to + seed_) % versions.size()]));
      if (overlap_ && to == 1 + seed_ % 3) {
        net.inject(0, to, message(versions[(to + seed_ + 1) % versions.size()]));
      }
    }
    all.lets_all_through = false;
    return ends(net);
  }

  block_ptr made(std::uint64_t which) {
    const auto& real = *own->block;
    if (on_ == parent_kind::tip) return forge.rival(real, which);
    for (auto view = real.block.header.view - 1; view.value > 0; --view) {
      const auto seen = forge.seen_at(view);
      if (seen == nullptr || seen->block.header.epoch != real.block.header.epoch) continue;
      if (on_ == parent_kind::older && seen->id != real.block.header.parent) {
        return forge.on_parent(real, *seen, which);
      }
      if (on_ == parent_kind::unnotarized) {
        const auto nobodys = forge.rival(*seen, 7 + which);
        return nobodys == nullptr ? nullptr : forge.on_parent(real, *nobodys, which);
      }
    }
    return nullptr;
  }

  fault_plan p;
  parent_kind on_;
  bool overlap_;
  std::uint64_t seed_;
  bool armed = false;
  std::optional<peer::proposal> own;
  network net;
  listener all;
  forger forge;
};

shortcoming leader_says_several(std::uint64_t seed, parent_kind on) {
  two_faced_leader t(seed, on, true);
  auto& net = t.net;
  if (!net.run_blocks(3, 60'000)) return fails(net, "no blocks at first");
  if (auto missing = t.tell(); !missing.empty()) return missing;
  if (!net.run_blocks(6, 120'000)) return fails(net, "the chain does not go on");
  if (!net.run_until([](const network& x) { return x.is_slashed(0); }, 60'000)) {
    return fails(net, "the leader is not punished");
  }
  if (!net.run_blocks(6, 120'000)) return fails(net, "the chain does not go on");
  if (net.state().evidence.size() != 1) return "it is not punished exactly once";
  const auto& stakes = net.state().stakes;
  if (stakes[0] >= 1'000'000 || stakes[0] < 950'000) return "it does not pay a twentieth";
  if (net.state().slashed != std::vector<std::uint16_t>{0}) return "another member pays, too";
  return ends(net);
}

// ---- 9

/// Twins are pairs of nodes with the same key: nodes 0 and `size`, 1 and `size` + 1, and so on. In
/// each of the first views the two of a pair are in different halves of the network. `halves` has a
/// mask of the nodes of one half for each of these views.
shortcoming twins_apart(std::uint64_t seed, std::size_t size, std::size_t twins,
                        std::vector<node_set> halves, run_counts* sum) {
  auto p = with_puppets(story_plan(seed, size), twins);
  for (std::size_t i = 0; i < twins; ++i) {
    p.nodes.push_back({static_cast<std::uint16_t>(i), puppet, 0, 0});
  }
  p.epoch_ms = 60'000;
  auto net = begin(std::move(p));
  for (auto& half : halves) {
    half &= ~((node_set{1} << twins) - 1);
    half &= (node_set{1} << size) - 1;
    for (std::size_t i = 0; i < twins; ++i) half |= node_set{1} << (size + i);
  }
  listener all(net);
  std::map<std::uint64_t, std::uint64_t> began;  // by view; a partition ends after 5 s
  all.drops = [&](std::uint32_t from, std::uint32_t to, const peer_message& m) {
    const auto* core = net.core(from);
    auto view = core == nullptr ? 0 : core->view().value;
    if (const auto about = what_about(m)) view = about->view.value;
    if (view == 0 || view > halves.size() || (core != nullptr && core->epoch().value > 0)) {
      return false;
    }
    if (net.now_ms() > began.try_emplace(view, net.now_ms()).first->second + 5'000) return false;
    return ((halves[view - 1] >> from ^ halves[view - 1] >> to) & 1) != 0;
  };
  const auto after = [&](const network& x) {
    for (std::uint32_t i = static_cast<std::uint32_t>(twins); i < size; ++i) {
      const auto* core = x.core(i);
      if (core == nullptr) return false;
      if (core->epoch().value == 0 && core->view().value <= halves.size()) return false;
    }
    return true;
  };
  if (!net.run_until(after, 600'000)) return fails(net, "it stays in a view");
  if (!net.run_blocks(4, 120'000)) return fails(net, "the chain does not go on");
  for (const auto who : net.state().slashed) {
    if (who >= twins) return "a member without a twin is punished";
  }
  if (sum != nullptr) *sum += net.result().counts;
  return ends(net);
}

shortcoming twins_of_seed(std::uint64_t seed) {
  const auto size = 4 + seed % 10;
  std::vector<node_set> halves;
  for (std::uint64_t i = 0; i < 3 + seed % 5; ++i) {
    halves.push_back(static_cast<node_set>(mix(seed, i)));
  }
  const auto twins = 1 + mix(seed, 77) % most_faulty(size);
  return twins_apart(seed, size, twins, halves, nullptr);
}

/// Four nodes: three bits of `number` for each of three views say which nodes are with the second
/// twin. There are 512 cases.
shortcoming twins_of_four(std::uint64_t number, run_counts* sum) {
  std::vector<node_set> halves;
  for (auto rest = number; halves.size() < 3; rest /= 8) {
    halves.push_back(static_cast<node_set>(rest % 8) << 1);
  }
  return twins_apart(1, 4, 1, halves, sum);
}

shortcoming twins_for_long(std::uint64_t seed) {
  const auto size = 4 + seed % 4;
  auto p = story_plan(seed, size);
  const auto twins = most_faulty(size);
  for (std::size_t i = 0; i < twins; ++i) {
    p.nodes[i].behaviours = static_cast<std::uint32_t>(behaviour::twin);
    p.nodes.push_back({static_cast<std::uint16_t>(i), p.nodes[i].behaviours, 0, 0});
  }
  auto net = begin(std::move(p));
  const auto before = longest(net);
  net.run_for(60'000);
  if (longest(net) < before + 20) return fails(net, "the chain stands");
  if (!net.run_blocks(5, 60'000)) return fails(net, "a node is left behind");
  return ends(net);
}

// ---- 14

/// No proposal of `silent_views` views in a row arrives. Each view has to last exactly as long as
/// the timeout law says: T0, and from the third view after the last final one half as long again
/// each time.
shortcoming silent_leaders(std::uint64_t seed) {
  auto p = long_epochs(story_plan(seed, size_of_seed(seed), 0, 1));
  const auto silent_views = 1 + seed % 12;
  auto net = begin(std::move(p));
  if (!net.run_blocks(3 + seed % 5, 60'000)) return fails(net, "no blocks at first");
  view_number first;
  listener all(net);
  all.drops = [&](auto, auto, const peer_message& m) {
    const auto* proposal = std::get_if<peer::proposal>(&m);
    if (proposal == nullptr) return false;
    const auto view = proposal->block->block.header.view;
    if (first.value == 0) first = view.next();
    return view >= first && view < first + silent_views;
  };
  std::map<view_number, std::uint64_t> entered;  // at node 1
  view_number base;
  const auto done = [&](const network& x) {
    const auto& core = *x.core(1);
    entered.try_emplace(core.view(), x.now_ms());
    if (first.value != 0 && core.view() <= first + silent_views) base = core.base().view;
    return first.value != 0 && core.base().view >= first + silent_views;
  };
  if (!net.run_until(done, 900'000)) return fails(net, "it never goes on");
  for (auto view = first; view < first + silent_views; ++view) {
    if (!entered.contains(view) || !entered.contains(view + 1)) continue;
    const auto took = entered[view + 1] - entered[view];
    const auto law = timeout_ms(view - base);
    if (took + 150 < law || took > law + 500) {
      return fails(net, "view " + std::to_string(view.value) + " lasts " + std::to_string(took) +
                            " not " + std::to_string(law));
    }
  }
  // The next timeouts depend only on the last final view.
  const auto last = highest_view(net);
  if (timeout_ms(last - net.core(1)->base().view) > 2'250) return "the long timeouts stay";
  if (!net.run_blocks(10, 30'000)) return fails(net, "it is slow afterwards");
  return ends(net);
}

/// One member has exactly the power that may be missing, and is silent for ever.
shortcoming a_third_is_silent(std::uint64_t seed) {
  auto p = long_epochs(story_plan(seed, 4 + seed % 3, 0, 10));
  std::vector<std::uint32_t> weights(p.nodes.size() - 1, 1);
  auto powers = powers_of(weights, consensus::quorum.value);
  powers.insert(powers.begin(), consensus::tolerated_power.value);
  for (std::size_t i = 0; i < powers.size(); ++i) p.committees[0][i].power = powers[i];
  p.nodes[0].behaviours = static_cast<std::uint32_t>(behaviour::silent);
  auto net = begin(std::move(p));
  if (!net.run_blocks(1, 60'000)) return fails(net, "no block at first");
  const auto before = longest(net);
  net.run_for(300'000);
  const auto blocks = longest(net) - before;
  // Every third view costs T0, and more when such views follow each other: in the mean a block
  // takes less than 1.5 s.
  if (blocks < 200) return fails(net, "only " + std::to_string(blocks) + " blocks in five minutes");
  return ends(net);
}

// ---- 15

/// The members have these powers, and those in `gone` stop. `goes_on` says whether the others have
/// a quorum.
shortcoming with_powers(std::uint64_t seed, const std::vector<std::uint32_t>& powers, node_set gone,
                        bool goes_on) {
  auto p = story_plan(seed, powers.size());
  for (std::size_t i = 0; i < powers.size(); ++i) p.committees[0][i].power = powers[i];
  auto net = begin(std::move(p));
  if (!net.run_blocks(3, 60'000)) return fails(net, "no blocks at first");
  for (std::uint32_t i = 0; i < powers.size(); ++i) {
    if ((gone >> i & 1) != 0) net.crash(i);
  }
  net.run_for(2'000);
  const auto before = longest(net);
  if (goes_on) {
    if (!net.run_blocks(5, 300'000)) return fails(net, "a quorum does not go on");
  } else {
    net.run_for(60'000);
    if (longest(net) != before) return fails(net, "less than a quorum goes on");
  }
  for (std::uint32_t i = 0; i < powers.size(); ++i) net.restart(i);
  if (!net.run_blocks(5, 300'000)) return fails(net, "it does not go on with all");
  return ends(net);
}

}  // namespace

// By R3 the second block of a leader is evidence, and by R4 members vote only for the first.
TEST_CASE("scenario 8: a leader that says two or three blocks pays once, and nothing forks") {
  for (const auto on : {parent_kind::tip, parent_kind::older, parent_kind::unnotarized}) {
    CAPTURE(static_cast<int>(on));
    const auto story = [&](std::uint64_t seed) { return leader_says_several(seed, on); };
    holds(story, 1, 20);
    notices(story, "contradictions_not_reported", 1, 3);
  }
}

// By R4 a key notarizes one block a view, and by R7 and R8 it does not skip and finalize the same
// view.
TEST_CASE("scenario 9: twins in four, every way to part the network in three views") {
  run_counts sum;
  const auto counted_story = [&](std::uint64_t number) { return twins_of_four(number, &sum); };
  holds(counted_story, 0, 511);
  CHECK(sum[coverage::evidence] > 50);
  CHECK(sum[coverage::slashed] > 20);
  const auto story = [](std::uint64_t number) { return twins_of_four(number, nullptr); };
  notices(story, "notarizes_twice", 0, 511);
  notices(story, "finalizes_after_skip", 0, 511);
}

TEST_CASE("scenario 9: one to f twins in committees of 4 to 13, 3 to 7 views apart") {
  holds(twins_of_seed, 1, 60);
  holds(twins_for_long, 1, 12);
}

// By R1 timeouts grow with the distance from the last final block, and by R8 the views are skipped.
TEST_CASE("scenario 14: up to twelve silent leaders in a row cost what the timeout law says") {
  holds(silent_leaders, 1, 36);
  notices(silent_leaders, "timeouts_do_not_grow", 1, 12);
}

// L1 holds as long as no more than the tolerated power is silent.
TEST_CASE("scenario 14: a member with exactly the tolerated power is silent, and blocks go on") {
  holds(a_third_is_silent, 1, 8);
}

TEST_CASE("scenario 15: powers at the thresholds decide which members may be missing") {
  struct example {
    std::vector<std::uint32_t> powers;
    node_set gone;
    bool goes_on;
  };
  const std::vector<example> examples{
      {{3'333, 3'333, 3'334}, 0b001, true},          // 6,667 are left
      {{3'333, 3'333, 3'334}, 0b100, false},         // 6,666
      {{3'333, 2'223, 2'222, 2'222}, 0b0001, true},  // a third is gone
      {{3'334, 2'222, 2'222, 2'222}, 0b0001, false},
      {{3'333, 2'223, 2'222, 2'222}, 0b1000, true},
      {{6'667, 1'111, 1'111, 1'111}, 0b1110, true},  // one alone is a quorum
      {{6'666, 1'112, 1'111, 1'111}, 0b1110, false},
      {{6'666, 3'333, 1}, 0b010, true},  // the smallest decides
      {{6'666, 3'333, 1}, 0b110, false},
      {{9'997, 1, 1, 1}, 0b1110, true},
      {{9'997, 1, 1, 1}, 0b0001, false},
  };
  for (std::size_t i = 0; i < examples.size(); ++i) {
    CAPTURE(i);
    const auto& e = examples[i];
    const auto story = [&](std::uint64_t seed) {
      return with_powers(seed, e.powers, e.gone, e.goes_on);
    };
    holds(story, 1, 3);
  }
  const auto one_short = [&](std::uint64_t seed) {
    return with_powers(seed, examples[1].powers, examples[1].gone, false);
  };
  notices(one_short, "quorum_one_short", 1, 3);
}
