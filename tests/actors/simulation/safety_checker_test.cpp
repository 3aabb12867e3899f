// Each check is shown a violation that it has to find, since a check that never fires proves
// nothing.
#include <doctest/doctest.h>

#include "actors/simulation/safety_checker.hpp"
#include "messages/signing/signing.hpp"

using namespace soma;
using namespace soma::simulation;

namespace {

struct bench {
  fault_plan p = quiet_plan(1, 4);
  keyring keys{1};
  toy_chain toy{p, keys};
  safety_checker all{p, keys, toy};

  public_key key(std::uint16_t identity) const { return keys.key(identity, 0); }
  bool says(const std::string& beginning) const {
    return all.violation() && all.violation()->rfind(beginning, 0) == 0;
  }
  void everybody(const vote_statement& statement, std::uint16_t count = 3) {
    for (std::uint16_t i = 0; i < count; ++i) all.vote_exists(key(i), statement, false);
  }
  certificate certified(const vote_statement& statement, std::uint16_t count = 3) {
    certificate c{statement, {}, {}};
    for (std::uint16_t i = 0; i < count; ++i) {
      c.signers.add({i});
      c.signatures.push_back(keys.sign_vote(key(i), statement, keys.chain()));
    }
    return c;
  }
  /// A block on the genesis state, by the leader of this view.
  std::pair<consensus::final_block, executed_ptr> block_of(std::uint64_t view,
                                                           std::uint64_t parent_view = 0) {
    block b;
    b.header.view = {view};
    b.header.parent_view = {parent_view};
    b.header.height = {1};
    b.header.time_ms = genesis_ms + 100;
    b.header.payload_root = signing::payload_root(b.payload, b.parent_signers);
    b.header.proposer = all.members(0)->leader({view});
    const auto done = toy.execute(toy.genesis(), {}, b);
    b.header = consensus::complete(b.header, done->result);
    const auto id = signing::id_of(b.header);
    b.by_proposer = keys.sign_block(all.members(0)->key_of(b.header.proposer), id);
    return {{std::make_shared<const identified_block>(identified_block{id, b}), std::nullopt,
             std::nullopt},
            done};
  }
};

vote_statement notarize(std::uint64_t view, std::uint64_t block) {
  return {vote_kind::notarize, {0}, {view}, id_from<block_id>(block)};
}
vote_statement finalize(std::uint64_t view, std::uint64_t block) {
  return {vote_kind::finalize, {0}, {view}, id_from<block_id>(block)};
}
vote_statement skip(std::uint64_t view) {
  return {vote_kind::skip, {0}, {view}, {}};
}

}  // namespace

TEST_CASE("S2: what a correct key may say of a view, and what it may not") {
  const auto pair_is = [](const vote_statement& a, const vote_statement& b, bool correct = true) {
    bench w;
    w.all.vote_exists(w.key(0), notarize(3, 1), correct);
    w.all.vote_exists(w.key(0), a, correct);
    w.all.vote_exists(w.key(0), b, correct);
    return w.says("S2");
  };
  const auto wrongly_final = [&](const vote_statement& before) {
    bench w;
    w.all.vote_exists(w.key(0), before, true);
    w.all.vote_exists(w.key(0), finalize(3, 1), true);
    return w.says("R7");
  };
  CHECK(wrongly_final(notarize(3, 2)));
  CHECK(wrongly_final(notarize(2, 1)));
  CHECK_FALSE(wrongly_final(notarize(3, 1)));
  CHECK(pair_is(notarize(3, 1), notarize(3, 2)));
  CHECK(pair_is(finalize(3, 1), finalize(3, 2)));
  CHECK(pair_is(finalize(3, 1), skip(3)));
  CHECK(pair_is(skip(3), finalize(3, 1)));
  CHECK_FALSE(pair_is(skip(3), notarize(3, 1)));
  CHECK_FALSE(pair_is(notarize(3, 1), finalize(3, 1)));
  CHECK_FALSE(pair_is(notarize(3, 1), notarize(4, 2)));
  CHECK_FALSE(pair_is(notarize(3, 1), notarize(3, 1)));
  CHECK_FALSE(pair_is(notarize(3, 1), notarize(3, 2), false));

  bench w;
  w.all.proposal_exists(w.key(0), 0, {3}, id_from<block_id>(1));
  CHECK_FALSE(w.all.violation());
  w.all.proposal_exists(w.key(0), 0, {3}, id_from<block_id>(2));
  CHECK(w.says("S2"));
}

TEST_CASE("S3: quorums that exclude each other, and a final block that was not notarized") {
  const auto both_are = [](const vote_statement& a, const vote_statement& b) {
    bench w;
    w.everybody(notarize(3, 1));
    w.everybody(a);
    w.everybody(b);
    return w.says("S3");
  };
  CHECK(both_are(notarize(3, 1), notarize(3, 2)));
  CHECK(both_are(finalize(3, 1), skip(3)));
  CHECK(both_are(skip(3), finalize(3, 2)));
  CHECK(both_are(notarize(4, 1), finalize(5, 1)));
  CHECK_FALSE(both_are(notarize(3, 1), skip(3)));
  CHECK_FALSE(both_are(notarize(3, 1), finalize(3, 1)));
}

TEST_CASE(
    "S4: nothing leaves that is not durable, and certificates hold only votes that were cast") {
  bench w;
  w.all.vote_exists(w.key(0), notarize(3, 1), true);
  w.all.check_sent_vote(0, w.key(0), notarize(3, 1));
  CHECK_FALSE(w.all.violation());
  w.all.check_sent_vote(0, w.key(0), notarize(4, 1));
  CHECK(w.says("S4"));

  bench c;
  c.everybody(notarize(3, 1), 3);
  c.all.check_certificate(0, c.certified(notarize(3, 1), 3));
  CHECK_FALSE(c.all.violation());
  SUBCASE("a vote that was never cast") {
    c.all.check_certificate(0, c.certified(notarize(3, 1), 4));
  }
  SUBCASE("too few") {
    c.all.check_certificate(0, c.certified(notarize(3, 1), 2));
  }
  SUBCASE("another view") {
    c.all.check_certificate(0, c.certified(notarize(4, 1), 3));
  }
  CHECK(c.says("S4"));

  bench p;
  const auto [b, done] = p.block_of(1);
  p.all.check_sent_proposal(0, p.key(0), *b.block);
  CHECK(p.says("S4"));
}

TEST_CASE("S1 and S7: final blocks are one chain, of its leaders, over views that were skipped") {
  bench w;
  auto [b, done] = w.block_of(1);
  const vote_statement notarized{vote_kind::notarize, {0}, 1, b.block->id};
  SUBCASE("all is well") {
    w.everybody(notarized);
    w.all.finalized(0, 1, b, done);
    w.all.finalized(1, 1, b, done);
    CHECK_FALSE(w.all.violation());
    CHECK(w.all.height() == 1);
  }
  SUBCASE("two chains") {
    w.everybody(notarized);
    w.all.finalized(0, 1, b, done);
    auto other = *b.block;
    other.id = id_from<block_id>(5);
    b.block = std::make_shared<const identified_block>(other);
    w.all.finalized(1, 1, b, done);
    CHECK(w.says("S1"));
  }
  SUBCASE("another height") {
    w.all.finalized(0, 2, b, done);
    CHECK(w.says("S1"));
  }
  SUBCASE("another state") {
    auto lie = *done;
    lie.result.root.value[0] ^= 1;
    w.all.finalized(0, 1, b, std::make_shared<const executed_block>(lie));
    CHECK(w.says("S1"));
  }
  SUBCASE("another payload") {
    auto other = *b.block;
    other.block.payload.emplace_back();
    b.block = std::make_shared<const identified_block>(other);
    w.all.finalized(0, 1, b, done);
    CHECK(w.says("S1"));
  }
  SUBCASE("never executed") {
    w.all.finalized(0, 1, b, nullptr);
    CHECK(w.says("S1"));
  }
  SUBCASE("not notarized") {
    w.all.finalized(0, 1, b, done);
    CHECK(w.says("S3"));
  }
  SUBCASE("not its leader's") {
    auto other = *b.block;
    other.block.by_proposer[3] ^= 1;
    b.block = std::make_shared<const identified_block>(other);
    w.all.finalized(0, 1, b, done);
    CHECK(w.says("S7"));
  }
  SUBCASE("a view below it was not skipped") {
    auto [late, executed] = w.block_of(3);
    w.everybody({vote_kind::notarize, {0}, 3, late.block->id});
    w.everybody(skip(1));
    w.all.finalized(0, 1, late, executed);
    CHECK(w.says("S7"));
  }
  SUBCASE("a time that is not after its parent's") {
    auto other = *b.block;
    other.block.header.time_ms = genesis_ms;
    b.block = std::make_shared<const identified_block>(other);
    w.everybody({vote_kind::notarize, {0}, 1, other.id});
    w.all.finalized(0, 1, b, done);
    CHECK(w.says("R13"));
  }
  SUBCASE("the end of an epoch that goes on") {
    b.epoch_end = epoch_proof{};
    w.all.finalized(0, 1, b, done);
    CHECK(w.says("S8"));
  }
}

TEST_CASE("beyond tolerance only S1 ends a run") {
  fault_plan p = quiet_plan(1, 4);
  p.beyond_tolerance = true;
  const keyring keys{1};
  const toy_chain toy{p, keys};
  safety_checker all{p, keys, toy};
  for (std::uint16_t i = 0; i < 4; ++i) {
    all.vote_exists(keys.key(i, 0), notarize(1, 1), false);
    all.vote_exists(keys.key(i, 0), notarize(1, 2), false);
  }
  CHECK_FALSE(all.violation());
}
