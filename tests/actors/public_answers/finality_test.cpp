#include "actors/public_answers/finality.hpp"

#include <doctest/doctest.h>

#include "actors/consensus/light_client.hpp"
#include "messages/codec/codec_consensus.hpp"
#include "storage/tables/ledger_loader.hpp"
#include "tests/actors/consensus/signed_committee.hpp"
#include "tests/actors/public_answers/proven_chain.hpp"

using namespace soma;
using namespace soma::public_answers;
using enum ledger_refusal;

namespace {

std::vector<committee_seat> seats_of(const test::proven_chain& chain) {
  return decode<committee_row>(*chain.store.find_row(committee_key())).value().seats;
}

/// Whether a light client that knows the committee of the block's epoch takes the proof.
bool proves(const test::proven_chain& chain, const finality& proof, const block_header& header) {
  auto seats = seats_of(chain);
  consensus::light_client light(chain.chain(), header.epoch, seats);
  consensus::testing::real_checker checker(chain.chain());
  return light.prove(proof.headers, proof.final, checker).has_value() && light.proven() == header;
}

std::optional<ledger_refusal> refusal_at(const tables::ledger_store& store, std::uint64_t height) {
  const auto proof = finality_of(store.view(), {height});
  return proof ? std::nullopt : std::optional(proof.error());
}

}  // namespace

TEST_CASE("every block up to the newest proven one is proven to a light client") {
  test::proven_chain chain;
  CHECK(refusal_at(chain.store, 1) == no_block_yet);
  for (std::uint64_t i = 0; i < 12; ++i) chain.pay(10, i % 3 == 0);
  chain.close_epoch(2);
  for (std::uint64_t i = 0; i < 4; ++i) chain.pay(10, i == 3);
  chain.close_epoch(0);
  for (const auto& header : chain.headers) {
    CAPTURE(header.height.value);
    const auto proof = finality_of(chain.store.view(), header.height);
    REQUIRE(proof.has_value());
    CHECK(proves(chain, *proof, header));
  }
  // The block before a closing block without a certificate is proven by the fillers above it.
  CHECK(finality_of(chain.store.view(), {12})->headers.size() == 4);
  CHECK(refusal_at(chain.store, 0) == not_kept);
  CHECK(refusal_at(chain.store, chain.headers.size() + 1) == not_there_yet);
}

TEST_CASE("a block without any certificate above it is not final yet, and one too far is named") {
  test::proven_chain chain;
  chain.pay(10);
  for (std::uint64_t i = 0; i < max_linked_blocks; ++i) chain.grow(100, {}, false);
  CHECK(refusal_at(chain.store, 1) == std::nullopt);
  CHECK(refusal_at(chain.store, 2) == not_final_yet);
  chain.pay(1);
  CHECK(refusal_at(chain.store, 2) == not_provable);
  CHECK(refusal_at(chain.store, 3) == std::nullopt);
}

TEST_CASE("a ledger that began from a snapshot proves the block that the snapshot stands for") {
  test::proven_chain chain;
  chain.pay(10);
  const auto closing = chain.close_epoch(1);
  const test::scratch_directory folder;
  tables::ledger_store late(folder.path(), {.map_bytes = std::size_t{1} << 26, .sync = false});
  tables::ledger_loader loader(late);
  bytes chain_row_bytes;
  chain.store.scan([&](byte_view key, byte_view value) {
    const bool is_chain = table_of(key) == ledger_table::chain;
    if (is_chain) chain_row_bytes.assign(value.begin(), value.end());
    if (!is_chain) loader.add(key, value);
    return true;
  });
  loader.finish(encode(chain.genesis()), chain_row_bytes,
                {{epoch_number{0}, *chain.store.view().epoch_end({0})}});
  const auto proof = finality_of(late.view(), closing.height);
  REQUIRE(proof.has_value());
  CHECK(proves(chain, *proof, closing));
  CHECK(refusal_at(late, 1) == not_kept);
}

TEST_CASE("the answer holds the same headers and certificate in their layouts") {
  test::proven_chain chain;
  chain.pay(10, false);
  chain.pay(10);
  const auto asked = message<schema::GetFinality>::build([](auto out) { out.setHeight(1); });
  const auto answer = finality_answer(chain.store.view(), asked.root());
  const auto given = answer.root().getFinality();
  bytes headers;
  for (const auto& header : chain.headers) {
    const auto layout = header_layout(header);
    headers.insert(headers.end(), layout.begin(), layout.end());
  }
  CHECK(std::ranges::equal(view_of(given.getHeaders()), headers));
  CHECK(decode<certificate>(view_of(given.getCertificate())) ==
        chain.store.view().final_at({2}).value());
  CHECK(answer.root().getHeight() == 2);
}
