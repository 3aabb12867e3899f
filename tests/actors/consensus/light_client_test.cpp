#include "actors/consensus/light_client.hpp"

#include <doctest/doctest.h>

#include <random>

#include "tests/actors/consensus/signed_committee.hpp"

namespace soma {
namespace {

using namespace consensus;
using enum light_refusal;
using consensus::testing::real_checker;
using consensus::testing::signed_committee;

constexpr chain_id here{{1}};
const std::vector<std::uint16_t> all_but_one{0, 1, 2};

/// A chain of epochs, each with another committee of four, and the proof of each epoch's end.
struct told_chain {
  explicit told_chain(std::uint64_t epochs, std::size_t fillers = 2) {
    for (std::uint64_t e = 0; e <= epochs; ++e) {
      committees.emplace_back(here, epoch_number{e}, std::vector<std::uint32_t>(4, 2500),
                              static_cast<std::uint8_t>(e));
    }
    for (std::uint64_t e = 0; e < epochs; ++e) proofs.push_back(proof_of(e, fillers));
  }

  [[nodiscard]] epoch_proof proof_of(std::uint64_t e, std::size_t fillers) const {
    epoch_proof proof;
    proof.next_committee = committees[e + 1].members().seats();
    block_header header;
    header.chain = here;
    header.epoch = epoch_number{e};
    header.view = {20};
    header.height = block_height{100 * (e + 1)};
    header.parent = block_id{{static_cast<std::uint8_t>(e)}};
    header.parent_view = {19};
    header.state_root = state_root{{static_cast<std::uint8_t>(e), 5}};
    header.flags = block_closes_epoch;
    header.transactions = 3;
    header.payload_bytes = 300;
    header.next_committee = signing::committee_hash(proof.next_committee);
    proof.headers.push_back(header);
    for (std::size_t i = 0; i < fillers; ++i) {
      auto filler = header;
      filler.parent = signing::id_of(proof.headers.back());
      filler.parent_view = proof.headers.back().view;
      filler.view = filler.view + 2 * (i + 1);
      filler.flags = block_is_filler;
      filler.transactions = filler.payload_bytes = 0;
      proof.headers.push_back(filler);
    }
    proof.final = committees[e].finalize(proof.headers.back(), all_but_one);
    return proof;
  }
  /// Links and certifies the headers again, so that the whole committee has signed a lie.
  void seal(epoch_proof& proof, std::uint64_t e) const {
    for (std::size_t i = 1; i < proof.headers.size(); ++i) {
      proof.headers[i].parent = signing::id_of(proof.headers[i - 1]);
      proof.headers[i].parent_view = proof.headers[i - 1].view;
    }
    proof.final = committees[e].finalize(proof.headers.back(), all_but_one);
  }

  std::vector<signed_committee> committees;
  std::vector<epoch_proof> proofs;
};

struct follower {
  explicit follower(const told_chain& told)
      : client(here, epoch_number{0}, told.committees[0].members().seats()) {}
  std::optional<light_refusal> next(const epoch_proof& proof) {
    const auto before = client.epoch();
    const auto verdict = client.next_epoch(proof, checker);
    CHECK(client.epoch() == (verdict ? before.next() : before));
    if (verdict) return std::nullopt;
    return verdict.error();
  }
  std::optional<light_refusal> prove(const std::vector<block_header>& headers,
                                     const certificate& final) {
    const auto verdict = client.prove(headers, final, checker);
    if (verdict) return std::nullopt;
    return verdict.error();
  }
  light_client client;
  real_checker checker{here};
};

}  // namespace

// The proof of an epoch's end (E3) alone lets a light client learn the next committee.
TEST_CASE("a light client follows epoch by epoch, each with other keys, and proves a header") {
  for (const std::size_t fillers : {0, 1, 5}) {
    const told_chain told(3, fillers);
    follower light(told);
    for (const auto& proof : told.proofs) {
      CHECK(light.next(proof) == std::nullopt);
      CHECK(light.client.proven() == proof.headers.front());
    }
    CHECK(light.client.epoch() == epoch_number{3});
    CHECK(light.client.members().seats() == told.committees[3].members().seats());

    block_header header;
    header.chain = here;
    header.epoch = epoch_number{3};
    header.view = {1};
    header.height = block_height{301};
    auto child = header;
    child.parent = signing::id_of(header);
    child.parent_view = {1};
    child.view = {4};
    child.height = block_height{302};
    CHECK(light.prove({header}, told.committees[3].finalize(header, {1, 2, 3})) == std::nullopt);
    CHECK(light.prove({header, child}, told.committees[3].finalize(child, {0, 1, 3})) ==
          std::nullopt);
    CHECK(light.prove({child}, told.committees[3].finalize(child, {0, 1, 3})) == std::nullopt);
    CHECK(light.client.proven() == child);
    CHECK(light.prove({header}, told.committees[3].finalize(header, {1, 2, 3})) == std::nullopt);
    CHECK(light.client.proven() == child);  // the highest proven header stays
  }
}

TEST_CASE("proofs come in order, once each, from the right chain") {
  const told_chain told(3);
  follower light(told);
  CHECK(light.next(told.proofs[1]) == other_epoch);
  CHECK(light.next(told.proofs[0]) == std::nullopt);
  CHECK(light.next(told.proofs[0]) == other_epoch);
  CHECK(light.next(told.proofs[2]) == other_epoch);
  auto elsewhere = told.proofs[1];
  elsewhere.headers[0].chain = chain_id{{2}};
  CHECK(light.next(elsewhere) == other_chain);
  CHECK(light.next(told.proofs[1]) == std::nullopt);
}

TEST_CASE("forged proofs of an epoch's end are refused by name, the true one is then taken") {
  const told_chain told(2);
  const auto forged = [&](auto change) {
    follower light(told);
    auto proof = told.proofs[0];
    change(proof);
    const auto why = light.next(proof);
    CHECK_FALSE(light.client.proven().has_value());
    CHECK(light.next(told.proofs[0]) == std::nullopt);
    return why;
  };
  const auto& signers = told.committees[0];
  // Refusals because of the committee.
  CHECK(forged([](auto& p) { p.next_committee[1].consensus_key[0] ^= 1; }) == committee_differs);
  CHECK(forged([](auto& p) { std::swap(p.next_committee[0], p.next_committee[1]); }) ==
        committee_differs);
  CHECK(forged([](auto& p) {
          p.next_committee[0].power.value += 1, p.next_committee[1].power.value -= 1;
        }) == committee_differs);
  CHECK(forged([](auto& p) { p.next_committee.pop_back(); }) == bad_committee);
  CHECK(forged([](auto& p) { p.next_committee.clear(); }) == bad_committee);
  CHECK(forged([](auto& p) { p.next_committee[0].power = {}; }) == bad_committee);
  CHECK(forged([](auto& p) { p.next_committee.resize(200); }) == bad_committee);
  // Refusals because of the headers.
  CHECK(forged([](auto& p) { p.headers.clear(); }) == header_count);
  CHECK(forged([](auto& p) { p.headers.resize(max_proof_headers + 1); }) == header_count);
  CHECK(forged([](auto& p) { std::swap(p.headers[1], p.headers[2]); }) == not_linked);
  CHECK(forged([](auto& p) { p.headers.erase(p.headers.begin() + 1); }) == not_linked);
  CHECK(forged([](auto& p) { p.headers.erase(p.headers.begin()); }) == not_closing);
  CHECK(forged([](auto& p) { p.headers.pop_back(); }) == other_block);
  CHECK(forged([](auto& p) { p.headers[0].state_root = {}; }) == not_linked);
  CHECK(forged([](auto& p) { p.headers[2].state_root = {}; }) == other_block);
  // Refusals because of the certificate.
  CHECK(forged([&](auto& p) {
          p.final = signers.finalize(p.headers.back(), {0, 1});
        }) == bad_certificate);
  CHECK(forged([](auto& p) { std::swap(p.final.signatures[0], p.final.signatures[2]); }) ==
        bad_certificate);
  CHECK(forged([](auto& p) { p.final.signatures[1] = p.final.signatures[0]; }) == bad_certificate);
  CHECK(forged([&](auto& p) {
          auto statement = p.final.statement;
          statement.kind = vote_kind::notarize;
          p.final = signers.certify(statement, all_but_one);
        }) == not_final);
  CHECK(forged([&](auto& p) { p.final = signers.finalize(p.headers[0], all_but_one); }) ==
        other_block);
  // The next committee cannot end the epoch before its own.
  CHECK(forged([&](auto& p) {
          auto c = told.committees[1].finalize(p.headers.back(), all_but_one);
          c.statement.epoch = epoch_number{0};
          p.final = c;
        }) == bad_certificate);
}

// By E2 only fillers stand between a closing block and the certificate that covers it.
TEST_CASE("even a whole committee can't end an epoch with blocks that do not close it") {
  const told_chain told(1);
  const auto sealed = [&](auto change) {
    follower light(told);
    auto proof = told.proofs[0];
    change(proof);
    told.seal(proof, 0);
    return light.next(proof);
  };
  CHECK(sealed([](auto&) {}) == std::nullopt);
  CHECK(sealed([](auto& p) { p.headers[0].flags = 0; }) == not_closing);
  CHECK(sealed([](auto& p) { p.headers[0].flags = block_is_filler; }) == not_closing);
  CHECK(sealed([](auto& p) { p.headers[1].flags = 0; }) == not_filler);
  CHECK(sealed([](auto& p) { p.headers[2].flags = block_closes_epoch; }) == not_filler);
  CHECK(sealed([](auto& p) { p.headers[1].transactions = 1; }) == filler_differs);
  CHECK(sealed([](auto& p) { p.headers[1].payload_bytes = 1; }) == filler_differs);
  CHECK(sealed([](auto& p) { p.headers[2].state_root = {}; }) == filler_differs);
  CHECK(sealed([](auto& p) { p.headers[1].next_committee = {}; }) == filler_differs);
  CHECK(sealed([](auto& p) { p.headers[1].height.value += 1; }) == filler_differs);
  CHECK(sealed([](auto& p) { p.headers[2].view = p.headers[1].view; }) == not_linked);
}

TEST_CASE("a header is proven by its own epoch's committee alone, and once per height") {
  const told_chain told(2);
  follower light(told);
  REQUIRE(light.next(told.proofs[0]) == std::nullopt);
  block_header header;
  header.chain = here;
  header.epoch = epoch_number{1};
  header.view = {7};
  header.height = block_height{140};
  const auto& now = told.committees[1];
  CHECK(light.prove({}, now.finalize(header, all_but_one)) == header_count);
  CHECK(light.prove({header}, told.committees[0].finalize(header, all_but_one)) == bad_certificate);
  CHECK(light.prove({header}, now.finalize(header, {0, 3})) == bad_certificate);
  auto later = header;
  later.epoch = epoch_number{2};
  CHECK(light.prove({later}, told.committees[2].finalize(later, all_but_one)) == other_epoch);
  auto filler = header;
  filler.flags = block_is_filler;
  CHECK(light.prove({filler}, now.finalize(filler, all_but_one)) == light_refusal::filler);
  CHECK(light.prove({header}, now.finalize(header, all_but_one)) == std::nullopt);
  auto other = header;
  other.state_root = state_root{{1}};
  CHECK(light.prove({other}, now.finalize(other, all_but_one)) == contradicts_before);
  CHECK(light.client.proven() == header);
}

TEST_CASE("every changed field of a proof is noticed") {
  const told_chain told(1);
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    follower light(told);
    auto proof = told.proofs[0];
    const auto bit = static_cast<std::uint8_t>(1U << random() % 8);
    auto& header = proof.headers[random() % proof.headers.size()];
    auto& seat = proof.next_committee[random() % 4];
    switch (random() % 12) {
      case 0:
        header.state_root.value[random() % 32] ^= bit;
        break;
      case 1:
        header.parent.value[random() % 32] ^= bit;
        break;
      case 2:
        header.payload_root.value[random() % 32] ^= bit;
        break;
      case 3:
        header.next_committee.value[random() % 32] ^= bit;
        break;
      case 4:
        header.time_ms ^= bit;
        break;
      case 5:
        header.proposer.value ^= bit;
        break;
      case 6:
        header.view.value ^= bit;
        break;
      case 7:
        seat.member.value[random() % 32] ^= bit;
        break;
      case 8:
        seat.consensus_key[random() % 32] ^= bit;
        break;
      case 9:
        proof.final.signatures[random() % 3][random() % 64] ^= bit;
        break;
      case 10:
        proof.final.statement.block.value[random() % 32] ^= bit;
        break;
      default:
        header.version ^= bit;
        break;
    }
    CHECK(light.next(proof).has_value());
  }
}

TEST_CASE("every refusal of the light client has a text of its own") {
  std::vector<std::string_view> seen;
  for (std::uint8_t i = 1; i <= static_cast<std::uint8_t>(contradicts_before); ++i) {
    seen.push_back(to_text(static_cast<light_refusal>(i)));
    CHECK(std::ranges::count(seen, seen.back()) == 1);
    CHECK(seen.back() != "unknown");
  }
}

}  // namespace soma
