#include "actors/consensus/committee.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

namespace soma {
namespace {

using consensus::committee;

committee with_powers(const std::vector<std::uint32_t>& powers, std::uint8_t salt = 0) {
  std::vector<committee_seat> seats(powers.size());
  for (std::size_t i = 0; i < powers.size(); ++i) {
    seats[i].consensus_key[0] = static_cast<std::uint8_t>(i + 1);
    seats[i].power = {powers[i]};
  }
  chain_id chain;
  chain.value[0] = 7;
  hash256 seed;
  seed.value[31] = salt;
  return committee(chain, epoch_number{3}, seats, seed);
}

struct leaders_seen {
  std::vector<std::uint64_t> views;        // per seat
  std::vector<std::uint64_t> longest_run;  // per seat
};

leaders_seen look_at(const committee& members, std::uint64_t views) {
  leaders_seen seen{std::vector<std::uint64_t>(members.size()),
                    std::vector<std::uint64_t>(members.size())};
  std::uint64_t run = 0;
  seat_index before;
  for (std::uint64_t view = 1; view <= views; ++view) {
    const auto leader = members.leader({view});
    run = view > 1 && leader == before ? run + 1 : 1;
    before = leader;
    seen.views[leader.value] += 1;
    auto& longest = seen.longest_run[leader.value];
    longest = std::max(longest, run);
  }
  return seen;
}

/// Checks that a count of n draws with this power lies within six standard deviations.
void check_frequency(std::uint64_t seen, std::uint64_t n, std::uint32_t power) {
  const double p = power / static_cast<double>(total_power.value);
  const double mean = static_cast<double>(n) * p;
  CAPTURE(power);
  CHECK(std::abs(static_cast<double>(seen) - mean) <= 6 * std::sqrt(mean * (1 - p)) + 1);
}

constexpr std::uint64_t million = 1'000'000;

}  // namespace

TEST_CASE("no leader comes too often in a row: a million views at a third and a tenth of power") {
  const auto thirds = with_powers({3333, 3334, 3333});
  for (const auto run : look_at(thirds, million).longest_run) CHECK(run <= 16);
  const auto tenths = with_powers(std::vector<std::uint32_t>(10, 1000));
  for (const auto run : look_at(tenths, million).longest_run) CHECK(run <= 8);
}

TEST_CASE("leaders come as often as their power says, the smallest and the largest too") {
  for (const auto& powers : std::vector<std::vector<std::uint32_t>>{
           {3333, 3333, 3334}, {1, 9999}, {6000, 2500, 1000, 499, 1}, {10'000}}) {
    const auto seen = look_at(with_powers(powers), 200'000);
    for (std::size_t i = 0; i < powers.size(); ++i) {
      check_frequency(seen.views[i], 200'000, powers[i]);
    }
  }
  const auto hundred = look_at(with_powers(std::vector<std::uint32_t>(100, 100)), 200'000);
  for (const auto views : hundred.views) check_frequency(views, 200'000, 100);
}

TEST_CASE("another seed, epoch or chain is another order of leaders") {
  const auto one = with_powers(std::vector<std::uint32_t>(10, 1000));
  const auto seats = one.seats();
  const auto same = [&](const committee& other) {
    std::uint64_t equal = 0;
    for (std::uint64_t v = 1; v <= 1000; ++v) equal += one.leader({v}) == other.leader({v}) ? 1 : 0;
    return equal;
  };
  chain_id chain;
  chain.value[0] = 7;
  CHECK(same(committee(chain, epoch_number{3}, seats, hash256{})) == 1000);
  CHECK(same(with_powers(std::vector<std::uint32_t>(10, 1000), 1)) < 200);
  CHECK(same(committee(chain, epoch_number{4}, seats, hash256{})) < 200);
  chain.value[0] = 8;
  CHECK(same(committee(chain, epoch_number{3}, seats, hash256{})) < 200);
}

TEST_CASE("the leaders of a fixed committee never change: nodes must agree on them") {
  const auto members = with_powers({3333, 3333, 3334});
  std::string order;
  for (std::uint64_t v = 1; v <= 24; ++v) order += std::to_string(members.leader({v}).value);
  CHECK(order == "111011212000112110212220");  // computed separately, from the definition
}

TEST_CASE("power and seats are found by signers and by key") {
  const auto members = with_powers({4000, 3000, 2000, 1000});
  signer_set some;
  CHECK(members.power_of(some) == voting_power{0});
  some.add({0});
  some.add({2});
  CHECK(members.power_of(some) == voting_power{6000});
  some.add({77});  // a seat that does not exist
  CHECK(members.power_of(some) == voting_power{6000});
  CHECK(members.seat_of(members.key_of({2})) == seat_index{2});
  CHECK_FALSE(members.seat_of(public_key{}).has_value());
}

}  // namespace soma
