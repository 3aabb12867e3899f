// Draws a plan from a seed.
#include <algorithm>
#include <array>
#include <map>

#include "actors/simulation/fault_plan.hpp"
#include "actors/simulation/random.hpp"

namespace soma::simulation {
namespace {

// A plan counts power in plain units: it draws them, divides them, and is written as text.
constexpr std::uint32_t tolerated_power = consensus::tolerated_power.value;
constexpr std::uint32_t total_power = soma::total_power.value;

std::uint32_t bit(behaviour b) {
  return static_cast<std::uint32_t>(b);
}

class drawing {
 public:
  drawing(std::uint64_t seed, std::uint32_t intensity) : dice_(seed, 1000), intensity_(intensity) {
    p_.seed = seed;
  }

  fault_plan draw() {
    draw_identities();
    draw_options();
    draw_links();
    if (intensity_ > 0) {
      draw_local();
      draw_faults();
      draw_behaviours();
    }
    draw_committees(tolerated_power);
    return std::move(p_);
  }

  fault_plan draw_beyond(std::uint32_t byzantine_power) {
    p_.beyond_tolerance = byzantine_power > tolerated_power;
    draw_identities();
    draw_options();
    draw_links();
    node_set side = 0;
    for (std::size_t i = 0; i < sound_.size(); i += 2) side |= node_set{1} << sound_[i];
    for (const auto i : frail_) {
      p_.nodes[i].behaviours = bit(behaviour::vote_for_all);
      if (dice_.chance(300)) p_.nodes[i].behaviours |= bit(behaviour::equivocate);
      side |= node_set{1} << i;
      p_.nodes.push_back(p_.nodes[i]);
    }
    p_.faults.push_back({fault_kind::partition, 500, p_.heal_ms, side, 0, 0});
    draw_halves(byzantine_power);
    if (p_.beyond_tolerance) p_.patience_ms = 60'000;
    return std::move(p_);
  }

 private:
  void draw_identities() {
    const auto size = dice_.chance(850) ? dice_.between(4, 7) : dice_.between(8, 13);
    const auto spare = dice_.chance(500) ? dice_.between(1, 3) : 0;
    identities_ = size + spare;
    for (std::size_t i = 0; i < identities_; ++i) {
      p_.nodes.push_back({static_cast<std::uint16_t>(i), 0, 0, 0});
      const auto off = static_cast<std::int64_t>(dice_.below(400)) - 200;
      if (intensity_ > 0 && dice_.chance(500)) p_.nodes.back().clock_offset_ms = off;
    }
    members_ = size;
    std::vector<std::uint16_t> order;
    for (std::size_t i = 0; i < identities_; ++i) order.push_back(static_cast<std::uint16_t>(i));
    for (std::size_t i = identities_; i > 1; --i) std::swap(order[i - 1], order[dice_.below(i)]);
    const auto count =
        intensity_ == 0 && !p_.beyond_tolerance ? 0 : 1 + dice_.below(members_ / 3 + 1);
    frail_.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count));
    sound_.assign(order.begin() + static_cast<std::ptrdiff_t>(count), order.end());
  }

  void draw_options() {
    p_.epoch_ms = dice_.between(3'000, 12'000);
    p_.options.block_interval_ms = dice_.between(50, 600);
    p_.options.idle_ms = dice_.between(300, 1'000);
    p_.transactions_per_s = static_cast<std::uint32_t>(dice_.below(6));
    p_.heal_ms = intensity_ == 0 ? 8'000 : dice_.between(8'000, 25'000);
  }

  void draw_links() {
    const auto slow = dice_.chance(200);
    p_.after.delay_max_us =
        static_cast<std::uint32_t>(dice_.between(5'000, slow ? 400'000 : 60'000));
    if (intensity_ > 0 && dice_.chance(40)) {  // so that a view takes longer than its timeout
      p_.after.delay_max_us = static_cast<std::uint32_t>(dice_.between(1'000'000, 2'500'000));
    }
    p_.before = p_.after;
    if (intensity_ == 0) return;
    p_.after.loss_permille = dice_.chance(300) ? static_cast<std::uint32_t>(dice_.below(30)) : 0;
    p_.before.delay_max_us = static_cast<std::uint32_t>(dice_.between(10'000, 900'000));
    if (dice_.chance(600)) {
      p_.before.loss_permille = static_cast<std::uint32_t>(dice_.below(60 * intensity_));
    }
    if (dice_.chance(500)) {
      p_.before.duplicate_permille = static_cast<std::uint32_t>(dice_.below(100));
    }
    if (dice_.chance(500)) {
      p_.before.straggler_permille = static_cast<std::uint32_t>(dice_.below(80));
      p_.before.straggler_max_us = static_cast<std::uint32_t>(dice_.between(200'000, 9'000'000));
    }
  }

  void draw_local() {
    p_.local.disk_max_us = static_cast<std::uint32_t>(dice_.between(500, 40'000));
    p_.local.execution_max_us = static_cast<std::uint32_t>(dice_.between(500, 80'000));
    const auto rate = [&](std::uint64_t most) {
      return dice_.chance(350) ? static_cast<std::uint32_t>(dice_.below(most * intensity_)) : 0;
    };
    p_.local.crash_before_durable_permille = rate(10);
    p_.local.crash_before_answer_permille = rate(10);
    p_.local.crash_in_commit_permille = rate(15);
    p_.local.execution_fails_permille = rate(25);
  }

  node_set some_nodes() {
    auto set = static_cast<node_set>(dice_.next()) & everybody();
    if (set == 0) set = node_set{1} << dice_.below(identities_);
    return set;
  }
  node_set one_node() { return node_set{1} << dice_.below(identities_); }
  node_set frail_node() { return node_set{1} << frail_[dice_.below(frail_.size())]; }
  node_set everybody() const { return (node_set{1} << identities_) - 1; }

  void draw_faults() {
    const auto count = intensity_ == 1 ? dice_.below(3) : dice_.below(4 * intensity_);
    for (std::uint64_t i = 0; i < count; ++i) draw_fault();
    if (dice_.chance(120)) {  // all nodes stop at once
      const auto at = dice_.between(2'000, p_.heal_ms);
      p_.faults.push_back({fault_kind::crash, at, at + dice_.below(3'000), everybody(), 0, 0});
    }
    if (dice_.chance(80)) {
      p_.nodes[dice_.below(identities_)].start_ms = dice_.between(1'000, p_.heal_ms);
    }
  }

  void draw_fault() {
    fault f;
    f.kind = static_cast<fault_kind>(dice_.below(fault_kinds));
    f.at_ms = dice_.below(p_.heal_ms);
    f.until_ms = f.at_ms + dice_.between(300, 9'000);
    f.nodes = some_nodes();
    switch (f.kind) {
      case fault_kind::cut:
        f.others = some_nodes();
        break;
      case fault_kind::leader_apart:
        f.amount = dice_.between(100, 2'000);
        break;
      case fault_kind::flapping:
        f.amount = dice_.between(50, 1'500);
        break;
      case fault_kind::slow_messages: {
        static constexpr std::array<std::uint64_t, 8> classes{0, 1, 3, 4, 5, 6, 17, 19};
        f.amount = classes[dice_.below(classes.size())];
        break;
      }
      case fault_kind::clock_jump: {
        const auto far = dice_.chance(500);
        const auto most = far ? 3'600'000 : near_clock_ms;
        const auto ms =
            static_cast<std::int64_t>(dice_.below(2 * static_cast<std::uint64_t>(most))) - most;
        f.amount = static_cast<std::uint64_t>(ms);
        f.nodes = far ? frail_node() : one_node();
        break;
      }
      case fault_kind::clock_frozen:
      case fault_kind::disconnect:
      case fault_kind::disk_full:
      case fault_kind::stuck_executor:
        f.nodes = dice_.chance(700) ? one_node() : f.nodes;
        break;
      case fault_kind::disk_slow:
        f.amount = dice_.between(20, 1'500);
        break;
      case fault_kind::lose_record:
      case fault_kind::lose_everything:
      case fault_kind::lose_ledger:
      case fault_kind::bad_executor:
        f.nodes = frail_node();
        break;
      default:
        break;
    }
    p_.faults.push_back(f);
  }

  void draw_behaviours() {
    for (const auto i : frail_) {
      const auto lost = std::ranges::any_of(p_.faults, [&](const fault& f) {
        return (f.kind == fault_kind::lose_record || f.kind == fault_kind::lose_everything ||
                f.kind == fault_kind::lose_ledger || f.kind == fault_kind::bad_executor) &&
               (f.nodes >> i & 1) != 0;
      });
      if (lost || dice_.chance(300)) continue;
      if (dice_.chance(150) && p_.nodes.size() < max_nodes) {
        p_.nodes[i].behaviours = bit(behaviour::twin);
        auto twin = p_.nodes[i];
        twin.clock_offset_ms = 0;
        p_.nodes.push_back(twin);
        continue;
      }
      if (dice_.chance(120)) {
        p_.nodes[i].behaviours = bit(behaviour::silent);
        continue;
      }
      p_.nodes[i].behaviours = static_cast<std::uint32_t>(dice_.next()) & 127;
      if (dice_.chance(500))
        p_.nodes[i].behaviours |= bit(behaviour::equivocate) | bit(behaviour::vote_for_all);
      if (p_.nodes[i].behaviours == 0) p_.nodes[i].behaviours = bit(behaviour::withhold);
    }
  }

  // A committee of `who`. Frail members, which may fail for good, get at most `most` power
  // together, and exactly that in half of the committees.
  committee_plan seat(std::vector<std::uint16_t> who, std::uint32_t most) {
    std::ranges::sort(who);
    std::vector<std::uint32_t> frail_weights;
    std::vector<std::uint32_t> sound_weights;
    const auto style = dice_.below(4);
    const auto weight = [&]() -> std::uint32_t {
      if (style == 0) return 1;
      if (style == 1) return static_cast<std::uint32_t>(dice_.between(1, 100));
      if (style == 2) return dice_.chance(300) ? 100 : 1;
      return static_cast<std::uint32_t>(dice_.between(5, 9));
    };
    const auto is_frail = [&](std::uint16_t i) {
      return std::ranges::find(frail_, i) != frail_.end();
    };
    for (const auto i : who) (is_frail(i) ? frail_weights : sound_weights).push_back(weight());
    std::uint32_t theirs = 0;
    if (!frail_weights.empty()) {
      const auto fair = total_power * static_cast<std::uint32_t>(frail_weights.size()) /
                        static_cast<std::uint32_t>(who.size());
      theirs = dice_.chance(500) || p_.beyond_tolerance ? most : std::min(most, fair);
    }
    const auto frail_powers =
        theirs == 0 ? std::vector<std::uint32_t>{} : powers_of(frail_weights, theirs);
    const auto sound_powers = powers_of(sound_weights, total_power - theirs);
    committee_plan seats;
    std::size_t f = 0;
    std::size_t s = 0;
    for (const auto i : who) {
      seats.push_back({i, versions_[i], is_frail(i) ? frail_powers[f++] : sound_powers[s++]});
    }
    return seats;
  }

  // One committee of all identities, in which the two halves of the sound ones have equal power.
  void draw_halves(std::uint32_t byzantine_power) {
    std::vector<std::uint16_t> of_half[2];
    for (std::size_t i = 0; i < sound_.size(); ++i) of_half[i % 2].push_back(sound_[i]);
    const auto theirs = (total_power - byzantine_power) / 2;
    std::map<std::uint16_t, std::uint32_t> powers;
    const auto give = [&](const std::vector<std::uint16_t>& who, std::uint32_t total) {
      std::vector<std::uint32_t> weights;
      for (std::size_t i = 0; i < who.size(); ++i) {
        weights.push_back(static_cast<std::uint32_t>(dice_.between(1, 20)));
      }
      const auto given = powers_of(weights, total);
      for (std::size_t i = 0; i < who.size(); ++i) powers[who[i]] = given[i];
    };
    give(frail_, byzantine_power);
    give(of_half[0], total_power - byzantine_power - theirs);
    give(of_half[1], theirs);
    committee_plan seats;
    for (const auto& [who, power] : powers) seats.push_back({who, 0, power});
    p_.committees.push_back(std::move(seats));
  }

  std::vector<std::uint16_t> members(std::size_t size) {
    std::vector<std::uint16_t> all;
    for (std::size_t i = 0; i < identities_; ++i) all.push_back(static_cast<std::uint16_t>(i));
    for (std::size_t i = identities_; i > 1; --i) std::swap(all[i - 1], all[dice_.below(i)]);
    const auto is_sound = [&](std::uint16_t i) {
      return std::ranges::find(sound_, i) != sound_.end();
    };
    all.resize(size);
    if (std::ranges::none_of(all, is_sound)) all.front() = sound_.front();
    return all;
  }

  void draw_committees(std::uint32_t most) {
    versions_.assign(identities_, 0);
    auto who = members(members_);
    p_.committees.push_back(seat(who, most));
    const auto changes = dice_.chance(700);
    for (std::size_t epoch = 1; changes && epoch < 8; ++epoch) {
      const auto choice = dice_.below(6);
      if (choice == 0)
        who = members(dice_.between(std::min<std::size_t>(4, identities_), identities_));
      if (choice == 1 && intensity_ > 0) {
        for (const auto i : who) versions_[i] += dice_.chance(300) ? 1 : 0;
      }
      if (choice <= 3) {
        p_.committees.push_back(seat(who, most));
      } else {
        p_.committees.push_back(p_.committees.back());
      }
    }
  }

  random_stream dice_;
  std::uint32_t intensity_;
  fault_plan p_;
  std::size_t identities_ = 0;
  std::size_t members_ = 0;
  std::vector<std::uint16_t> frail_;
  std::vector<std::uint16_t> sound_;
  std::vector<std::uint16_t> versions_;
};

}  // namespace

fault_plan draw_plan(std::uint64_t seed, std::uint32_t intensity) {
  return drawing(seed, intensity).draw();
}

fault_plan draw_plan_beyond(std::uint64_t seed, std::uint32_t byzantine_power) {
  return drawing(seed, 1).draw_beyond(byzantine_power);
}

}  // namespace soma::simulation
