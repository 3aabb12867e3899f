#include "actors/public_answers/history.hpp"

#include <doctest/doctest.h>

#include "messages/codec/codec_consensus.hpp"
#include "tests/actors/public_answers/proven_chain.hpp"

using namespace soma;
using namespace soma::public_answers;
using enum ledger_refusal;

namespace {

message<schema::EpochProofs> epochs(const test::proven_chain& chain, std::uint64_t from,
                                    std::uint32_t most) {
  const auto asked = message<schema::GetEpochProofs>::build([&](auto out) {
    out.setFrom(from);
    out.setMost(most);
  });
  return epoch_proofs_answer(chain.store.view(), asked.root());
}
message<schema::FinalBlocks> blocks(const test::proven_chain& chain, std::uint64_t from,
                                    std::uint32_t most, std::uint32_t most_bytes) {
  const auto asked = message<schema::GetBlocks>::build([&](auto out) {
    out.setFrom(from);
    out.setMost(most);
    out.setMostBytes(most_bytes);
  });
  return blocks_answer(chain.store.view(), asked.root());
}
template <class Answer>
std::optional<ledger_refusal> refusal_of(const message<Answer>& answer) {
  const auto refusal = answer.root().getRefusal();
  if (!refusal.isLedger()) return std::nullopt;
  return refusal_of_schema<ledger_refusal>(refusal.getLedger());
}

}  // namespace

TEST_CASE("the ends of epochs come in order and within their bounds") {
  test::proven_chain chain;
  CHECK(refusal_of(epochs(chain, 0, 1)) == not_there_yet);
  for (int i = 0; i < 6; ++i) chain.close_epoch(i == 2 ? 3 : 0);
  const auto all = epochs(chain, 0, 256);
  CHECK(all.root().getEpoch() == 6);
  REQUIRE(all.root().getProofs().size() == 6);
  for (unsigned i = 0; i < 6; ++i) {
    const auto proof = decode<epoch_proof>(view_of(all.root().getProofs()[i]));
    REQUIRE(proof.has_value());
    CHECK(proof->headers.front() == chain.headers[i]);
    CHECK(*proof == chain.store.view().epoch_end({i}).value());
  }
  const auto two = epochs(chain, 3, 2);
  REQUIRE(two.root().getProofs().size() == 2);
  CHECK(
      bytes(view_of(two.root().getProofs()[0]).begin(), view_of(two.root().getProofs()[0]).end()) ==
      encode(*chain.store.view().epoch_end({3})));
  CHECK(refusal_of(epochs(chain, 6, 1)) == not_there_yet);
  CHECK(refusal_of(epochs(chain, UINT64_MAX, 1)) == not_there_yet);
  CHECK(refusal_of(epochs(chain, 0, 0)) == too_few);
  CHECK(refusal_of(epochs(chain, 0, 257)) == too_many);
}

TEST_CASE("many large proofs of epochs come in several answers") {
  test::proven_chain chain;
  for (int i = 0; i < 20; ++i) chain.close_epoch(250);
  const auto some = epochs(chain, 0, 256);
  CHECK(some.root().getProofs().size() == 16);
  CHECK(some.bytes().size() <= max_epoch_proofs_bytes + 1'024);
  CHECK(epochs(chain, 16, 256).root().getProofs().size() == 4);
}

TEST_CASE("blocks come as they are stored, within their bounds, but at least one") {
  test::proven_chain chain;
  CHECK(refusal_of(blocks(chain, 1, 1, 0)) == not_there_yet);
  for (int i = 0; i < 10; ++i) chain.pay(100);
  const auto all = blocks(chain, 1, 256, 4 << 20);
  CHECK(all.root().getHeight() == 10);
  REQUIRE(all.root().getBlocks().size() == 10);
  for (unsigned i = 0; i < 10; ++i) {
    const auto given = view_of(all.root().getBlocks()[i]);
    CHECK(std::ranges::equal(given, encode(chain.store.block_at({i + 1}).value())));
  }
  CHECK(blocks(chain, 8, 256, 4 << 20).root().getBlocks().size() == 3);
  CHECK(blocks(chain, 3, 2, 4 << 20).root().getBlocks().size() == 2);
  CHECK(blocks(chain, 3, 256, 0).root().getBlocks().size() == 1);
  const auto size = static_cast<std::uint32_t>(all.root().getBlocks()[0].size());
  CHECK(blocks(chain, 3, 256, 2 * size + 100).root().getBlocks().size() == 2);
  CHECK(refusal_of(blocks(chain, 0, 1, 0)) == not_kept);
  CHECK(refusal_of(blocks(chain, 11, 1, 0)) == not_there_yet);
  CHECK(refusal_of(blocks(chain, 1, 0, 0)) == too_few);
  CHECK(refusal_of(blocks(chain, 1, 257, 0)) == too_many);
  CHECK(refusal_of(blocks(chain, 1, 1, (4 << 20) + 1)) == too_many);
}
