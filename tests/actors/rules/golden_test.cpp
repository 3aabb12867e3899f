// Numbers from outside the code: worked out by hand, by a slow calculation beside it, or taken from
// the reference implementation of the same network where our rules agree with it.
#include <doctest/doctest.h>

#include "actors/rules/difficulty.hpp"
#include "actors/rules/emission.hpp"
#include "actors/rules/epoch.hpp"
#include "actors/rules/fees.hpp"
#include "actors/rules/voting_power.hpp"
#include "tests/actors/rules/network.hpp"

namespace soma::test {
namespace {

using numbers = std::vector<std::uint64_t>;

TEST_CASE("emission: the parts of every epoch are floors whose sum is the pool, for many lengths") {
  constexpr std::uint64_t cap = supply_cap.value;
  for (const std::uint64_t pool : {cap, cap - 1, cap - soma_coins(200'000),
                                   std::uint64_t{9'999'999'999'999'937}, std::uint64_t{1}}) {
    for (const std::uint64_t epochs :
         {1ull, 2ull, 3ull, 97ull, 365ull, 3'649ull, 3'650ull, 3'651ull, 7'919ull, 10'007ull}) {
      CAPTURE(pool);
      CAPTURE(epochs);
      std::uint64_t unissued = pool;
      for (std::uint64_t e = 0; e < epochs; ++e) {
        // The first epochs have the floor of the pool's part, the last ones the odd shannons.
        const auto odd = e >= epochs - pool % epochs ? 1 : 0;
        const auto released = rules::emission_of({unissued}, epochs, {e}).value;
        REQUIRE(released == pool / epochs + odd);
        unissued -= released;
      }
      CHECK(unissued == 0);
    }
  }
}

TEST_CASE("emission: ten years of days, as literal numbers") {
  // 9,800,000 SOMA over 3,650 epochs are 2,684.931506849315... SOMA each.
  const shannons pool{soma_coins(9'800'000)};
  CHECK(rules::emission_of(pool, 3'650, {0}).value == 2'684'931'506'849);
  CHECK(rules::emission_of({2 * 2'684'931'506'850}, 3'650, {3'648}).value == 2'684'931'506'850);
  const auto split = rules::split_emission({2'684'931'506'849}, 8'000);
  CHECK(split.targets.value == 2'147'945'205'479);
  CHECK(split.validators.value == 536'986'301'370);  // the odd shannon
  // The reference: a million SOMA, 80 % to the targets of 100 hits, is 8,000 SOMA a hit.
  CHECK(rules::split_emission({soma_coins(1'000'000)}, 8'000).targets.value / 100 ==
        soma_coins(8'000));
}

address numbered(std::size_t i) {
  address a;
  a.value[0] = static_cast<std::uint8_t>(i >> 8);
  a.value[1] = static_cast<std::uint8_t>(i);
  return a;
}

numbers powers(const numbers& stakes) {
  std::vector<rules::power_share> members;
  for (std::size_t i = stakes.size(); i-- > 0;) members.push_back({numbered(i), {stakes[i]}, {7}});
  rules::assign_power(members, total_power);
  numbers list;
  for (const auto& m : members) list.push_back(m.power.value);
  return list;
}

/// Protocol §5.4 computed in another way: all units of power go out one after the other.
numbers slow_powers(const numbers& stakes) {
  numbers result(stakes.size());
  for (int unit = 0; unit < 10'000; ++unit) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < stakes.size(); ++i) {
      if (static_cast<unsigned __int128>(stakes[i]) * (result[best] + 1) >
          static_cast<unsigned __int128>(stakes[best]) * (result[i] + 1))
        best = i;
    }
    ++result[best];
  }
  return result;
}

TEST_CASE("voting power: the reference's stakes, by stake alone") {
  CHECK(powers({100, 200, 300, 400}) == numbers{1'000, 2'000, 3'000, 4'000});
  CHECK(powers({1, 1, 1}) == numbers{3'334, 3'333, 3'333});
  CHECK(powers({1}) == numbers{10'000});
  CHECK(powers({200, 100, 100}) == numbers{5'000, 2'500, 2'500});
  CHECK(powers({100, 100}) == numbers{5'000, 5'000});
  CHECK(powers({200, 100}) == numbers{6'667, 3'333});
  // 9970.09 and 9.97: the units go where 1000 / 9971 is more than 1 / 10, and then not.
  CHECK(powers({1'000, 1, 1, 1}) == numbers{9'973, 9, 9, 9});
}

TEST_CASE("voting power: more inputs by hand") {
  CHECK(powers({0, 5, 0}) == numbers{0, 10'000, 0});
  // A hundred equals have 100 each; of three hundred 33, and the first hundred one more.
  CHECK(powers(numbers(100, 77)) == numbers(100, 100));
  numbers many(300, 33);
  for (std::size_t i = 0; i < 100; ++i) many[i] = 34;
  CHECK(powers(numbers(300, 5)) == many);
  // Twenty with 481 + 2 i: sums to 10,000, so each has its stake.
  numbers odd;
  for (std::uint64_t i = 0; i < 20; ++i) odd.push_back(481 + 2 * i);
  CHECK(powers(odd) == odd);
}

TEST_CASE("voting power: the slow calculation agrees on random stakes, up to the whole supply") {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    numbers stakes;
    const auto shape = d.below(4);
    for (std::uint64_t i = 0; i < 1 + seed % 100; ++i) {
      const auto wild = 1 + (d.next() % supply_cap.value >> d.below(50));
      stakes.push_back(shape == 0   ? wild
                       : shape == 1 ? 1 + d.below(5)
                       : shape == 2 ? 1'000
                                    : wild % 97 + 1);
    }
    REQUIRE(powers(stakes) == slow_powers(stakes));
  }
}

/// The fee multiplier after each of several epochs with these wanted and burned amounts.
numbers multipliers(std::uint64_t start,
                    const std::vector<std::pair<std::uint64_t, std::uint64_t>>& epochs) {
  const genesis_parameters p;
  numbers list;
  for (const auto& [want, burned] : epochs) {
    start = rules::next_multiplier(p, start, {want}, {burned});
    list.push_back(start);
  }
  return list;
}

TEST_CASE("fees: sequences of the multiplier") {
  using epochs = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
  // Far too much is burned: the multiplier is multiplied by 8/9 and rounded down.
  CHECK(multipliers(1'000'000, epochs(8, {1, 100})) ==
        numbers{888'888, 790'122, 702'330, 624'293, 554'927, 493'268, 438'460, 389'742});
  // Far too little is burned: it is multiplied by 9/8 and rounded up. Burning nothing gives the
  // same.
  const numbers rising{1'125'000, 1'265'625, 1'423'829, 1'601'808,
                       1'802'034, 2'027'289, 2'280'701, 2'565'789};
  CHECK(multipliers(1'000'000, epochs(8, {100, 1})) == rising);
  CHECK(multipliers(1'000'000, epochs(8, {100, 0})) == rising);
  CHECK(multipliers(1'000'000, epochs(8, {0, 0})) == rising);
  CHECK(multipliers(1'000'000, {{100, 1}, {1, 100}, {100, 1}, {1, 100}}) ==
        numbers{1'125'000, 1'000'000, 1'125'000, 1'000'000});
  // Within the clamp it follows the ratio: 104 % and 96 %.
  CHECK(multipliers(1'000'000, epochs(6, {104, 100})) ==
        numbers{1'040'000, 1'081'600, 1'124'864, 1'169'859, 1'216'654, 1'265'321});
  CHECK(multipliers(1'000'000, epochs(6, {96, 100})) ==
        numbers{960'000, 921'600, 884'736, 849'346, 815'372, 782'757});
  // It reaches its bounds after 39 epochs down to 10^4 and 40 up to 10^8. Then it stays there, and
  // it can come back.
  const auto down = multipliers(1'000'000, epochs(60, {1, 100}));
  CHECK(down[38] == 10'112);
  CHECK(down[39] == 10'000);
  CHECK(down[59] == 10'000);
  const auto up = multipliers(1'000'000, epochs(60, {100, 1}));
  CHECK(up[38] == 98'843'883);
  CHECK(up[39] == 100'000'000);
  CHECK(up[59] == 100'000'000);
  CHECK(multipliers(10'000, {{2, 1}}) == numbers{11'250});
  CHECK(multipliers(100'000'000, {{1, 2}}) == numbers{88'888'888});
}

TEST_CASE("fees: the multiplier is never stuck but at its bounds or where burning is as wanted") {
  genesis_parameters p;
  p.fee_multiplier_min_ppm = 1;
  for (std::uint64_t now = 2; now < 3'000; ++now) {
    CAPTURE(now);
    CHECK(rules::next_multiplier(p, now, {1'000'001}, {1'000'000}) == now + 1);
    CHECK(rules::next_multiplier(p, now, {999'999}, {1'000'000}) == now - 1);
    CHECK(rules::next_multiplier(p, now, {5}, {5}) == now);
    CHECK(rules::next_multiplier(p, now, {5}, {0}) > now);
  }
  CHECK(rules::next_multiplier(p, 1, {1}, {2}) == 1);
}

// Protocol §2.5.
TEST_CASE("fees: what should burn in an epoch is 5 % a year of what circulates") {
  genesis_parameters p;
  CHECK(rules::wanted_burn(p, {soma_coins(200'000)}).value == 27'397'260'273);  // 10,000 SOMA / 365
  p.epoch_ms = 1'000;
  // 10,000 SOMA in 31,536,000 seconds.
  CHECK(rules::wanted_burn(p, {soma_coins(200'000)}).value == 317'097);
  CHECK(rules::wanted_burn(p, {0}).value == 0);
}

// Protocol §7.8 and §7.10.
TEST_CASE("difficulty: sequences of z and of the radius") {
  const auto sequence = [](std::uint32_t dim, std::size_t slices, std::int64_t step) {
    std::int64_t z = -2'000'000;
    for (std::size_t e = 0; e < slices; ++e) z = rules::next_difficulty(z, step, dim);
    return z;
  };
  CHECK(sequence(2'048, 20, 100'000) == 0);
  CHECK(sequence(2'048, 6, -300'000) == -3'800'000);
  // Where the radius meets 0.1 and 2.0: (1 - 0.1) / sigma and -1 / sigma.
  CHECK(sequence(2'048, 142, 300'000) == 40'600'000);
  CHECK(sequence(2'048, 143, 300'000) == 40'729'351);
  CHECK(sequence(2'048, 200, -300'000) == -45'254'834);
  CHECK(sequence(4, 200, 300'000) == 1'800'000);
  CHECK(sequence(4, 1, -100'000) == -2'000'000);
  CHECK(rules::radius_q30(-2'000'000, 2'048) == 1'121'194'956);
  CHECK(rules::radius_q30(-1'800'000, 2'048) == 1'116'449'643);
  CHECK(rules::radius_q30(100'000, 2'048) == 1'071'369'168);
  CHECK(rules::radius_q30(-1, 2'048) == 1'073'741'848);  // -23.7 is -24
  CHECK(rules::radius_q30(1, 2'048) == 1'073'741'801);
  CHECK(rules::radius_q30(-1'800'000, 4) == 2'040'109'466);
}

}  // namespace
}  // namespace soma::test
