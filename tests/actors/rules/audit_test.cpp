#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "actors/rules/audit.hpp"
#include "tests/actors/rules/network.hpp"

namespace soma::test {
namespace {

using rules::contender;

std::uint32_t bits(float value) {
  return std::bit_cast<std::uint32_t>(value);
}

model_version_ref model(std::uint64_t number) {
  return {id_from<model_id>(number), 1};
}

// Protocol §8.3.2.
TEST_CASE("a loss becomes an integer of 2^-24, truncated, and an invalid loss becomes nullopt") {
  const auto scaled = [](float loss) {
    const auto s = rules::scale_loss(bits(loss));
    REQUIRE(s.has_value());
    return std::ldexp(static_cast<double>(s->significand), static_cast<int>(s->shift));
  };
  for (const float loss :
       {0.0f, 1.0f, 0.75f, 5.5f, 3.14159f, 1e-3f, 1e-7f, 6e-8f, 5e-8f, 1e20f, 3e38f, 1e-45f}) {
    CAPTURE(loss);
    CHECK(scaled(loss) == std::floor(std::ldexp(static_cast<double>(loss), 24)));
  }
  for (const std::uint32_t bad :
       {0x7f800000u, 0x7fc00000u, 0xff800000u, 0x80000000u, 0xbf800000u, 0xffffffffu}) {
    CAPTURE(bad);
    CHECK(!rules::scale_loss(bad));
  }
}

TEST_CASE(
    "taking the lead is exact: it agrees with arithmetic on long doubles wherever those are "
    "exact") {
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    const std::uint32_t a = static_cast<std::uint32_t>(d.below(0x7f800000));
    const std::uint32_t b =
        d.chance(50)
            ? static_cast<std::uint32_t>(d.below(0x7f800000))
            : std::min<std::uint32_t>(0x7f7fffff, a + static_cast<std::uint32_t>(d.below(8'192)));
    const auto x = *rules::scale_loss(a);
    const auto y = *rules::scale_loss(b);
    const long double left =
        std::ldexp(static_cast<long double>(x.significand) * 4096, static_cast<int>(x.shift));
    const long double right =
        std::ldexp(static_cast<long double>(y.significand) * 4095, static_cast<int>(y.shift));
    CHECK(rules::takes_the_lead(x, y) == (left < right));
  }
}

// Protocol §8.3.3.
TEST_CASE(
    "the lowest loss wins, invalid scores never do, and there is no winner when all are invalid") {
  const std::vector<contender> three{{model(1), 1, bits(2.0f), true},
                                     {model(2), 2, bits(1.5f), true},
                                     {model(3), 3, bits(0.5f), false}};
  CHECK(rules::winner_of(three) == 1u);
  CHECK(!rules::winner_of(std::vector<contender>{{model(1), 1, bits(1.0f), false}}));
  CHECK(!rules::winner_of({}));
  CHECK(!rules::winner_of(std::vector<contender>{{model(1), 1, bits(NAN), true}}));
}

// Protocol §8.3.3.
TEST_CASE("copies with noise never beat their original, whatever their place in the list") {
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    const float loss = 0.01f + static_cast<float>(d.below(1'000'000)) / 100'000.0f;
    std::vector<contender> all{{model(1), 1, bits(loss), true}};
    for (std::uint64_t copy = 2; copy < 2 + d.below(6); ++copy) {
      // Copies are up to one part in 5000 better, which is less than the margin.
      const float better = loss * (1.0f - static_cast<float>(d.below(1'000)) / 5'000'000.0f);
      all.push_back({model(copy), copy, bits(better), true});
    }
    for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[d.below(i)]);
    const auto winner = rules::winner_of(all);
    REQUIRE(winner.has_value());
    CHECK(all[*winner].activation_order == 1);
  }
}

TEST_CASE("the order of the list does not decide the winner, and equal activation goes by id") {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    std::vector<contender> all;
    for (std::uint64_t i = 0; i < 3 + d.below(4); ++i) {
      all.push_back({model(i), d.below(4), bits(1.0f + static_cast<float>(d.below(4)) / 8'000),
                     d.chance(85)});
    }
    const auto first = rules::winner_of(all);
    const auto name = first ? std::optional(all[*first].model) : std::nullopt;
    for (int shuffle = 0; shuffle < 5; ++shuffle) {
      for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[d.below(i)]);
      const auto again = rules::winner_of(all);
      CHECK((again ? std::optional(all[*again].model) : std::nullopt) == name);
    }
  }
  const auto low = std::min(model(1), model(2));
  const std::vector<contender> tie{{model(1), 1, bits(1.0f), true},
                                   {model(2), 1, bits(1.0f), true}};
  CHECK(tie[*rules::winner_of(tie)].model == low);
}

TEST_CASE("a model that cannot win any more may be left out: the winner is the same without it") {
  int left_out = 0;
  for (std::uint64_t seed = 0; seed < 5'000; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    // Models in the order of activation, with losses that differ by about the margin.
    std::vector<contender> all;
    const std::uint64_t count = 2 + d.below(5);
    for (std::uint64_t i = 0; i < count; ++i) {
      all.push_back(
          {model(i), i, bits(1.0f - static_cast<float>(d.below(9)) * 0x1p-13f), d.chance(90)});
    }
    const auto last = all[d.below(count)];
    std::vector<contender> earlier;
    for (const auto& one : all) {
      if (one.activation_order < last.activation_order) earlier.push_back(one);
    }
    const float loss = std::bit_cast<float>(last.loss_bits);
    if (!rules::cannot_win(loss, earlier)) {
      earlier.push_back(last);
      // The model takes the lead, unless no model is valid so far.
      if (last.valid) CHECK(earlier[*rules::winner_of(earlier)].model == last.model);
      continue;
    }
    ++left_out;
    const auto with = rules::winner_of(all);
    auto without = all;
    std::erase_if(without, [&](const contender& one) { return one.model == last.model; });
    const auto winner = rules::winner_of(without);
    REQUIRE(with.has_value());
    REQUIRE(winner.has_value());
    CHECK(all[*with].model == without[*winner].model);
  }
  CHECK(left_out > 1'000);
  CHECK(!rules::cannot_win(5.0f, {}));
  const std::vector<contender> leader{{model(1), 1, bits(1.0f), true}};
  CHECK(rules::cannot_win(std::numeric_limits<float>::max(), leader));
  CHECK(!rules::cannot_win(0.0f, leader));
}

// Protocol §8.3.1.
TEST_CASE("an auditor names the first thing that is wrong") {
  submission_row claim;
  claim.winner = model(1);
  claim.loss_bits = bits(1.0f);
  claim.distance_q30 = 77;
  claim.size_bytes = 500;
  std::vector<rules::audited_score> scores{{{model(2), 2, bits(1.2f), true}, 99},
                                           {{model(1), 1, bits(1.0f), true}, 77}};
  const auto verdict = [&](bool available = true, std::uint64_t size = 500) {
    return rules::judge(claim, {available, size}, scores);
  };
  CHECK(verdict() == audit_verdict::ok);
  CHECK(verdict(false, 3) == audit_verdict::unavailable);
  CHECK(verdict(true, 501) == audit_verdict::wrong_size);
  scores[1].distance_q30 = 78;
  CHECK(verdict() == audit_verdict::wrong_distance);
  scores[1].result.loss_bits = bits(1.0f) + 1;
  CHECK(verdict() == audit_verdict::wrong_loss);
  claim.winner = model(2);
  CHECK(verdict() == audit_verdict::wrong_winner);
  scores[0].result.valid = scores[1].result.valid = false;
  CHECK(verdict() == audit_verdict::wrong_winner);
}

}  // namespace
}  // namespace soma::test
