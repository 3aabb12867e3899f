// Messages between validators: encoded and decoded, and what happens to bytes that are cut,
// flipped, made up or as long as allowed.
#include <doctest/doctest.h>

#include <chrono>
#include <cstring>

#include "messages/schema/consensus.capnp.h"
#include "messages/wire/message.hpp"
#include "tests/messages/codec/consensus_samples.hpp"

namespace soma {

using test::sample;
using test::sample_message;
using test::seeds;

namespace {

certificate full_certificate(std::uint64_t view) {
  certificate made;
  made.statement.view = {view};
  for (std::uint16_t i = 0; i < max_committee_seats; ++i) made.signers.add({i});
  made.signatures.assign(max_committee_seats, signature{1, 2, 3});
  return made;
}

epoch_proof full_proof() {
  epoch_proof made;
  made.headers.resize(max_proof_headers);
  made.final = full_certificate(1);
  made.next_committee.assign(max_committee_seats, {address{{7}}, {8}, 100, 0, 0});
  return made;
}

/// As many of the smallest transactions as the limits of a list allow; they have the most overhead.
std::vector<signed_transaction> many_transactions(std::size_t most_bytes, std::size_t most_count) {
  const signed_transaction one{bytes(1, 5), {9}};
  return {std::min(most_count, most_bytes / 65), one};
}

block_ptr full_block() {
  block made;
  made.payload = many_transactions(max_block_payload_bytes, max_block_transactions);
  made.parent_signers = full_certificate(1).signers;
  return test::named(std::move(made));
}

std::vector<certificate> full_certificates(std::size_t count) {
  return {count, full_certificate(3)};
}

/// For each kind, the largest message within its limits.
peer_message largest(std::size_t kind) {
  switch (kind) {
    case 0:
      return peer::hello{chain_id{{1}}, {~0ull}, {~0ull}, ~0ull, {~0ull}, true};
    case 1:
      return peer::proposal{full_block(), full_certificate(1), full_certificates(max_inline_skips)};
    case 2:
      return peer::vote{{{vote_kind::finalize, {~0ull}, ~0ull, block_id{{1}}}, 99, {1}}};
    case 3:
      return peer::certified{full_certificate(1)};
    case 4:
      return peer::standstill{full_certificates(max_response_certificates),
                              std::vector<member_vote>(max_standstill_votes)};
    case 5:
      return peer::request{{~0ull}, {~0ull}, ~0ull, block_id{{1}}};
    case 6: {
      peer::response made{{~0ull},
                          full_certificates(max_response_certificates),
                          {},
                          full_certificate(1),
                          full_proof()};
      made.blocks.assign(max_response_bytes / max_block_payload_bytes, full_block());
      made.blocks.resize(max_response_blocks, test::named({}));
      return made;
    }
    case 7:
      return peer::epoch_over{{~0ull}, full_proof()};
    case 8:
      return peer::transactions{many_transactions(max_batch_bytes, max_block_transactions)};
    case 9:
      return peer::ask_state{{~0ull}, {~0ull}, ~0u, ~0u};
    case 10:
      return peer::state_part{{~0ull}, full_proof(), {~0ull}, ~0u,
                              ~0u,     ~0u,          ~0u,     bytes(max_state_data_bytes, 0xff),
                              true};
    case 11:
      return peer::seek{std::vector<blob_id>(max_seek_blobs, blob_id{{1}})};
    case 12:
      return peer::have{
          std::vector<peer::have::entry>(max_seek_blobs, {blob_id{{1}}, max_exchanged_blob_bytes})};
    case 13:
      return peer::get{{blob_id{{1}}, true, ~0u}};
    default:
      return peer::part{{blob_id{{1}}, true, ~0u}, bytes(max_part_bytes, 0xff), false};
  }
}

template <class Change>
bytes damaged_by(const peer_message& value, Change&& change) {
  bytes made = encode(value);
  change(made);
  return made;
}

/// True unless decode accepts bytes that are not the one encoding of the decoded value.
bool refused_or_equal(const bytes& damaged) {
  const auto taken = decode<peer_message>(damaged);
  return !taken || encode(*taken) == damaged;
}

template <class Fill>
parse_refusal refusal_of(Fill&& fill) {
  const auto odd = message<schema::PeerMessage>::build(fill);
  const auto taken = decode<peer_message>(odd.bytes());
  REQUIRE(!taken);
  return taken.error();
}

}  // namespace

TEST_CASE("whatever validators say comes back from its bytes as it went") {
  for (const auto seed : seeds(300)) {
    for (std::size_t kind = 0; kind < peer_message_kinds; ++kind) {
      CAPTURE(seed);
      CAPTURE(kind);
      const auto value = sample_message(seed, kind);
      const bytes sent = encode(value);
      REQUIRE(sent.size() <= max_peer_message_bytes(kind));
      const auto received = decode<peer_message>(sent);
      REQUIRE(received);
      REQUIRE(received->index() == kind);
      REQUIRE(encode(*received) == sent);
    }
  }
}

// By security §3.5 the type of a frame determines the kind of its message.
TEST_CASE(
    "a message in a frame that announced another kind is refused, and the refusal names that") {
  for (std::size_t kind = 0; kind < peer_message_kinds; ++kind) {
    const auto value = sample_message(1, kind);
    const bytes sent = encode(value);
    CHECK(frame_type_of(value) == kind + 1);
    for (std::uint16_t type = 0; type <= peer_message_kinds + 1; ++type) {
      CAPTURE(kind);
      CAPTURE(type);
      const auto received = decode_frame(type, sent);
      if (type == kind + 1) {
        REQUIRE(received);
        CHECK(encode(*received) == sent);
      } else {
        REQUIRE_FALSE(received);
        CHECK(received.error() == parse_refusal::another_kind);
      }
      CHECK(max_frame_bytes(type).has_value() == (type >= 1 && type <= peer_message_kinds));
    }
  }
}

TEST_CASE_TEMPLATE("parts that are kept alone come back as they went", X, member_vote, certificate,
                   epoch_proof) {
  for (const auto seed : seeds(300)) {
    CAPTURE(seed);
    const X value = sample<X>(seed);
    const bytes kept = encode(value);
    REQUIRE(decode<X>(kept) == value);
    REQUIRE(decode_own<X>(kept) == value);
    for (std::size_t size = 0; seed < 10 && size < kept.size(); ++size) {
      REQUIRE(!decode<X>(byte_view(kept).first(size)));
    }
  }
}

TEST_CASE("every field of every kind survives: no two values share their bytes") {
  for (const auto seed : seeds(40)) {
    CAPTURE(seed);
    const auto heard = decode<peer_message>(encode(sample_message(seed, 1)));
    const auto said = std::get<peer::proposal>(sample_message(seed, 1));
    const auto& got = std::get<peer::proposal>(*heard);
    CHECK(got.block->block == said.block->block);
    CHECK(got.block->id == signing::id_of(said.block->block.header));
    CHECK(got.parent == said.parent);
    CHECK(got.skipped == said.skipped);
    const auto answer = sample_message(seed, 6);
    const auto response = decode<peer_message>(encode(answer));
    const auto& want = std::get<peer::response>(answer);
    const auto& have = std::get<peer::response>(*response);
    CHECK(have.certificates == want.certificates);
    CHECK(have.final == want.final);
    CHECK(have.epoch_end == want.epoch_end);
    REQUIRE(have.blocks.size() == want.blocks.size());
    for (std::size_t i = 0; i < have.blocks.size(); ++i) {
      CHECK(have.blocks[i]->id == want.blocks[i]->id);
      CHECK(have.blocks[i]->block == want.blocks[i]->block);
    }
    const auto piece = std::get<peer::state_part>(sample_message(seed, 10));
    const auto part = decode<peer_message>(encode(piece));
    const auto& given = std::get<peer::state_part>(*part);
    CHECK(given.epoch == piece.epoch);
    CHECK(given.end == piece.end);
    CHECK(given.height == piece.height);
    CHECK(given.chunks == piece.chunks);
    CHECK(given.chunk == piece.chunk);
    CHECK(given.from == piece.from);
    CHECK(given.chunk_bytes == piece.chunk_bytes);
    CHECK(given.data == piece.data);
    CHECK(given.later == piece.later);
    const auto wish = std::get<peer::ask_state>(sample_message(seed, 9));
    const auto wanted = decode<peer_message>(encode(wish));
    const auto& asked = std::get<peer::ask_state>(*wanted);
    CHECK(asked.epoch == wish.epoch);
    CHECK(asked.height == wish.height);
    CHECK(asked.chunk == wish.chunk);
    CHECK(asked.from == wish.from);
    CHECK(std::get<peer::seek>(*decode<peer_message>(encode(sample_message(seed, 11)))).blobs ==
          std::get<peer::seek>(sample_message(seed, 11)).blobs);
    CHECK(std::get<peer::have>(*decode<peer_message>(encode(sample_message(seed, 12)))).blobs ==
          std::get<peer::have>(sample_message(seed, 12)).blobs);
    CHECK(std::get<peer::get>(*decode<peer_message>(encode(sample_message(seed, 13)))).wanted ==
          std::get<peer::get>(sample_message(seed, 13)).wanted);
    const auto sent = std::get<peer::part>(sample_message(seed, 14));
    const auto came = std::get<peer::part>(*decode<peer_message>(encode(sent)));
    CHECK(came.answered == sent.answered);
    CHECK(came.data == sent.data);
    CHECK(came.later == sent.later);
    const auto vote = std::get<peer::vote>(sample_message(seed, 2));
    CHECK(std::get<peer::vote>(*decode<peer_message>(encode(vote))).signed_vote ==
          vote.signed_vote);
  }
}

TEST_CASE(
    "the largest values that the limits allow fit their kind's size, and one more is refused") {
  for (std::size_t kind = 0; kind < peer_message_kinds; ++kind) {
    CAPTURE(kind);
    const bytes sent = encode(largest(kind));
    CAPTURE(sent.size());
    CHECK(sent.size() <= max_peer_message_bytes(kind));
    const auto received = decode<peer_message>(sent);
    REQUIRE(received);
    CHECK(encode(*received) == sent);
  }
}

// By security §7.5 lists have limits; those of an answer also follow from security §8.4.
TEST_CASE("lists beyond their limits are refused, whatever the message's size") {
  const bytes statement = encode(vote_statement{});
  const bytes seats(16, 0), key(64, 0);
  const auto certificates = [&](auto list) {
    for (auto one : list) {
      one.setStatement(data_of(statement));
      one.setSigners(data_of(seats));
    }
  };
  CHECK(refusal_of([&](auto to) {
          certificates(to.initStandstill().initCertificates(max_response_certificates + 1));
        }) == parse_refusal::list_too_long);
  CHECK(refusal_of([&](auto to) {
          for (auto one : to.initStandstill().initVotes(max_standstill_votes + 1)) {
            one.setStatement(data_of(statement));
            one.setSignature(data_of(key));
          }
        }) == parse_refusal::list_too_long);
  CHECK(refusal_of([&](auto to) {
          certificates(to.initResponse().initCertificates(max_response_certificates + 1));
        }) == parse_refusal::list_too_long);
  CHECK(refusal_of([&](auto to) { to.initResponse().initBlocks(max_response_blocks + 1); }) ==
        parse_refusal::list_too_long);
  CHECK(refusal_of([&](auto to) {
          to.initEpochOver().initProof().setHeaders(
              data_of(bytes((max_proof_headers + 1) * header_layout_bytes)));
        }) == parse_refusal::list_too_long);
  CHECK(refusal_of([&](auto to) {
          auto proof = to.initEpochOver().initProof();
          proof.setHeaders(data_of(bytes(header_layout_bytes)));
          certificates(std::array{proof.initFinal()});
          proof.setNextCommittee(data_of(bytes((max_committee_seats + 1) * 68)));
        }) == parse_refusal::list_too_long);
  CHECK(refusal_of([&](auto to) {
          to.initStatePart().setData(data_of(bytes(max_state_data_bytes + 1)));
        }) == parse_refusal::list_too_long);
  CHECK(refusal_of([&](auto to) {
          auto one = to.initCertified();
          one.setStatement(data_of(statement));
          one.setSigners(data_of(bytes(16, 0xff)));
          one.setSignatures(data_of(bytes(128 * 64)));
        }) == parse_refusal::list_too_long);
}

TEST_CASE("a certificate has as many signatures as signers, a vote one of three kinds") {
  const bytes one_signer{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  for (const std::size_t size : {0, 63, 65, 128}) {
    CAPTURE(size);
    CHECK(refusal_of([&](auto to) {
            auto it = to.initCertified();
            it.setStatement(data_of(encode(vote_statement{})));
            it.setSigners(data_of(one_signer));
            if (size > 0) it.setSignatures(data_of(bytes(size, 1)));
          }) == parse_refusal::wrong_size);
  }
  for (const std::uint8_t kind : {0, 4, 255}) {
    CAPTURE(kind);
    bytes statement = encode(vote_statement{});
    statement[0] = kind;
    CHECK(refusal_of([&](auto to) {
            auto it = to.initVote();
            it.setStatement(data_of(statement));
            it.setSignature(data_of(bytes(64, 1)));
          }) == parse_refusal::unknown_enum_value);
  }
  CHECK(refusal_of([](auto to) { to.initProposal(); }) == parse_refusal::wrong_size);
  CHECK(refusal_of([](auto to) { to.initRequest().setWant(data_of(bytes(32, 0))); }) ==
        parse_refusal::not_canonical);
  CHECK(refusal_of([](auto to) {
          auto it = to.initProposal().initBlock();
          it.setHeader(data_of(header_layout({})));
          it.setByProposer(data_of(bytes(64, 1)));
          it.setParentSigners(data_of(bytes(16, 0)));
        }) == parse_refusal::not_canonical);
}

// By security §7.5. A peer may name 64 blobs in a message, each with a size that a blob can have.
TEST_CASE("messages about blobs name 1 to 64 of them, and sizes that blobs can have") {
  const auto names = [](std::size_t count) { return bytes(32 * count, 1); };
  const auto sizes = [](std::size_t count, std::uint64_t each) {
    bytes row(8 * count);
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = static_cast<std::uint8_t>(each >> (8 * (i % 8)));
    }
    return row;
  };
  const auto have = [&](const bytes& blobs, const bytes& of) {
    return [&](auto to) {
      auto it = to.initHave();
      if (!blobs.empty()) it.setBlobs(data_of(blobs));
      if (!of.empty()) it.setSizes(data_of(of));
    };
  };
  using enum parse_refusal;
  CHECK(refusal_of([](auto to) { to.initSeek(); }) == wrong_size);
  CHECK(refusal_of([](auto to) { to.initSeek().setBlobs(data_of(bytes(33, 1))); }) == wrong_size);
  CHECK(refusal_of([&](auto to) { to.initSeek().setBlobs(data_of(names(65))); }) == list_too_long);
  CHECK(refusal_of(have({}, {})) == wrong_size);
  CHECK(refusal_of(have(names(65), sizes(65, 1))) == list_too_long);
  CHECK(refusal_of(have(names(2), sizes(1, 1))) == wrong_size);
  CHECK(refusal_of(have(names(2), sizes(3, 1))) == wrong_size);
  CHECK(refusal_of(have(names(2), sizes(2, 0))) == wrong_size);
  CHECK(refusal_of(have(names(2), sizes(2, max_exchanged_blob_bytes + 1))) == wrong_size);
  CHECK(refusal_of([](auto to) { to.initGet().setBlob(data_of(bytes(31, 1))); }) == wrong_size);
  const auto part = [](std::size_t size, bool later) {
    return [=](auto to) {
      auto it = to.initPart();
      it.setBlob(data_of(bytes(32, 1)));
      it.setData(data_of(bytes(size, 1)));
      it.setLater(later);
    };
  };
  CHECK(refusal_of(part(max_part_bytes + 1, false)) == list_too_long);
  CHECK(refusal_of(part(1, true)) == wrong_size);
}

// By security §3.2 each kind has a limit of its own.
TEST_CASE("a message larger than its kind allows is refused before anything is made of it") {
  const auto odd = message<schema::PeerMessage>::build(
      [](auto to) { to.initVote().setSignature(data_of(bytes(max_peer_message_bytes(2), 1))); });
  CHECK(decode<peer_message>(odd.bytes()).error() == parse_refusal::too_large);
  CHECK(decode<peer_message>(bytes(std::size_t{4} << 20)).error() == parse_refusal::too_large);
}

// The table of security §3.2. Peers with other numbers would drop each other's connections.
TEST_CASE("the largest message of each type has the size that the text says") {
  constexpr std::uint32_t kib = 1'024;
  const std::vector<std::uint32_t> table{
      8 * kib,     1'280 * kib, kib / 2,   16 * kib, 2'048 * kib, kib / 2, 3'072 * kib, 128 * kib,
      1'024 * kib, kib / 2,     640 * kib, 4 * kib,  4 * kib,     kib / 2, 1'088 * kib};
  REQUIRE(table.size() == peer_message_kinds);
  for (std::uint16_t type = 1; type <= table.size(); ++type) {
    CAPTURE(type);
    CHECK(max_frame_bytes(type) == table[type - 1U]);
  }
}

TEST_CASE("a message cut short at any length is refused") {
  for (const auto seed : seeds(8)) {
    for (std::size_t kind = 0; kind < peer_message_kinds; ++kind) {
      CAPTURE(seed);
      CAPTURE(kind);
      const bytes whole = encode(sample_message(seed, kind));
      for (std::size_t size = 0; size < whole.size(); size += size < 600 ? 1 : 61) {
        CAPTURE(size);
        REQUIRE(!decode<peer_message>(byte_view(whole).first(size)));
      }
      REQUIRE(!decode<peer_message>(
          damaged_by(sample_message(seed, kind), [](bytes& b) { b.resize(b.size() + 8); })));
    }
  }
}

// By security §7.5 bytes that decode accepts are encoded again to the same bytes.
TEST_CASE("a flipped byte or bit is refused, or is the encoding of another message") {
  for (const auto seed : seeds(3)) {
    for (std::size_t kind = 0; kind < peer_message_kinds; ++kind) {
      CAPTURE(seed);
      CAPTURE(kind);
      bytes damaged = encode(sample_message(seed, kind));
      const std::size_t step = 1 + damaged.size() / 1'500;
      for (std::size_t at = 0; at < damaged.size(); at += step) {
        CAPTURE(at);
        for (const int mask : {0xff, 1, 4, 16, 128}) {
          damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ mask);
          REQUIRE(refused_or_equal(damaged));
          damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ mask);
        }
      }
    }
  }
}

TEST_CASE("made-up messages and many errors at once are refused or equal") {
  for (const auto seed : seeds(3'000)) {
    CAPTURE(seed);
    test::sampler s(seed);
    bytes damaged = encode(sample_message(seed, s.below(peer_message_kinds)));
    for (auto errors = 1 + s.below(6); errors > 0; --errors) {
      s.fill(damaged[s.below(damaged.size())]);
    }
    if (s.coin() && damaged.size() >= 24) {  // one word overwrites another
      const auto words = damaged.size() / 8;
      std::memcpy(damaged.data() + 8 * s.below(words), damaged.data() + 8 * s.below(words), 8);
    }
    REQUIRE(refused_or_equal(damaged));
  }
}

TEST_CASE("a vote takes a few microseconds each way") {
  const auto vote = sample_message(5, 2);
  constexpr int rounds = 20'000;
  const auto started = std::chrono::steady_clock::now();
  std::size_t bytes_seen = 0;
  for (int i = 0; i < rounds; ++i) {
    const bytes sent = encode(vote);
    bytes_seen += sent.size() + decode<peer_message>(sent)->index();
  }
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - started;
  INFO("a vote there and back: ", took.count() / rounds, " us, ", bytes_seen / rounds, " bytes");
  CHECK(took.count() / rounds < 200);  // leaves room for sanitizers and a busy machine
}

TEST_CASE("a batch makes of a record what it says, in its order") {
  voting_record record;
  record.votes_from = epoch_number{9};
  const auto cert = [](std::uint64_t view, vote_kind kind) {
    certificate made;
    made.statement.view = {view};
    made.statement.kind = kind;
    return made;
  };
  const auto block_of = [](std::uint64_t view) {
    block made;
    made.header.view = {view};
    return test::named(made);
  };
  record_batch first;
  for (std::uint64_t view = 1; view <= 4; ++view) {
    first.votes.push_back({vote_kind::skip, {}, {view}, {}});
    first.votes.push_back({vote_kind::notarize, {}, {view}, block_of(view)->id});
    first.proposed.emplace_back(view_number{view}, block_of(view)->id);
    first.certificates.push_back(cert(view, vote_kind::skip));
    first.blocks.push_back(block_of(view));
  }
  apply(record, first);
  CHECK(record.votes.size() == 8);
  CHECK(record.votes_from == epoch_number{9});
  record_batch prune;
  prune.prune_to = {3};
  prune.votes_from = epoch_number{5};
  prune.votes.push_back(
      {vote_kind::finalize, {}, {2}, block_of(2)->id});  // added after the pruning
  apply(record, prune);
  CHECK(record.votes.size() == 3);
  CHECK(record.votes.at({view_number{2}, vote_kind::finalize}) == block_of(2)->id);
  CHECK(record.proposed.size() == 1);
  CHECK(record.certificates.size() == 1);
  CHECK(record.blocks.size() == 1);
  CHECK(record.votes_from == epoch_number{5});
  record_batch next;
  next.new_epoch = epoch_number{7};
  next.blocks.push_back(block_of(1));
  apply(record, next);
  CHECK(record.epoch.value == 7);
  CHECK(record.votes.empty());
  CHECK(record.proposed.empty());
  CHECK(record.certificates.empty());
  CHECK(record.blocks.size() == 1);
  CHECK(record.votes_from == epoch_number{5});
}

}  // namespace soma
