// The encoder's own way to canonical words, compared with that of Cap'n Proto.
#include "messages/wire/canonical.hpp"

#include <doctest/doctest.h>

#include <numeric>

#include "messages/codec/codec.hpp"
#include "messages/schema/blocks.capnp.h"
#include "messages/schema/events.capnp.h"
#include "messages/schema/genesis.capnp.h"
#include "messages/schema/ledger.capnp.h"
#include "messages/schema/submissions.capnp.h"
#include "messages/schema/targets.capnp.h"
#include "messages/schema/transactions.capnp.h"
#include "messages/wire/message.hpp"
#include "tests/messages/codec/samples.hpp"

namespace soma {
namespace {

using test::sample;
using test::seeds;

template <class Value, class Schema>
struct encoded_as {
  using value = Value;
  using schema = Schema;
};

template <class Schema>
bytes as_capnp_does(byte_view canonical) {
  const auto parsed = message<Schema>::parse(canonical);
  REQUIRE(parsed);
  const auto again = message<Schema>::copy_of(parsed->root());
  return {again.bytes().begin(), again.bytes().end()};
}

}  // namespace

// By security §7.6 what is written is canonical.
TEST_CASE_TEMPLATE(
    "a value's bytes are the canonical form that Cap'n Proto makes of them", X,
    encoded_as<transaction, schema::Transaction>,
    encoded_as<signed_transaction, schema::SignedTransaction>, encoded_as<genesis, schema::Genesis>,
    encoded_as<block, schema::Block>, encoded_as<event, schema::Event>,
    encoded_as<chain_row, schema::ChainRow>, encoded_as<account_row, schema::AccountRow>,
    encoded_as<validator_row, schema::ValidatorRow>, encoded_as<model_row, schema::ModelRow>,
    encoded_as<model_version_row, schema::ModelVersionRow>,
    encoded_as<target_row, schema::TargetRow>, encoded_as<submission_row, schema::SubmissionRow>,
    encoded_as<committee_row, schema::CommitteeRow>, encoded_as<stake_row, schema::StakeRow>) {
  for (const auto seed : seeds(300)) {
    CAPTURE(seed);
    const auto sent = encode(sample<typename X::value>(seed));
    REQUIRE(as_capnp_does<typename X::schema>(sent) == sent);
  }
}

TEST_CASE("a message too large for the thread's memory has the same form") {
  block large;
  for (std::uint64_t i = 0; i < 700; ++i) {
    signed_transaction sent;
    sent.body.resize(1 + i % 360);
    std::iota(sent.body.begin(), sent.body.end(), static_cast<std::uint8_t>(i));
    large.payload.push_back(sent);
    const bytes whole = encode(large);
    if (i % 50 != 49) continue;
    CAPTURE(i);
    REQUIRE(as_capnp_does<schema::Block>(whole) == whole);
    REQUIRE(decode<block>(whole) == large);
  }
}

TEST_CASE("a draft begun while another is being filled disturbs neither") {
  const auto seat = sample<account_row>(1);
  const bytes alone = encode(seat);
  detail::message_draft outer;
  auto root = outer.root<schema::Event>();
  root.setHeight(7);
  CHECK(encode(seat) == alone);
  root.setDetail(9);
  const auto words = outer.finish<schema::Event>();
  const auto seen = decode<event>(
      {reinterpret_cast<const std::uint8_t*>(words.data()), words.size() * sizeof(std::uint64_t)});
  CHECK_FALSE(seen);  // an event's ids have 32 bytes each, but these are empty
  const auto read = message<schema::Event>::parse(
      {reinterpret_cast<const std::uint8_t*>(words.data()), words.size() * sizeof(std::uint64_t)});
  REQUIRE(read);
  CHECK(read->root().getHeight() == 7);
  CHECK(read->root().getDetail() == 9);
  // The thread's memory is clean for the next message, too.
  CHECK(encode(seat) == alone);
}

TEST_CASE_TEMPLATE(
    "our own bytes are read as foreign ones are, and are never read beyond their end", X,
    transaction, signed_transaction, genesis, block_header, block, event, chain_row, account_row,
    validator_row, model_row, model_version_row, target_row, submission_row, used_data_row,
    known_weights_row, committee_row, stake_row, agenda_row, consensus_key_row, evidence_row,
    onion_row, list_row, vote_statement) {
  for (const auto seed : seeds(40)) {
    CAPTURE(seed);
    const X value = sample<X>(seed);
    bytes whole = encode(value);
    REQUIRE(decode_own<X>(whole) == value);
    for (std::size_t size = 0; size < whole.size(); size += 1 + whole.size() / 64) {
      const bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      REQUIRE_FALSE(decode_own<X>(cut));
    }
    // A flipped byte is refused wherever decode refuses the structure; otherwise it may only give
    // another value.
    for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 512) {
      whole[at] ^= 0x11;
      const auto strict = decode<X>(whole);
      const auto lenient = decode_own<X>(whole);
      // Bytes are compared, since a NaN is not equal to itself.
      if (strict) REQUIRE((lenient && encode(*lenient) == encode(*strict)));
      whole[at] ^= 0x11;
    }
  }
}

}  // namespace soma
