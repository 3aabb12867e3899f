// Every plain value and its bytes: encoded and decoded, and what happens to bytes that are cut,
// flipped or made up.
#include "messages/codec/codec.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "messages/schema/ledger.capnp.h"
#include "messages/schema/targets.capnp.h"
#include "messages/wire/message.hpp"
#include "tests/messages/codec/samples.hpp"

namespace soma {

using test::sample;
using test::seeds;

#define ALL_TYPES                                                                               \
  transaction, signed_transaction, genesis, block_header, block, event, chain_row, account_row, \
      validator_row, model_row, model_version_row, target_row, submission_row, used_data_row,   \
      known_weights_row, committee_row, stake_row, agenda_row, consensus_key_row, evidence_row, \
      onion_row, list_row, vote_statement

TEST_CASE_TEMPLATE("every value comes back from its bytes as it went", X, ALL_TYPES) {
  for (const auto seed : seeds(300)) {
    CAPTURE(seed);
    const X value = sample<X>(seed);
    const bytes sent = encode(value);
    const auto received = decode<X>(sent);
    REQUIRE(received);
    REQUIRE(*received == value);
    REQUIRE(encode(*received) == sent);
  }
}

TEST_CASE_TEMPLATE("a value that was never set comes back too", X, chain_row, account_row,
                   validator_row, model_row, model_version_row, target_row, submission_row,
                   used_data_row, known_weights_row, committee_row, stake_row, agenda_row,
                   consensus_key_row, evidence_row, onion_row, list_row, event, block) {
  const auto received = decode<X>(encode(X{}));
  REQUIRE(received);
  CHECK(*received == X{});
}

TEST_CASE_TEMPLATE("bytes cut short at any length are refused", X, ALL_TYPES) {
  for (const auto seed : seeds(28)) {
    CAPTURE(seed);
    const bytes whole = encode(sample<X>(seed));
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CAPTURE(size);
      REQUIRE(!decode<X>(byte_view(whole).first(size)));
    }
    bytes longer = whole;
    for (int extra = 0; extra < 17; ++extra) {
      longer.push_back(0);
      REQUIRE(!decode<X>(longer));
    }
  }
}

/// True unless decode accepts bytes that are not the one encoding of the decoded value.
template <class X>
bool refused_or_equal(const bytes& damaged) {
  const auto taken = decode<X>(damaged);
  return !taken || encode(*taken) == damaged;
}

TEST_CASE_TEMPLATE("a flipped byte or bit is refused, or is the encoding of another value", X,
                   ALL_TYPES) {
  for (const auto seed : seeds(14)) {
    CAPTURE(seed);
    bytes damaged = encode(sample<X>(seed));
    for (std::size_t at = 0; at < damaged.size(); ++at) {
      CAPTURE(at);
      for (const int mask : {0xff, 1, 2, 4, 8, 16, 32, 64, 128}) {
        damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ mask);
        REQUIRE(refused_or_equal<X>(damaged));
        damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ mask);
      }
    }
  }
}

TEST_CASE_TEMPLATE("made-up bytes and many errors at once are refused or equal", X, ALL_TYPES) {
  for (const auto seed : seeds(4'000)) {
    CAPTURE(seed);
    test::sampler s(seed);
    bytes damaged = encode(sample<X>(seed));
    if (s.below(4) == 0) {  // made up, except for a correct segment table
      damaged.resize(8 + 8 * s.below(40));
      crypto::seeded_random(seed).fill(std::span(damaged).subspan(8));
      const std::uint32_t table[2] = {0, static_cast<std::uint32_t>(damaged.size() / 8 - 1)};
      std::memcpy(damaged.data(), table, 8);
    } else {
      for (auto errors = 1 + s.below(6); errors > 0; --errors) {
        s.fill(damaged[s.below(damaged.size())]);
      }
      if (s.coin() && damaged.size() >= 24) {  // one word overwrites another
        const auto words = damaged.size() / 8;
        std::memcpy(damaged.data() + 8 * s.below(words), damaged.data() + 8 * s.below(words), 8);
      }
    }
    REQUIRE(refused_or_equal<X>(damaged));
  }
}

TEST_CASE("floats keep every bit, whatever they are") {
  target_row row;
  for (const std::uint32_t bits : {0u, 0x80000000u, 1u, 0x7f800000u, 0xff800000u, 0x7fc00000u,
                                   0x7f800001u, 0xffffffffu, 0x3f800000u}) {
    row.point.push_back(std::bit_cast<float>(bits));
  }
  const auto received = decode<target_row>(encode(row));
  REQUIRE(received);
  REQUIRE(received->point.size() == row.point.size());
  CHECK(std::memcmp(received->point.data(), row.point.data(), row.point.size() * 4) == 0);
}

// By security §7.5 lists have limits.
TEST_CASE("lists beyond their limit are refused") {
  const auto with_assigned = [](unsigned count) {
    return message<schema::TargetRow>::build([&](schema::TargetRow::Builder to) {
      auto list = to.initAssigned(count);
      const bytes id(32, 7);
      for (auto ref : list) ref.setModel(data_of(id));
    });
  };
  CHECK(decode<target_row>(with_assigned(16).bytes()));
  CHECK(decode<target_row>(with_assigned(17).bytes()).error() == parse_refusal::list_too_long);
  const auto with_point = [](unsigned count) {
    return message<schema::TargetRow>::build(
        [&](schema::TargetRow::Builder to) { to.initPoint(count); });
  };
  CHECK(decode<target_row>(with_point(max_dim).bytes()));
  CHECK(decode<target_row>(with_point(max_dim + 1).bytes()).error() ==
        parse_refusal::list_too_long);
}

TEST_CASE("a list that is there but empty is no encoding of an empty list") {
  const auto odd =
      message<schema::TargetRow>::build([](schema::TargetRow::Builder to) { to.initPoint(0); });
  CHECK(decode<target_row>(odd.bytes()).error() == parse_refusal::not_canonical);
}

// By security §7.5 a field of fixed size has that size.
TEST_CASE("fields of fixed size have that size") {
  for (const std::size_t size : {0, 1, 31, 33, 64}) {
    CAPTURE(size);
    const auto odd = message<schema::ChainRow>::build(
        [&](schema::ChainRow::Builder to) { to.setLastBlock(data_of(bytes(size, 1))); });
    CHECK(decode<chain_row>(odd.bytes()).error() == parse_refusal::wrong_size);
  }
}

TEST_CASE("a genesis outside its ranges is refused") {
  const auto encoding_of = [](auto change) {
    genesis value = sample<genesis>(5);
    change(value);
    return decode<genesis>(encode(value));
  };
  CHECK(encoding_of([](genesis&) {}));
  CHECK(!encoding_of([](genesis& g) { g.parameters.architecture.heads = 3; }));
  CHECK(!encoding_of([](genesis& g) { g.parameters.architecture.dim = max_dim + 32; }));
  CHECK(!encoding_of([](genesis& g) { g.parameters.models_per_target = 17; }));
}

// Protocol §10.2.
TEST_CASE("a header's layout has 246 bytes in the order of its fields") {
  block_header header;
  header.version = 0x0201;
  header.epoch = {0x0807060504030201};
  header.chain.value.fill(0xcc);
  header.flags = 0xbbaa;
  header.next_committee.value.fill(0xee);
  header.peel.value.fill(0xdd);
  const bytes layout = header_layout(header);
  REQUIRE(layout.size() == 246);
  CHECK(to_hex(byte_view(layout).first(2)) == "0102");
  CHECK(layout[2] == 0xcc);
  CHECK(layout[33] == 0xcc);
  CHECK(to_hex(byte_view(layout).subspan(34, 8)) == "0102030405060708");
  CHECK(to_hex(byte_view(layout).subspan(180, 2)) == "aabb");
  CHECK(layout[182] == 0xee);
  CHECK(layout[213] == 0xee);
  CHECK(layout[214] == 0xdd);
  CHECK(layout[245] == 0xdd);
}

// Protocol §11.1.
TEST_CASE("keys name their table and what they are the key of, and nothing else does") {
  for (const auto seed : seeds(200)) {
    CAPTURE(seed);
    crypto::seeded_random random(seed);
    const auto id = random.next_id<hash256>();
    const auto version = static_cast<std::uint32_t>(random.next_u64());
    const auto model = id.as<model_tag>();
    CHECK(table_of(chain_key()) == ledger_table::chain);
    CHECK(table_of(account_key(id.as<address_tag>())) == ledger_table::account);
    CHECK(table_of(validator_key(id.as<address_tag>())) == ledger_table::validator);
    CHECK(table_of(target_key(id.as<target_tag>())) == ledger_table::target);
    CHECK(table_of(submission_key(id.as<target_tag>())) == ledger_table::submission);
    CHECK(table_of(used_data_key(id.as<data_tag>())) == ledger_table::used_data);
    CHECK(table_of(known_weights_key(id)) == ledger_table::known_weights);
    CHECK(table_of(committee_key()) == ledger_table::committee);
    CHECK(table_of(consensus_key_key(id.value)) == ledger_table::consensus_key);
    CHECK(table_of(evidence_key(id)) == ledger_table::evidence);
    CHECK(table_of(onion_key(id.value)) == ledger_table::onion);
    for (const auto list : {list_kind::active_models, list_kind::open_targets}) {
      const auto page = list_key({list, version});
      CHECK(table_of(page) == ledger_table::list);
      CHECK(list_page_in_key(page) == list_page{list, version});
      CHECK(list_page_in_key(byte_view(page).first(5)) == std::nullopt);
    }
    CHECK(list_key({list_kind::open_targets, 255}) < list_key({list_kind::open_targets, 256}));
    CHECK(id_in_key<model_id>(model_key(model)) == model);
    const auto key = model_version_key(model, version);
    CHECK(version_in_key(key) == model_version_ref{model, version});
    CHECK(model_version_key(model, 255) < model_version_key(model, 256));
    for (std::size_t size = 0; size < key.size(); ++size) {
      CHECK(table_of(byte_view(key).first(size)) == std::nullopt);
    }
  }
  CHECK(table_of(bytes(33, 99)) == std::nullopt);
  CHECK(table_of(bytes(1, 99)) == std::nullopt);
  CHECK(table_of(bytes(33, 0)) == std::nullopt);
}

// Protocol §11.1.
TEST_CASE("keys of stakes and of the agenda come back, in the order of what they name") {
  std::optional<std::pair<agenda_item, row_key>> last;
  for (const auto seed : seeds(300)) {
    CAPTURE(seed);
    crypto::seeded_random random(seed);
    const stake_position position{random.below(2) == 0 ? pool_owner(random.next_id<address>())
                                                       : pool_owner(random.next_id<model_id>()),
                                  random.next_id<address>()};
    const auto key = stake_key(position);
    CHECK(position_in_key(key) == position);
    const auto prefix = stake_prefix(position.pool);
    CHECK(std::equal(prefix.begin(), prefix.end(), key.begin()));
    agenda_item item{{random.below(300)}, position};
    if (random.below(4) == 0) item.subject = random.next_id<target_id>();
    if (random.below(4) == 0) item.subject = random.next_id<model_id>();
    if (random.below(4) == 0) item.subject = random.next_id<address>();
    const auto due = agenda_key(item);
    CHECK(agenda_in_key(due) == item);
    for (std::size_t size = 0; size < due.size(); ++size)
      CHECK(table_of(byte_view(due).first(size)) == std::nullopt);
    if (last) CHECK((last->first < item) == (last->second < due));
    last = {item, due};
  }
  auto odd = stake_key({address{}, {}});
  odd[1] = 3;
  CHECK(table_of(odd) == std::nullopt);
  auto unknown = agenda_key({{1}, target_id{}});
  for (const std::uint8_t kind : {0, 3, 5, 255}) {
    unknown[9] = kind;
    CHECK(table_of(unknown) == std::nullopt);
  }
}

}  // namespace soma
