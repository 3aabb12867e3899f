#include <doctest/doctest.h>

#include "actors/rules/arithmetic.hpp"
#include "actors/rules/difficulty.hpp"
#include "actors/rules/emission.hpp"
#include "actors/rules/epoch.hpp"
#include "actors/rules/fees.hpp"
#include "actors/rules/voting_power.hpp"
#include "tests/actors/rules/network.hpp"

namespace soma::test {
namespace {

// Protocol §1.2.
TEST_CASE("the integer square root is the floor of the root, at the edges and in between") {
  for (const std::uint64_t r :
       {0ull, 1ull, 2ull, 3ull, 1'000'003ull, 0xffff'fffeull, 0xffff'ffffull}) {
    CAPTURE(r);
    CHECK(rules::integer_sqrt(r * r) == r);
    if (r > 0) CHECK(rules::integer_sqrt(r * r - 1) == r - 1);
  }
  CHECK(rules::integer_sqrt(UINT64_MAX) == 0xffff'ffff);
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    CAPTURE(seed);
    const std::uint64_t value = dice{seed}.next() >> (seed % 64);
    const rules::wide_uint root = rules::integer_sqrt(value);
    CHECK(root * root <= value);
    CHECK((root + 1) * (root + 1) > value);
  }
}

TEST_CASE("floor division rounds towards minus infinity") {
  CHECK(rules::floor_div(7, 2) == 3);
  CHECK(rules::floor_div(-7, 2) == -4);
  CHECK(rules::floor_div(-8, 2) == -4);
  CHECK(rules::floor_div(0, 5) == 0);
}

// Protocol §3.2 and §3.3.
TEST_CASE("emission over all epochs is exactly the pool") {
  for (const auto& [pool, epochs] : {std::pair{10ull, 3ull},
                                     {supply_cap.value - 12'345'678'901ull, 3'650ull},
                                     {supply_cap.value, 7ull},
                                     {5ull, 3'650ull},
                                     {0ull, 9ull}}) {
    CAPTURE(pool);
    std::uint64_t unissued = pool;
    for (std::uint64_t e = 0; e < epochs; ++e) {
      const auto released = rules::emission_of({unissued}, epochs, {e});
      CHECK(released.value <= pool / epochs + 1);
      unissued -= released.value;
      const auto split = rules::split_emission(released, 8'000);
      CHECK(split.targets.value == released.value * 8 / 10);
      CHECK(split.targets.value + split.validators.value == released.value);
    }
    CHECK(unissued == 0);
    // What comes back later is emitted again at once.
    CHECK(rules::emission_of({pool}, epochs, {epochs}).value == pool);
    CHECK(rules::emission_of({pool}, epochs, {UINT64_MAX}).value == pool);
  }
}

// Protocol §2.1 and §2.2.
TEST_CASE("fees follow the formula and refuse what does not fit") {
  const genesis_parameters p;
  CHECK(rules::base_fee(p, 1'000'000, 0).value == 1'000);
  CHECK(rules::base_fee(p, 1'000'000, 300).value == 1'000 + 5 * 300);
  CHECK(rules::base_fee(p, 10'000, 300).value == 25);
  CHECK(rules::base_fee(p, UINT64_MAX, 0) == supply_cap);
  CHECK(rules::full_fee(p, 1'000'000, 0, {2, 0}, {})->value == 1'600);
  CHECK(rules::full_fee(p, 1'000'000, 100, {2, 0}, {1'000'000'000})->value ==
        1'600 + 500 + 1'000'000);
  CHECK(rules::full_fee(p, 1'500'000, 0, {3, 0}, {9'999})->value == 2'850 + 9);
  CHECK(rules::full_fee(p, 2'000'000, 200, {3, 500}, {})->value == 2 * 3'400);
  CHECK(!rules::full_fee(p, UINT64_MAX, 0, {UINT64_MAX / 300, 0}, {UINT64_MAX}));
  CHECK(!rules::full_fee(p, 1, 0, {0, UINT64_MAX}, {}));
}

// Protocol §2.5.
TEST_CASE("the fee multiplier heads for the wanted burn, always moves, and keeps to its bounds") {
  const genesis_parameters p;
  // 10^16 shannons circulate, and 5 % a year are 10^16 / 20 / 365 a day.
  CHECK(rules::wanted_burn(p, supply_cap).value == supply_cap.value / 20 / 365);
  CHECK(rules::next_multiplier(p, 1'000'000, {100}, {0}) == 1'125'000);
  CHECK(rules::next_multiplier(p, 1'000'000, {100}, {100}) == 1'000'000);
  CHECK(rules::next_multiplier(p, 1'000'000, {110}, {100}) == 1'100'000);
  CHECK(rules::next_multiplier(p, 1'000'000, {1'000}, {100}) == 1'125'000);
  CHECK(rules::next_multiplier(p, 1'000'000, {95}, {100}) == 950'000);
  CHECK(rules::next_multiplier(p, 1'000'000, {1}, {100}) == 888'888);
  CHECK(rules::next_multiplier(p, 100'000'000, {2}, {1}) == 100'000'000);
  CHECK(rules::next_multiplier(p, 10'000, {1}, {2}) == 10'000);
  auto low = p;
  low.fee_multiplier_min_ppm = 1;
  CHECK(rules::next_multiplier(low, 5, {1'000'001}, {1'000'000}) == 6);
  CHECK(rules::next_multiplier(low, 5, {999'999}, {1'000'000}) == 4);
}

// Protocol §2.6.
TEST_CASE("congestion grows by an eighth with each full block, and is never under one") {
  CHECK(rules::fullness_ppm(0, 0) == 0);
  CHECK(rules::fullness_ppm(128 * 1'024, 1) == 500'000);
  CHECK(rules::fullness_ppm(1'000, 4'096) == 1'000'000);
  CHECK(rules::fullness_ppm(UINT64_MAX, 5'000) == 1'000'000);
  CHECK(rules::next_congestion(1'000'000, 1'000'000) == 1'125'000);
  CHECK(rules::next_congestion(1'000'000, 500'000) == 1'000'000);
  CHECK(rules::next_congestion(8'000'000, 0) == 7'000'000);
  CHECK(rules::next_congestion(8'000'000, 750'000) == 8'500'000);
  CHECK(rules::next_congestion(1'000'000, 0) == 1'000'000);
  std::uint64_t congestion = 1'000'000;
  for (int i = 0; i < 200; ++i) congestion = rules::next_congestion(congestion, 1'000'000);
  CHECK(congestion == 1'000'000'000'000);
  for (int i = 0; i < 200; ++i) congestion = rules::next_congestion(congestion, 0);
  CHECK(congestion == 1'000'000);
  chain_row chain;
  chain.fee_multiplier_ppm = 1'000'000'000;
  chain.congestion_ppm = 1'000'000'000'000;
  CHECK(rules::fee_multiplier(chain) == 1'000'000'000'000'000);
}

/// What the cheapest filling of a block pays: refused transactions of one size, which pay the base
/// fee alone. A signed body that can be read has more than 150 bytes.
rules::wide_uint cheapest_filling(const genesis_parameters& p, std::uint64_t multiplier_ppm) {
  std::optional<rules::wide_uint> least;
  for (std::uint64_t size = 150; size <= max_transaction_bytes; size += size / 50) {
    const auto count = std::min(max_block_transactions, max_block_payload_bytes / size);
    // What is left is filled with one transaction more.
    const auto rest = max_block_payload_bytes - count * size;
    rules::wide_uint cost = count * rules::base_fee(p, multiplier_ppm, size).value;
    if (rest > 0) cost += rules::base_fee(p, multiplier_ppm, rest).value;
    least = std::min(least.value_or(cost), cost);
  }
  return *least;
}

// Protocol §2.1 and §2.6. The attacks: all blocks of a day were filled for 359 SOMA, and later,
// with the largest transactions, sixty blocks for 0.037 SOMA, since a byte cost nothing.
TEST_CASE("attack: to fill all blocks costs the supply in three hours, whatever fills them") {
  const genesis_parameters p;
  rules::wide_uint cost = 0;
  std::uint64_t congestion = 1'000'000;
  std::vector<rules::wide_uint> after;
  for (int block = 0; block < 3 * 3'600; ++block) {
    // The fee of a filling is in proportion to the congestion, but for the last shannon.
    if (block < 300) cost += cheapest_filling(p, congestion);
    if (block >= 300) cost += after[299] - after[298];
    congestion = rules::next_congestion(congestion, 1'000'000);
    after.push_back(cost);
  }
  const rules::wide_uint soma = shannons_per_soma;
  CHECK(after[59] > rules::wide_uint{12'280'000'000});  // a minute
  CHECK(after[119] > 14'000 * soma);                    // two
  CHECK(after[299] > 230'000 * soma);                   // five
  CHECK(cost > supply_cap.value);
}

// Protocol §2.6 and §2.2.
TEST_CASE("full blocks make the next ones dearer, and empty ones cheap again") {
  const std::vector people{somebody(1), somebody(2)};
  network net(small_genesis(1, people));
  for (int blocks = 0; blocks < 3; ++blocks) {
    for (int i = 0; i < 600; ++i) net.send(people[0], tx::transfer{people[1].where(), {1}});
    net.queue.back().size_bytes = max_block_payload_bytes - 599 * 300;
    net.block();
  }
  CHECK(net.chain_now().congestion_ppm == 1'423'828);
  CHECK(net.last.outcomes[0].fee.value == 1'600ull * 1'265'625 / 1'000'000);
  CHECK(!net.run(people[0], tx::transfer{people[1].where(), {1}}));
  CHECK(net.last.outcomes[0].fee.value == 1'600ull * 1'423'828 / 1'000'000);
  for (int blocks = 0; blocks < 3; ++blocks) net.block();
  CHECK(net.chain_now().congestion_ppm == 1'000'000);
}

// Protocol §2.2.
TEST_CASE("a byte of a row that was not there costs a shannon; rows that change cost none") {
  const std::vector people{somebody(1), somebody(2)};
  auto genesis = small_genesis(1, people);
  genesis.parameters.row_byte_fee = 1;
  network net(genesis);
  const auto fee = [&](const person& to) {
    CHECK(!net.run(people[0], tx::transfer{to.where(), {1}}));
    return net.last.outcomes[0].fee.value;
  };
  CHECK(fee(people[1]) == 1'600);
  const auto size = 33 + encode(account_row{{1}, 0}).size();
  CHECK(fee(somebody(7)) == 1'600 + size);
  CHECK(fee(somebody(7)) == 1'600);
}

// Protocol §7.8 and §7.10.
TEST_CASE("the radius starts easy, follows the rate by four steps, and stops at 0.1 and 2.0") {
  CHECK(rules::sigma_q30(4) == (1u << 29));
  CHECK(rules::sigma_q30(2'048) == 23'726'566);  // 2^30 / sqrt(2048) = 23726566.41
  CHECK(rules::radius_q30(-2'000'000, 2'048) == (1u << 30) + 2 * 23'726'566);
  CHECK(rules::radius_q30(0, 2'048) == 1u << 30);
  CHECK(rules::radius_q30(-1'000'000'000, 4) == rules::max_radius_q30);
  CHECK(rules::radius_q30(1'000'000'000, 4) == rules::min_radius_q30);
  // Of 2,400 hits an epoch in 24 slices: 100 a slice.
  const auto step = [](std::uint64_t hits, std::uint64_t slices = 1) {
    return rules::difficulty_step(hits, slices, 24, 2'400);
  };
  CHECK(step(0) == -300'000);
  CHECK(step(24) == -300'000);
  CHECK(step(25) == -100'000);
  CHECK(step(87) == -100'000);
  CHECK(step(88) == 0);
  CHECK(step(112) == 0);
  CHECK(step(113) == 100'000);
  CHECK(step(400) == 100'000);
  CHECK(step(401) == 300'000);
  CHECK(step(401, 4) == 0);  // four slices passed in one block
  CHECK(step(401, 24) == -300'000);
  CHECK(rules::difficulty_step(UINT64_MAX, 24, 24, 1'000'000'000) == 300'000);
  CHECK(rules::next_difficulty(-2'000'000, 300'000, 2'048) == -1'700'000);
  std::int64_t harder = -2'000'000;
  std::int64_t easier = -2'000'000;
  for (int i = 0; i < 200; ++i) {
    const auto h = rules::next_difficulty(harder, 300'000, 2'048);
    CHECK(rules::radius_q30(h, 2'048) <= rules::radius_q30(harder, 2'048));
    harder = h;
    easier = rules::next_difficulty(easier, -300'000, 2'048);
  }
  CHECK(rules::radius_q30(harder, 2'048) - rules::min_radius_q30 < 100);
  CHECK(rules::max_radius_q30 - rules::radius_q30(easier, 2'048) < 100);
  CHECK(rules::next_difficulty(harder, -100'000, 2'048) < harder);
}

std::vector<std::uint32_t> powers(std::vector<std::uint64_t> stakes,
                                  voting_power max_power = total_power) {
  std::vector<rules::power_share> members;
  for (std::size_t i = 0; i < stakes.size(); ++i) {
    address a;
    a.value[0] = static_cast<std::uint8_t>(i >> 8);
    a.value[1] = static_cast<std::uint8_t>(i);
    members.push_back({a, {stakes[i]}, {}});
  }
  rules::assign_power(members, max_power);
  std::vector<std::uint32_t> list;
  for (const auto& m : members) list.push_back(m.power.value);
  return list;
}

std::vector<std::uint64_t> random_stakes(dice& d) {
  std::vector<std::uint64_t> stakes;
  const auto members = 1 + d.below(100);
  for (std::uint64_t i = 0; i < members; ++i)
    stakes.push_back(1 + (d.next() >> (12 + d.below(50))));
  return stakes;
}

// Protocol §5.4.
TEST_CASE("voting power is stake, and a unit that remains goes to the highest average") {
  using list = std::vector<std::uint32_t>;
  CHECK(powers({7}) == list{10'000});
  CHECK(powers({1, 1, 1}) == list{3'334, 3'333, 3'333});
  CHECK(powers({3, 1}) == list{7'500, 2'500});
  // 9708.7 and three times 97.09: a hundred over 9709 is more than one over 98.
  CHECK(powers({100, 1, 1, 1}) == list{9'709, 97, 97, 97});
  CHECK(powers({0, 5, 5}) == list{0, 5'000, 5'000});
  CHECK(powers({0, 0}) == list{0, 0});
  CHECK(powers({20'000, 1}) == list{10'000, 0});
}

// Protocol §5.4.1.
TEST_CASE("under a genesis's cap the excess goes to others, none lifted above five quarters") {
  using list = std::vector<std::uint32_t>;
  CHECK(powers({3, 1}, {5'000}) == list{6'875, 3'125});            // 3125 is five quarters of 2500
  CHECK(powers({1, 1, 1}, {1'000}) == list{3'334, 3'333, 3'333});  // nobody has room
  list expected(12, 625);
  expected[0] = 3'125;
  CHECK(powers({900, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100}, {1'000}) == expected);
  // 50 units are above the cap; each of eight others has room for 50: 6.25 each, so two have 7.
  CHECK(powers({120, 110, 110, 110, 110, 110, 110, 110, 110}, {1'150}) ==
        list{1'150, 1'107, 1'107, 1'106, 1'106, 1'106, 1'106, 1'106, 1'106});
  CHECK(powers({3, 3, 1, 3}, {2'499}) == list{2'916, 2'917, 1'250, 2'917});
  CHECK(powers({1, 999}, {9'989}) == list{11, 9'989});
}

// Protocol §5.4 and §5.4.1: however a stake is split, power is at most 1.25 of it.
TEST_CASE(
    "no part of a committee has more than a hundredth, or under a cap a quarter, above its "
    "stake") {
  for (std::uint64_t seed = 0; seed < 3'000; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    const auto stakes = random_stakes(d);
    rules::wide_uint all = 0;
    for (const auto s : stakes) all += s;
    const voting_power cap{static_cast<std::uint32_t>(1 + d.below(10'000))};
    const auto free = powers(stakes);
    const auto capped = powers(stakes, cap);
    std::uint64_t sum = 0, capped_sum = 0;
    for (std::size_t i = 0; i < stakes.size(); ++i) {
      sum += free[i];
      capped_sum += capped[i];
      // What holds for each member holds for every set of members.
      CHECK(free[i] * all <= rules::wide_uint{stakes[i]} * (10'000 + stakes.size()));
      CHECK(capped[i] * all * 4 <= rules::wide_uint{stakes[i]} * 50'000);
      CHECK(capped[i] <= std::max(free[i], cap.value));
      if (free[i] <= cap.value) CHECK(capped[i] >= free[i]);
      for (std::size_t j = 0; j < stakes.size(); ++j) {
        if (stakes[i] > stakes[j]) CHECK(free[i] >= free[j]);
      }
    }
    CHECK(sum == 10'000);
    CHECK(capped_sum == 10'000);
  }
}

TEST_CASE("a stake that is split among many names has no more power than under one") {
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    auto stakes = random_stakes(d);
    std::uint64_t whole = 1 + (d.next() >> (12 + d.below(50)));
    stakes.push_back(whole);
    const auto united = powers(stakes).back();
    stakes.pop_back();
    const auto first = stakes.size();
    const auto names = 1 + d.below(60);
    for (std::uint64_t i = 0; i < names && whole > 0; ++i) {
      const auto part = i + 1 == names ? whole : 1 + d.below(whole);
      stakes.push_back(part);
      whole -= part;
    }
    const auto list = powers(stakes);
    std::uint64_t divided = 0;
    for (std::size_t i = first; i < list.size(); ++i) divided += list[i];
    CHECK(divided <= united + 1u);  // one unit by the tie of equal averages
  }
}

// The attack: 1.96 % of the stake in ten names had half of the power, 10 % had a quorum.
TEST_CASE("attack: power against stake is 1.00 where a small stake is split in many") {
  std::vector<std::uint64_t> stakes{490'000};
  for (int i = 0; i < 10; ++i) stakes.push_back(980);
  const auto list = powers(stakes);
  std::uint64_t attacker = 0;
  for (std::size_t i = 1; i < list.size(); ++i) attacker += list[i];
  CHECK(attacker <= 196);  // 1.96 % of 10,000
  stakes.assign(10, 90'000);
  for (int i = 0; i < 90; ++i) stakes.push_back(1'111);
  const auto many = powers(stakes);
  attacker = 0;
  for (std::size_t i = 10; i < many.size(); ++i) attacker += many[i];
  CHECK(attacker <= 1'000);
  CHECK(attacker * 100 >= 9 * 10'000);
}

// Protocol §3.2.
TEST_CASE("a network emits its whole pool over its epochs, and no shannon more") {
  const std::vector people{somebody(1)};
  auto genesis = small_genesis(1, people);
  genesis.parameters.emission_epochs = 7;
  genesis.parameters.target_share_bps = 0;  // without targets their part would come back
  network net(genesis);
  const auto pool = rules::emission_pool(genesis);
  CHECK(net.chain_now().unissued == *pool);
  for (int e = 0; e < 9; ++e) {
    net.end_epoch();
    CHECK(net.chain_now().epoch.value == static_cast<std::uint64_t>(e) + 1);
    CHECK((net.chain_now().unissued.value == 0) == (e >= 6));
  }
}

// Protocol §5.8.
TEST_CASE("validators are paid by power; the part of absent validators goes to the next targets") {
  const std::vector people{somebody(1)};
  network net(small_genesis(3, people));
  const auto who = ledger::read_committee(net.state).seats;
  REQUIRE(who.size() == 3);
  net.silent.insert(who[0].member);
  const auto stake = ledger::read_validator(net.state, who[0].member)->pool.stake;
  const auto stakes_before = net.chain_now().staked.value;
  const auto split = rules::split_emission(net.chain_now().epoch_emission, 8'000);
  net.block();
  net.end_epoch();
  const auto part = [&](std::size_t i) {
    return split.validators.value * who[i].power.value / 10'000;
  };
  CHECK(net.chain_now().staked.value == stakes_before + part(1) + part(2));
  CHECK(net.chain_now().target_pot.value ==
        split.targets.value + split.validators.value - part(1) - part(2));
  CHECK(ledger::read_validator(net.state, who[0].member)->pool.stake == stake);
}

}  // namespace
}  // namespace soma::test
