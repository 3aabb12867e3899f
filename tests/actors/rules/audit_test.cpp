// The verdict of an auditor, who is called to audit, how a sample settles, and what an audit costs.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "actors/rules/audit.hpp"
#include "actors/rules/committee.hpp"
#include "actors/rules/settlement.hpp"
#include "tests/actors/rules/sampling/sampled_network.hpp"

namespace soma::test {
namespace {

using rules::contender;
using rules::refusal;

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

/// Seats in order with these powers.
committee_row seats_of(const std::vector<std::uint32_t>& powers) {
  committee_row committee;
  for (std::size_t i = 0; i < powers.size(); ++i) {
    address member;
    member.value[0] = static_cast<std::uint8_t>(i);
    committee.seats.push_back({member, {}, {powers[i]}});
  }
  return committee;
}

template <class Id>
Id ascending(std::uint8_t first) {
  Id id;
  for (auto& byte : id.value) byte = first++;
  return id;
}

// Protocol §8.3.5. The numbers were made with another SHA-256, by the words of the protocol.
TEST_CASE("a sample is drawn by power from the hash of the entropy and the target's id") {
  submission_row s;
  s.audit_seed = signing::audit_seed_of(ascending<hash256>(0), ascending<target_id>(100));
  CHECK(s.audit_seed.text() ==
        "0x1874930e81bfcc8f2da6ce764d8dcc91035713ef259655b6426a49c24f4c6c5e");
  std::vector<std::uint32_t> powers;
  for (std::uint32_t i = 1; i < 20; ++i) powers.push_back(i * 47);
  powers.push_back(1'070);
  CHECK(rules::draws_by_seat(s, seats_of(powers)) ==
        std::vector<std::uint32_t>{0, 0, 0, 0, 1, 0, 2, 1, 1, 1, 0, 0, 2, 0, 2, 2, 1, 0, 1, 2});
  CHECK(rules::draws_by_seat(s, seats_of({10'000})) == std::vector<std::uint32_t>{16});
}

// Protocol §8.3.5.
TEST_CASE("over many seeds each seat is drawn in proportion to its power") {
  const std::vector<std::uint32_t> powers{4'000, 3'000, 2'000, 900, 99, 1};
  const auto committee = seats_of(powers);
  std::vector<std::uint64_t> seen(powers.size());
  constexpr std::uint64_t rounds = 5'000;
  for (std::uint64_t i = 0; i < rounds; ++i) {
    submission_row s;
    s.audit_seed = id_from(i);
    const auto draws = rules::draws_by_seat(s, committee);
    REQUIRE(std::accumulate(draws.begin(), draws.end(), 0u) == rules::audit_draws);
    for (std::size_t k = 0; k < draws.size(); ++k) seen[k] += draws[k];
  }
  for (std::size_t k = 0; k < powers.size(); ++k) {
    const double wanted = 16.0 * rounds * powers[k] / 10'000;
    CHECK(std::abs(static_cast<double>(seen[k]) - wanted) < 4 * std::sqrt(wanted));
  }
}

/// An undecided submission that a sample of twenty equal seats audits, and all that can change it.
struct call {
  genesis_parameters p;
  submission_row s;
  committee_row committee = seats_of(std::vector<std::uint32_t>(20, 500));
  chain_row chain;

  call() {
    p.epoch_ms = 2'400;
    s.audit_seed = id_from(3);
    s.audit_seed.value[31] = 0x31;
    s.revealed_at = block_height{10};
    s.revealed_ms = 1'000;
    chain.epoch_first_block = {10};
    chain.time_ms = 1'099;
  }
  [[nodiscard]] bool all() const { return rules::calls_all(p, s, committee, chain); }
  [[nodiscard]] bool calls(std::size_t seat) const {
    return rules::is_called(p, s, committee, chain, committee.seats[seat].member);
  }
};

// Protocol §8.3.5.
TEST_CASE("a sample is called until there is a reason to call all: each reason alone is enough") {
  CHECK_FALSE(call{}.all());
  call small;
  small.committee = seats_of(std::vector<std::uint32_t>(16, 625));
  CHECK(small.all());
  small.committee = seats_of(
      {1'000, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 1'500});
  CHECK_FALSE(small.all());  // 17 seats
  call picked;
  picked.s.audit_seed.value[31] = 0x30;
  CHECK(picked.all());
  picked.s.audit_seed.value[31] = 0x38;
  CHECK_FALSE(picked.all());
  call doubted;
  doubted.s.votes = {{doubted.committee.seats[7].member, 500, audit_verdict::ok}};
  CHECK_FALSE(doubted.all());
  doubted.s.votes.push_back({doubted.committee.seats[8].member, 500, audit_verdict::wrong_loss});
  CHECK(doubted.all());
  call late;
  late.chain.time_ms = 1'100;
  CHECK(late.all());
  call older;
  older.chain.epoch_first_block = {11};
  CHECK(older.all());
}

// Protocol §8.3.5.
TEST_CASE("a sample calls the drawn alone, all calls every member, and nobody else is called") {
  call c;
  const auto draws = rules::draws_by_seat(c.s, c.committee);
  std::size_t called = 0;
  for (std::size_t i = 0; i < draws.size(); ++i) {
    CHECK(c.calls(i) == (draws[i] > 0));
    called += draws[i] > 0 ? 1 : 0;
  }
  CHECK(called < draws.size());
  c.chain.time_ms = 1'100;
  for (std::size_t i = 0; i < draws.size(); ++i) CHECK(c.calls(i));
  CHECK_FALSE(rules::is_called(c.p, c.s, c.committee, c.chain, id_from<address>(5)));
}

// Protocol §8.4.5.
TEST_CASE(
    "fourteen draws of ok settle, thirteen do not, and a seat counts as often as it is drawn") {
  call c;
  const auto draws = rules::draws_by_seat(c.s, c.committee);
  const auto settles = [&] { return rules::sample_settles(c.p, c.s, c.committee, c.chain); };
  std::uint32_t with_ok = 0;
  for (std::size_t i = 0; i < draws.size(); ++i) {  // those that were not drawn count nothing
    if (draws[i] == 0) c.s.votes.push_back({c.committee.seats[i].member, 500, audit_verdict::ok});
  }
  CHECK(rules::draws_with_ok(c.s, c.committee) == 0);
  bool seen_13 = false;
  for (std::size_t i = 0; i < draws.size(); ++i) {
    if (draws[i] == 0) continue;
    CHECK(settles() == (with_ok >= 14));
    seen_13 = seen_13 || with_ok == 13;
    c.s.votes.push_back({c.committee.seats[i].member, 500, audit_verdict::ok});
    with_ok += draws[i];
    CHECK(rules::draws_with_ok(c.s, c.committee) == with_ok);
  }
  CHECK(seen_13);
  CHECK(with_ok == 16);
  CHECK(settles());
  c.chain.time_ms = 1'100;
  CHECK_FALSE(settles());  // all are called, and their quorum decides
}

// Protocol §8.3 and §8.4.5.
TEST_CASE("in a committee of 24 the sample says ok alone, and owes its votes alone") {
  sampled_network a(24);
  const auto id = a.revealed_for_a_sample();
  CHECK(a.submission(id).audit_seed ==
        crypto::tagged_hash("soma.audit").add(a.reveal_entropy).add(id).finish());
  const auto draws = a.draws(id);
  std::vector<std::size_t> drawn, rest;
  for (std::size_t i = 0; i < draws.size(); ++i) (draws[i] > 0 ? drawn : rest).push_back(i);
  // Who is drawn most often votes first, so that some are not needed.
  std::ranges::stable_sort(drawn, [&](auto x, auto y) { return draws[x] > draws[y]; });
  CHECK(a.vote(rest[0], id, audit_verdict::ok) == refusal::not_called);
  std::uint32_t with_ok = 0;
  std::size_t next = 0;
  while (with_ok < 14) {
    CHECK(a.status(id) == target_status::revealed);
    with_ok += draws[drawn[next]];
    CHECK(!a.vote(drawn[next++], id, audit_verdict::ok));
  }
  CHECK(a.status(id) == target_status::settled);
  CHECK(a.submission(id).sampled);
  const auto owed = [&](std::size_t i) { return a.seats()[i].audits_due; };
  const auto cast = [&](std::size_t i) { return a.seats()[i].audits_cast; };
  for (std::size_t i = 0; i < draws.size(); ++i) CHECK(owed(i) == (draws[i] > 0 ? 1 : 0));
  for (std::size_t k = 0; k < drawn.size(); ++k) CHECK(cast(drawn[k]) == (k < next ? 1 : 0));
  // After the decision only who had been called can still make up for its silence.
  CHECK(a.vote(rest[0], id, audit_verdict::ok) == refusal::not_called);
  CHECK(a.vote(rest[1], id, audit_verdict::wrong_loss) == refusal::not_called);
  REQUIRE(next + 1 < drawn.size());
  CHECK(!a.vote(drawn[next], id, audit_verdict::ok));
  CHECK(cast(drawn[next]) == 1);
  CHECK(a.status(id) == target_status::settled);
  a.net.end_epoch();
  CHECK(a.vote(drawn[next + 1], id, audit_verdict::ok) == refusal::not_called);
}

// Protocol §8.3.5 and §8.4.
TEST_CASE(
    "one dissent of anybody calls all members; the quorum decides, and all of them owe votes") {
  for (const bool is_true : {true, false}) {
    CAPTURE(is_true);
    sampled_network a(24);
    const auto id = a.revealed_for_a_sample();
    const auto draws = a.draws(id);
    std::vector<std::size_t> drawn, rest;
    for (std::size_t i = 0; i < draws.size(); ++i) (draws[i] > 0 ? drawn : rest).push_back(i);
    CHECK(!a.vote(drawn[0], id, audit_verdict::ok));
    CHECK(!a.vote(rest[0], id, audit_verdict::wrong_loss));  // it was not called, and looked
    const auto verdict = is_true ? audit_verdict::ok : audit_verdict::wrong_loss;
    std::vector<std::size_t> others(rest.begin() + 1, rest.end());
    others.insert(others.end(), drawn.begin() + 1, drawn.end());
    const auto undecided = [&] { return a.status(id) == target_status::revealed; };
    std::uint64_t power = a.seats()[is_true ? drawn[0] : rest[0]].power.value;
    for (const auto i : others) {
      if (!undecided()) break;
      CHECK(power < 6'667);
      CHECK(!a.vote(i, id, verdict));
      power += a.seats()[i].power.value;
    }
    CHECK(power >= 6'667);
    CHECK(a.status(id) == (is_true ? target_status::settled : target_status::slashed));
    CHECK_FALSE(a.submission(id).sampled);
    for (const auto& seat : a.seats()) CHECK(seat.audits_due == 1);
    CHECK(!a.vote(others.back(), id, verdict));  // it is late, had been called, and agrees
    CHECK(a.seats()[others.back()].audits_cast == 1);
  }
}

// Protocol §8.3.5.
TEST_CASE("a sample that stays silent holds nobody up: time or the end of the epoch calls all") {
  for (const bool by_time : {true, false}) {
    CAPTURE(by_time);
    sampled_network a(24);
    const auto id = a.revealed_for_a_sample();
    const auto draws = a.draws(id);
    const auto other =
        static_cast<std::size_t>(std::find(draws.begin(), draws.end(), 0u) - draws.begin());
    CHECK(a.vote(other, id, audit_verdict::ok) == refusal::not_called);
    if (by_time) {
      a.net.block(a.net.genesis.parameters.epoch_ms / 24);
    } else {
      a.net.end_epoch();
    }
    CHECK(a.status(id) == target_status::revealed);
    for (std::size_t i = 0; i < draws.size(); ++i) {
      if (draws[i] == 0) a.send_vote(i, id, audit_verdict::ok);
    }
    a.net.block();
    for (const auto& outcome : a.net.last.outcomes) CHECK(!outcome.reason);
    for (std::size_t i = 0; i < draws.size(); ++i) {
      if (draws[i] > 0 && a.status(id) == target_status::revealed)
        CHECK(!a.vote(i, id, audit_verdict::ok));
    }
    CHECK(a.status(id) == target_status::settled);
    CHECK_FALSE(a.submission(id).sampled);
    for (const auto& seat : a.seats()) CHECK(seat.audits_due == 1);
  }
}

// Protocol §8.3.5.
TEST_CASE("a seed whose last four bits are zero calls all from the first block on") {
  sampled_network a(24);
  std::uint64_t picked = 0, sampled = 0;
  while (picked == 0 && sampled < 200) {
    const auto id = a.revealed();
    const auto draws = a.draws(id);
    const auto other =
        static_cast<std::size_t>(std::find(draws.begin(), draws.end(), 0u) - draws.begin());
    const bool all = a.submission(id).audit_seed.value[31] % 16 == 0;
    const auto refused = a.vote(other, id, audit_verdict::ok);
    CHECK(refused == (all ? rules::refused{} : rules::refused{refusal::not_called}));
    ++(all ? picked : sampled);
  }
  CHECK(picked == 1);
}

// Protocol §5.7 and §5.8.
TEST_CASE("who was not called is present without a vote; who was called and silent is absent") {
  sampled_network a(24);
  std::vector<std::uint64_t> owed(24), cast(24);
  std::size_t lazy = 0;
  bool chosen = false;
  for (int i = 0; i < 3; ++i) {
    const auto id = a.revealed_for_a_sample();
    const auto draws = a.draws(id);
    for (std::size_t k = 0; k < draws.size(); ++k) {
      if (draws[k] == 0) continue;
      if (!chosen && draws[k] <= 2) {
        lazy = k;
        chosen = true;
      }
      ++owed[k];
      if (k == lazy) continue;
      a.send_vote(k, id, audit_verdict::ok);
      ++cast[k];
    }
    a.net.block();
    // Where too many draws fell on the silent member, the others are called for it, and owe too.
    if (draws[lazy] <= 2) {
      CHECK(a.status(id) == target_status::settled);
    } else {
      for (std::size_t k = 0; k < draws.size(); ++k)
        if (draws[k] > 0) --owed[k];
    }
  }
  REQUIRE(chosen);
  const auto seats = a.seats();
  for (std::size_t k = 0; k < seats.size(); ++k) CHECK(seats[k].audits_due == owed[k]);
  CHECK(std::count(owed.begin(), owed.end(), 0) > 0);
  a.net.end_epoch();
  const auto absent = a.net.events(event_kind::validator_absent);
  REQUIRE(absent.size() == 1);
  CHECK(absent[0].account == seats[lazy].member);
  CHECK(absent[0].audits_due == owed[lazy]);
  CHECK(a.net.events(event_kind::validator_paid).size() == 23);
}

// Protocol §8.1.1.
TEST_CASE("the products of a byte are counted by the parts of the network") {
  // Two layers of width 16 with four heads, 48 inner values and sequences of 64: by hand.
  const std::uint64_t attention = 4 * 16 * 16;  // four square matrices
  const std::uint64_t inner = 2 * 16 * 48;
  std::uint64_t looked_at = 0;  // keys and values, of all queries of a sequence
  for (std::uint64_t i = 0; i < 64; ++i) looked_at += 2 * 16 * (i + 1);
  REQUIRE(looked_at % 64 == 0);
  const std::uint64_t output = (264 + 256) * 16;
  CHECK(rules::products_per_byte({2, 16, 4, 48, 64}) ==
        2 * (attention + inner + looked_at / 64) + output);
  CHECK(rules::products_per_byte(genesis_parameters{}.architecture) == 1'259'405'312);
}

// Protocol §8.1.1 and §12.3.
TEST_CASE("the data of a claim is limited by its bytes and by what its audit costs") {
  genesis_parameters p;
  CHECK(rules::largest_data_bytes(p) == 1u << 20);
  p.max_data_bytes = 1u << 30;
  CHECK(rules::largest_data_bytes(p) == 1'058'700);
  p.models_per_target = 6;
  CHECK(rules::largest_data_bytes(p) == 529'350);
  const auto of_one_byte = 6 * rules::products_per_byte(p.architecture);
  p.max_audit_products = 7 * of_one_byte - 1;
  CHECK(rules::largest_data_bytes(p) == 6);
  p.max_audit_products = of_one_byte - 1;
  CHECK(rules::largest_data_bytes(p) == 0);
  // The largest architecture with the most models.
  p = {};
  p.architecture = {max_layers, max_dim, 1, max_ffn, max_max_seq};
  p.models_per_target = 16;
  CHECK(rules::largest_data_bytes(p) == 227);
}

// Protocol §8.1 and §12.1.
TEST_CASE("a claim above what its audit may cost is refused, and a genesis that allows no byte") {
  const person owner = somebody(1), alice = somebody(2);
  auto genesis = small_genesis(3, std::vector{owner, alice});
  const auto of_one_byte = genesis.parameters.models_per_target *
                           rules::products_per_byte(genesis.parameters.architecture);
  genesis.parameters.max_audit_products = of_one_byte - 1;
  CHECK(rules::check_genesis(genesis) == rules::genesis_refusal::bad_bonds);
  genesis.parameters.max_audit_products = 1'000 * of_one_byte;
  network net(genesis);
  (void)net.active_models(owner, 3);
  auto s = submission_for(net.open_targets().front(), alice, 1);
  s.claim.size_bytes = 1'001;
  CHECK(net.run(alice, s.claim) == refusal::size_out_of_range);
  s.claim.size_bytes = 1'000;
  CHECK(!net.run(alice, s.claim));
}

}  // namespace
}  // namespace soma::test
