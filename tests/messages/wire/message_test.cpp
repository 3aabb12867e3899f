// message<T> and the parser: what is built is accepted, and hostile structure is refused in bounded
// time.
#include "messages/wire/message.hpp"

#include <capnp/serialize.h>
#include <doctest/doctest.h>

#include <bit>
#include <chrono>
#include <cstring>
#include <thread>

#include "messages/codec/codec.hpp"
#include "messages/schema/consensus.capnp.h"
#include "messages/schema/genesis.capnp.h"
#include "messages/schema/ledger.capnp.h"
#include "messages/schema/submissions.capnp.h"
#include "messages/values/utf8.hpp"
#include "tests/messages/codec/samples.hpp"

namespace soma {
namespace {

using words = std::vector<std::uint64_t>;

bytes framed(const words& segment) {
  words all{std::uint64_t{segment.size()} << 32};
  all.insert(all.end(), segment.begin(), segment.end());
  bytes raw(all.size() * 8);
  std::memcpy(raw.data(), all.data(), raw.size());
  return raw;
}

std::uint64_t struct_pointer(std::int64_t offset, std::uint64_t data, std::uint64_t pointers) {
  return (static_cast<std::uint64_t>(offset << 2) & 0xffff'ffff) | data << 32 | pointers << 48;
}
std::uint64_t list_pointer(std::int64_t offset, std::uint64_t size, std::uint64_t count) {
  return 1 | (static_cast<std::uint64_t>(offset << 2) & 0xffff'ffff) | size << 32 | count << 35;
}

template <class T>
parse_refusal refusal_of(const words& segment) {
  const auto parsed = message<T>::parse(framed(segment));
  REQUIRE(!parsed);
  return parsed.error();
}

/// Cap'n Proto's own reader agrees on bytes that the parser accepted: they are canonical, and it
/// writes the same bytes again.
template <class T>
void agrees_with_capnp(const message<T>& taken) {
  const auto view = taken.bytes();
  words raw(view.size() / 8);
  std::memcpy(raw.data(), view.data(), view.size());
  capnp::FlatArrayMessageReader reader(
      kj::arrayPtr(reinterpret_cast<const capnp::word*>(raw.data()), raw.size()));
  REQUIRE(reader.isCanonical());
  const auto again = capnp::canonicalize(reader.getRoot<T>());
  REQUIRE(again.asBytes().size() == view.size() - 8);
  REQUIRE(std::memcmp(again.asBytes().begin(), view.data() + 8, view.size() - 8) == 0);
}

}  // namespace

TEST_CASE("a message is its words: built, sent, received, equal") {
  const auto sent = message<schema::AccountRow>::build([](schema::AccountRow::Builder b) {
    b.setBalance(7);
    b.setNonce(9);
  });
  CHECK(sent->getBalance() == 7);
  const auto received = message<schema::AccountRow>::parse(sent.bytes());
  REQUIRE(received);
  CHECK(*received == sent);
  CHECK(received->root().getNonce() == 9);
  const auto copy = *received;
  CHECK(copy.bytes().data() == received->bytes().data());
}

TEST_CASE("a message that was never filled has every field at its default") {
  const message<schema::SubmissionRow> empty;
  CHECK(empty->getBond() == 0);
  CHECK(empty->getVotes().size() == 0);
  CHECK(empty->getCommitment().size() == 0);
  CHECK(empty == message<schema::SubmissionRow>::build([](auto) {}));
  CHECK(message<schema::SubmissionRow>::parse(empty.bytes()) == empty);
}

TEST_CASE("part of a message becomes a message of its own") {
  const bytes raw = encode(test::sample<submission_row>(3));
  const auto whole = message<schema::SubmissionRow>::parse(raw);
  REQUIRE(whole);
  const auto part = message<schema::ModelVersionRef>::copy_of(whole->root().getWinner());
  CHECK(part->getVersion() == whole->root().getWinner().getVersion());
  CHECK(message<schema::ModelVersionRef>::parse(part.bytes()) == part);
}

TEST_CASE("threads read one message at the same time") {
  const auto shared =
      message<schema::SubmissionRow>::parse(encode(test::sample<submission_row>(4)));
  REQUIRE(shared);
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([copy = *shared] {
      std::uint64_t sum = 0;
      for (int k = 0; k < 100'000; ++k)
        sum += copy->getCommitment().size() + copy->getVotes().size();
      SOMA_ASSERT(sum >= 100'000 * 32, "readers that read");
    });
  }
  for (auto& reader : readers) reader.join();
}

// By security §7.2 only the canonical form is accepted.
TEST_CASE("what the parser accepts, Cap'n Proto's own reader calls canonical") {
  for (const auto seed : test::seeds(2'000)) {
    CAPTURE(seed);
    test::sampler s(seed);
    bytes raw = encode(test::sample<submission_row>(seed));
    for (auto errors = s.below(3); errors > 0; --errors) s.fill(raw[s.below(raw.size())]);
    if (const auto taken = message<schema::SubmissionRow>::parse(raw)) agrees_with_capnp(*taken);
    raw = encode(test::sample<block>(seed));
    for (auto errors = s.below(3); errors > 0; --errors) s.fill(raw[s.below(raw.size())]);
    if (const auto taken = message<schema::Block>::parse(raw)) agrees_with_capnp(*taken);
  }
}

// By security §7.1 size and segment table are checked first.
TEST_CASE("size and segment table are checked before anything else") {
  using row = message<schema::AccountRow>;
  CHECK(row::parse({}).error() == parse_refusal::not_whole_words);
  CHECK(row::parse(bytes(7)).error() == parse_refusal::not_whole_words);
  CHECK(row::parse(bytes(12)).error() == parse_refusal::not_whole_words);
  CHECK(row::parse(bytes(64), 56).error() == parse_refusal::too_large);
  CHECK(row::parse(bytes(8)).error() == parse_refusal::wrong_length);
  bytes two = framed({struct_pointer(0, 1, 0), 1});
  two[0] = 1;
  CHECK(row::parse(two).error() == parse_refusal::not_one_segment);
  two[0] = 0xff, two[1] = 0xff, two[2] = 0xff, two[3] = 0xff;
  CHECK(row::parse(two).error() == parse_refusal::not_one_segment);
  bytes claims_more = framed({struct_pointer(0, 1, 0), 1});
  claims_more[4] = 3;
  CHECK(row::parse(claims_more).error() == parse_refusal::wrong_length);
}

// By security §7.2 each word belongs to one object, and by security §7.4 there are only known
// fields and values.
TEST_CASE("structure that leads astray is refused by name") {
  using row = schema::UsedDataRow;  // one pointer, to data
  using version = schema::ModelVersionRow;
  const auto root = struct_pointer(0, 0, 1);
  CHECK(message<row>::parse(framed({root, list_pointer(0, 2, 8), 1})));
  CHECK(refusal_of<row>({0}) == parse_refusal::not_canonical);
  CHECK(refusal_of<row>({2}) == parse_refusal::far_pointer);
  CHECK(refusal_of<row>({3}) == parse_refusal::far_pointer);
  CHECK(refusal_of<row>({root, 2}) == parse_refusal::far_pointer);
  CHECK(refusal_of<row>({root, std::uint64_t{1} << 32 | 6, 0}) == parse_refusal::far_pointer);
  CHECK(refusal_of<row>({root, 3}) == parse_refusal::far_pointer);
  CHECK(refusal_of<row>({root, list_pointer(0, 2, 9), 1}) == parse_refusal::out_of_bounds);
  CHECK(refusal_of<row>({root, list_pointer(7, 2, 8), 1}) == parse_refusal::out_of_bounds);
  CHECK(refusal_of<row>({root, list_pointer(-9, 2, 8), 1}) == parse_refusal::out_of_bounds);
  CHECK(refusal_of<row>({root, list_pointer(0, 2, 0x1fffffff), 1}) == parse_refusal::out_of_bounds);
  CHECK(refusal_of<row>({root, list_pointer(0, 3, 4), 1}) == parse_refusal::wrong_kind);
  CHECK(refusal_of<row>({root, struct_pointer(0, 1, 0), 1}) == parse_refusal::wrong_kind);
  // Bytes to which no pointer leads, before or after the object.
  CHECK(refusal_of<row>({root, list_pointer(0, 2, 8), 1, 1}) == parse_refusal::not_canonical);
  CHECK(refusal_of<row>({root, list_pointer(1, 2, 8), 1, 1}) == parse_refusal::not_canonical);
  // A pointer to itself or to its parent.
  CHECK(refusal_of<row>({root, list_pointer(-1, 2, 8)}) == parse_refusal::not_canonical);
  CHECK(refusal_of<row>({root, list_pointer(-2, 2, 8)}) == parse_refusal::not_canonical);
  CHECK(refusal_of<row>({struct_pointer(-1, 0, 1)}) == parse_refusal::not_canonical);
  // Padding, zeros that should have been left out, and fields that do not exist.
  CHECK(refusal_of<row>({root, list_pointer(0, 2, 7), 1ull << 56}) == parse_refusal::not_canonical);
  CHECK(refusal_of<row>({struct_pointer(0, 0, 1), 0}) == parse_refusal::not_canonical);
  CHECK(refusal_of<row>({struct_pointer(0, 1, 1), 1, list_pointer(0, 2, 8), 1}) ==
        parse_refusal::unknown_field);
  CHECK(refusal_of<row>({struct_pointer(0, 0, 2), 0, list_pointer(0, 2, 8), 1}) ==
        parse_refusal::unknown_field);
  CHECK(refusal_of<version>({struct_pointer(0, 1, 0), 6}) == parse_refusal::unknown_enum_value);
  CHECK(message<version>::parse(framed({struct_pointer(0, 1, 0), 5})));
}

// By security §7.4 union members and texts are what the schema says.
TEST_CASE("unions and texts are what the schema says") {
  words transaction{struct_pointer(0, 3, 0), 0, 0, 0};
  using tx_schema = schema::Transaction;
  transaction[3] = 14;
  CHECK(message<tx_schema>::parse(framed(transaction)));
  transaction[3] = 15;
  CHECK(refusal_of<tx_schema>(transaction) == parse_refusal::unknown_union_member);
  const auto named = [](std::uint64_t size, std::uint64_t content) {
    return words{struct_pointer(0, 0, 1), list_pointer(0, 2, size), content};
  };
  CHECK(message<schema::Genesis>::parse(framed(named(3, 0x6261))));
  CHECK(refusal_of<schema::Genesis>(named(2, 0x6261)) == parse_refusal::text_not_terminated);
  CHECK(refusal_of<schema::Genesis>(named(3, 0xff61)) == parse_refusal::text_not_utf8);
  CHECK(refusal_of<schema::Genesis>({struct_pointer(0, 0, 1), list_pointer(0, 2, 0)}) ==
        parse_refusal::text_not_terminated);
}

TEST_CASE("UTF-8 is shortest forms of real characters") {
  CHECK(is_utf8("plain, \xc3\xa4, \xe2\x82\xac, \xf0\x9f\x8c\x8d, \xf4\x8f\xbf\xbf"));
  for (const std::string_view bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x80\x80", "\xe2\x82", "\xed\xa0\x80",
        "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xc3z"}) {
    CHECK(!is_utf8(bad));
  }
}

// By security §7.3 the number of elements without size is bounded, and by security §7.2 no part is
// shared.
TEST_CASE("a few bytes that claim millions of elements cost next to nothing") {
  const auto start = std::chrono::steady_clock::now();
  // Elements without content: 2^29 structs of size zero in a list of no words.
  using submission = schema::SubmissionRow;
  words amplified{struct_pointer(0, 0, 6),
                  0,
                  0,
                  0,
                  0,
                  0,
                  list_pointer(0, 7, 0),
                  static_cast<std::uint32_t>(0x3fffffffu << 2)};
  CHECK(refusal_of<submission>(amplified) == parse_refusal::too_many_elements);
  // Thousands of pointers lead to one place.
  words shared{struct_pointer(0, 0, 3), 0, 0, list_pointer(0, 7, 8'000)};
  shared.push_back(struct_pointer(4'000, 0, 2));
  for (int i = 0; i < 8'000; ++i) shared.push_back(list_pointer(7'999 - i, 2, 64));
  for (int i = 0; i < 8; ++i) shared.push_back(1);
  CHECK(refusal_of<schema::Block>(shared) == parse_refusal::not_canonical);
  // A list that contains itself as an element.
  words cycle{struct_pointer(0, 0, 3),
              0,
              0,
              list_pointer(0, 7, 2),
              struct_pointer(1, 0, 2),
              list_pointer(-2, 7, 2),
              list_pointer(-3, 7, 2)};
  CHECK(refusal_of<schema::Block>(cycle) == parse_refusal::wrong_kind);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(1));
}

// By security §7.3 the depth of pointers is bounded.
TEST_CASE("a well-formed message may not be nested below eight pointers") {
  // PeerMessage -> proposal -> block -> payload -> data is five deep and accepted. The limit itself
  // is tested on a schema that refers to itself, below the root of which any depth can be built.
  const auto deep = message<schema::PeerMessage>::build([](schema::PeerMessage::Builder to) {
    to.initProposal().initBlock().initPayload(1)[0].setBody(data_of(bytes(64, 1)));
  });
  CHECK(message<schema::PeerMessage>::parse(deep.bytes()) == deep);
  structure self;
  self.pointers = 1;
  field_rule next;
  next.type = field_rule::kind::pointer;
  next.pointer.kind = pointee::structure;
  next.pointer.body = &self;
  self.fields.push_back(next);
  for (unsigned depth = 1; depth < 40; ++depth) {
    CAPTURE(depth);
    words chain(depth - 1, struct_pointer(0, 0, 1));
    chain.push_back(0xffff'fffc);
    const auto parsed = parse_words(framed(chain), self, 1 << 20);
    CHECK(parsed.has_value() == (depth <= max_message_depth));
    if (!parsed) CHECK(parsed.error() == parse_refusal::too_deep);
  }
}

TEST_CASE("every refusal has words of its own") {
  for (int i = 0; i <= static_cast<int>(parse_refusal::out_of_range); ++i) {
    CHECK(to_text(static_cast<parse_refusal>(i)) != "unknown refusal");
    for (int k = 0; k < i; ++k) {
      CHECK(to_text(static_cast<parse_refusal>(i)) != to_text(static_cast<parse_refusal>(k)));
    }
  }
}

}  // namespace soma
