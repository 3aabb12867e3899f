#include "actors/gateway_client/gateway_answer.hpp"

#include <doctest/doctest.h>

#include "messages/codec/codec_consensus.hpp"
#include "messages/codec/codec_proofs.hpp"

using namespace soma;
using namespace soma::gateway_client;

namespace {

template <class Answer>
fetched bytes_of_answer(const message<Answer>& answer) {
  const auto view = answer.bytes();
  return bytes(view.begin(), view.end());
}

template <class Value>
distrust reason_of(const expected<Value, refusal>& read) {
  REQUIRE_FALSE(read.has_value());
  return read.error().reason;
}

}  // namespace

TEST_CASE("what is no message, too large or absent is refused by name") {
  CHECK(reason_of(read_rows(make_unexpected(fetch_failure::silent))) == distrust::silent);
  CHECK(reason_of(read_rows(make_unexpected(fetch_failure::too_large))) == distrust::too_large);
  CHECK(reason_of(read_rows(bytes{})) == distrust::malformed);
  CHECK(reason_of(read_rows(bytes(64, 0xff))) == distrust::malformed);
  CHECK(reason_of(read_rows(bytes((8 << 20) + 8))) == distrust::too_large);
  CHECK(reason_of(read_epoch_proofs(bytes((8 << 20) + 8))) == distrust::too_large);
  CHECK(reason_of(read_genesis(bytes((4 << 20) + 8))) == distrust::too_large);
  CHECK(reason_of(read_genesis(bytes(64))) == distrust::malformed);
  // Empty messages: no header, no proof.
  CHECK(reason_of(read_rows(bytes_of_answer(message<schema::ProvenRows>{}))) ==
        distrust::malformed);
  CHECK(reason_of(read_epoch_proofs(bytes_of_answer(message<schema::EpochProofs>{}))) ==
        distrust::malformed);
}

TEST_CASE("a refusal of the gateway is passed on, without what could disturb a terminal") {
  const auto answer = message<schema::ProvenRows>::build([](auto out) {
    out.initRefusal().setLedger(schema::LedgerRefusal::NOT_KEPT);
    out.getRefusal().setWhy("gone \x1b[31m \xc2\x9b since " + std::string(400, 'x'));
  });
  const auto read = read_rows(bytes_of_answer(answer));
  REQUIRE(reason_of(read) == distrust::declined);
  CHECK(read.error().declined == schema::LedgerRefusal::NOT_KEPT);
  CHECK(read.error().detail.starts_with("gone ?[31m ?? since xxx"));
  CHECK(read.error().detail.size() == 256);
}

TEST_CASE("headers that are not whole, and values of absent rows, are malformed") {
  const auto with = [](std::size_t header_bytes, auto fill_row) {
    return bytes_of_answer(message<schema::ProvenRows>::build([&](auto out) {
      const bytes headers(header_bytes);
      out.initFinality().setHeaders(data_of(headers));
      const auto final = encode(certificate{});
      out.getFinality().setCertificate(data_of(final));
      const auto proof = encode(state_proof{});
      auto row = out.initRows(1)[0];
      row.setKey(data_of(byte_view(proof).first(4)));
      row.setProof(data_of(proof));
      fill_row(row);
    }));
  };
  CHECK(read_rows(with(246, [](auto) {})).has_value());
  CHECK(read_rows(with(246 * 256, [](auto) {})).has_value());
  CHECK(reason_of(read_rows(with(246 * 257, [](auto) {}))) == distrust::malformed);
  CHECK(reason_of(read_rows(with(245, [](auto) {}))) == distrust::malformed);
  const bytes value{1};
  CHECK(reason_of(read_rows(with(246, [&](auto row) { row.setValue(data_of(value)); }))) ==
        distrust::malformed);
  CHECK(reason_of(read_rows(with(246, [&](auto row) { row.setProof(data_of(value)); }))) ==
        distrust::malformed);
  const auto there = read_rows(with(246, [&](auto row) {
    row.setPresent(true);
    row.setValue(data_of(value));
  }));
  REQUIRE(there.has_value());
  CHECK(there->rows[0].value == value);
}
