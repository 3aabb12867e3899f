#include "actors/consensus/certificates.hpp"

#include <doctest/doctest.h>

#include <random>

#include "tests/actors/consensus/signed_committee.hpp"

namespace soma {
namespace {

using namespace consensus;
using enum certificate_refusal;
using consensus::testing::real_checker;
using consensus::testing::signed_committee;

constexpr chain_id here{{1}};
constexpr epoch_number epoch{4};

vote_statement a_vote(vote_kind kind = vote_kind::notarize) {
  return {kind, epoch, 9, kind == vote_kind::skip ? block_id{} : block_id{{3}}};
}

struct judge {
  signed_committee four{here, epoch, {2500, 2500, 2500, 2500}};
  real_checker checker{here};

  std::optional<certificate_refusal> operator()(const certificate& c) {
    const auto verdict = check(c, four.members(), checker);
    if (verdict) return std::nullopt;
    return verdict.error();
  }
};

}  // namespace

// R6 keeps every certificate that passes this check, from any peer.
TEST_CASE("a quorum's votes of each kind are a certificate, whichever quorum it is") {
  judge refused;
  for (const auto kind : {vote_kind::notarize, vote_kind::skip, vote_kind::finalize}) {
    for (const auto& who : std::vector<std::vector<std::uint16_t>>{
             {0, 1, 2}, {0, 1, 3}, {0, 2, 3}, {1, 2, 3}, {0, 1, 2, 3}}) {
      CHECK(refused(refused.four.certify(a_vote(kind), who)) == std::nullopt);
    }
  }
}

TEST_CASE("a malformed certificate is refused by name without a signature check") {
  judge refused;
  const auto good = refused.four.certify(a_vote(), {0, 1, 2});
  const auto changed = [&](auto change) {
    auto c = good;
    change(c);
    const auto before = refused.checker.checks;
    const auto why = refused(c);
    CHECK(refused.checker.checks == before);
    return why;
  };
  CHECK(changed([](auto& c) { c.statement.kind = vote_kind{0}; }) == kind_unknown);
  CHECK(changed([](auto& c) { c.statement.kind = vote_kind{4}; }) == kind_unknown);
  CHECK(changed([](auto& c) { c.statement.epoch.value += 1; }) == other_epoch);
  CHECK(changed([](auto& c) { c.statement.epoch.value -= 1; }) == other_epoch);
  CHECK(changed([](auto& c) { c.statement.view = {}; }) == view_zero);
  CHECK(changed([](auto& c) { c.statement.kind = vote_kind::skip; }) == skip_of_block);
  CHECK(changed([](auto& c) { c.statement.block = {}; }) == block_missing);
  CHECK(changed([](auto& c) { c.signers.add({4}); }) == signer_unknown);
  CHECK(changed([](auto& c) { c.signers.add({127}); }) == signer_unknown);
  CHECK(changed([](auto& c) { c.signers.add({3}); }) == signature_count);
  CHECK(changed([](auto& c) { c.signatures.pop_back(); }) == signature_count);
  CHECK(changed([](auto& c) { c.signatures.push_back(c.signatures[0]); }) == signature_count);
  CHECK(changed([](auto& c) { c.signers = {}, c.signatures.clear(); }) == power_too_low);
}

TEST_CASE("signers with less power than a quorum are refused at every threshold") {
  real_checker checker(here);
  struct at {
    std::vector<std::uint32_t> powers;
    std::vector<std::uint16_t> signers;
    bool enough;
  };
  for (const auto& [powers, signers, enough] :
       std::vector<at>{{{3333, 3333, 3334}, {0, 1}, false},  // 6666
                       {{3333, 3333, 3334}, {0, 2}, true},   // 6667
                       {{3333, 3333, 3334}, {1, 2}, true},
                       {{1, 6666, 3333}, {1}, false},
                       {{1, 6666, 3333}, {0, 1}, true},
                       {{1, 6666, 3333}, {0, 2}, false},
                       {{10'000}, {0}, true}}) {
    const signed_committee some(here, epoch, powers);
    CAPTURE(powers.size());
    CAPTURE(signers.size());
    const auto verdict = check(some.certify(a_vote(), signers), some.members(), checker);
    CHECK(verdict.has_value() == enough);
    if (!enough) CHECK(verdict.error() == power_too_low);
  }
  const signed_committee hundred(here, epoch, std::vector<std::uint32_t>(100, 100));
  std::vector<std::uint16_t> signers;
  for (std::uint16_t i = 33; i < 99; ++i) signers.push_back(i);
  CHECK_FALSE(check(hundred.certify(a_vote(), signers), hundred.members(), checker).has_value());
  signers.push_back(99);
  CHECK(check(hundred.certify(a_vote(), signers), hundred.members(), checker).has_value());
}

TEST_CASE("signatures have to be of their signers, for this statement and this chain") {
  judge refused;
  const auto good = refused.four.certify(a_vote(), {0, 1, 2});
  const auto changed = [&](auto change) {
    auto c = good;
    change(c);
    return refused(c);
  };
  CHECK(changed([](auto& c) { std::swap(c.signatures[0], c.signatures[1]); }) == bad_signature);
  CHECK(changed([](auto& c) { c.signatures[2] = c.signatures[0]; }) == bad_signature);
  CHECK(changed([](auto& c) { c.signatures[1] = {}; }) == bad_signature);
  CHECK(changed([](auto& c) { ++c.statement.view; }) == bad_signature);
  CHECK(changed([](auto& c) { c.statement.block = block_id{{4}}; }) == bad_signature);
  CHECK(changed([](auto& c) { c.statement.kind = vote_kind::finalize; }) == bad_signature);
  // The same signatures under other signers.
  CHECK(changed([](auto& c) {
          c.signers = {};
          for (const std::uint16_t i : {1, 2, 3}) c.signers.add({i});
        }) == bad_signature);
  // The keys of the same seats in another committee, and the same keys on another chain.
  const signed_committee others(here, epoch, {2500, 2500, 2500, 2500}, 1);
  CHECK(refused(others.certify(a_vote(), {0, 1, 2})) == bad_signature);
  const signed_committee elsewhere(chain_id{{2}}, epoch, {2500, 2500, 2500, 2500});
  CHECK(refused(elsewhere.certify(a_vote(), {0, 1, 2})) == bad_signature);
}

TEST_CASE("every flipped bit of a signature or of the statement is noticed") {
  judge refused;
  const auto good = refused.four.certify(a_vote(), {0, 2, 3});
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    auto c = good;
    const auto bit = static_cast<std::uint8_t>(1U << random() % 8);
    if (random() % 2 == 0) {
      c.signatures[random() % 3][random() % 64] ^= bit;
    } else {
      c.statement.block.value[random() % 32] ^= bit;
    }
    CHECK(refused(c) == bad_signature);
  }
}

TEST_CASE("every refusal of a certificate has a text of its own") {
  std::vector<std::string_view> seen;
  for (std::uint8_t i = 1; i <= static_cast<std::uint8_t>(bad_signature); ++i) {
    seen.push_back(to_text(static_cast<certificate_refusal>(i)));
    CHECK(std::ranges::count(seen, seen.back()) == 1);
    CHECK(seen.back() != "unknown");
  }
}

}  // namespace soma
