// What a core answers to peers that ask, how often it asks itself, and what it sends when no block
// becomes final. The numbers are those of R10, R11, E4 and security §8.4.
#include <doctest/doctest.h>

#include "tests/actors/consensus/lone_core.hpp"

namespace soma::consensus::testing {
namespace {

/// Blocks that follow the base, each with this many bytes of payload by its header.
std::vector<block_ptr> chain_of(const lone_core& one, std::size_t length,
                                std::uint32_t payload_bytes) {
  std::vector<block_ptr> made;
  for (std::size_t i = 0; i < length; ++i) {
    auto next = *one.block_of({.view = {i + 1}, .parent = i == 0 ? nullptr : made.back().get()});
    next.block.header.payload_bytes = payload_bytes;
    next.id = block_number(1'000 + i);
    made.push_back(std::make_shared<const identified_block>(std::move(next)));
  }
  return made;
}

peer::request request_from(view_number view, const block_id& want = {}) {
  return {lone_core::epoch, lone_core::base_height, view, want};
}

peer::hello hello_of(block_height height, bool asks) {
  return {lone_core::chain(), lone_core::epoch, height, {1}, lone_core::epoch, asks};
}

/// Shows the core that the first views were skipped.
void skip_views(lone_core& one, std::uint64_t views) {
  for (std::uint64_t view = 1; view <= views; ++view) (void)one.skip({view});
}

}  // namespace

// By security §8.4 a peer gets at most twenty answers a second, and by R11 a request counts.
TEST_CASE("a peer gets twenty answers a second, whatever the others ask") {
  lone_core one;
  (void)one.start();
  (void)one.connect(1, 1);
  (void)one.connect(2, 2);
  (void)one.skip({1});
  const auto answers = [&](peer_number peer, int requests) {
    std::size_t count = 0;
    for (int i = 0; i < requests; ++i) {
      count += messages_in<peer::response>(one.hear(peer, request_from({1})), peer).size();
    }
    return count;
  };
  one.now_ms = 7'000;
  CHECK(answers(1, 19) == 19);
  CHECK(answers(1, 100) == 1);
  CHECK(answers(2, 100) == 20);
  one.now_ms = 7'999;
  CHECK(answers(1, 100) == 0);
  one.now_ms = 8'000;
  CHECK(answers(1, 100) == 20);
}

// By security §8.4 a hello that asks for one in return counts like a request.
TEST_CASE("hellos that want an answer are counted with the requests") {
  lone_core one;
  (void)one.start();
  (void)one.connect(1, 1);
  (void)one.skip({1});
  std::size_t answers = 0;
  for (int i = 0; i < 12; ++i) {
    answers += messages_in<peer::response>(one.hear(1, request_from({1})), 1).size();
  }
  for (int i = 0; i < 12; ++i) {
    answers += messages_in<peer::hello>(one.hear(1, hello_of({10}, true)), 1).size();
  }
  CHECK(answers == 20);
  CHECK(messages_in<peer::hello>(one.hear(1, hello_of({10}, false))).empty());
}

// By security §8.4 and R11 an answer has at most 64 blocks and 1 MiB of payloads.
TEST_CASE("an answer has at most 64 blocks and a mebibyte of payloads") {
  struct size {
    std::uint32_t payload_bytes;
    std::size_t blocks;
  };
  // A block also counts 1 KiB for what it has beside its payload.
  for (const auto& of : {size{0, 64}, size{15 * 1024, 64}, size{63 * 1024, 16}, size{64 * 1024, 15},
                         size{256 * 1024, 3}}) {
    CAPTURE(of.payload_bytes);
    lone_core one;
    (void)one.start();
    (void)one.connect(1, 1);
    const auto all = chain_of(one, 100, of.payload_bytes);
    for (const auto& b : all) one.archive.blocks.emplace(b->id, b);
    const auto sent =
        messages_in<peer::response>(one.hear(1, request_from({1}, all.back()->id)), 1);
    REQUIRE(sent.size() == 1);
    CHECK(sent.front().blocks.size() == of.blocks);
    CHECK(sent.front().blocks.front()->id == all.back()->id);
  }
}

// By security §8.4 the same limits hold for a run of final blocks.
TEST_CASE("a run of final blocks that is too long for an answer is not sent as one") {
  struct size {
    std::size_t blocks;
    std::uint32_t payload_bytes;
    bool is_sent;
  };
  for (const auto& of :
       {size{64, 16 * 1024, true}, size{65, 0, false}, size{64, 16 * 1024 + 1, false}}) {
    CAPTURE(of.blocks);
    CAPTURE(of.payload_bytes);
    lone_core one;
    (void)one.start();
    (void)one.connect(1, 1);
    one.archive.run.epoch = lone_core::epoch;
    one.archive.run.blocks = chain_of(one, of.blocks, of.payload_bytes);
    one.archive.run.final = one.certified(vote_kind::finalize, {of.blocks}, block_number(1));
    auto wanted = request_from({1});
    wanted.after = {3};
    const auto sent = messages_in<peer::response>(one.hear(1, wanted), 1);
    REQUIRE(sent.size() == 1);
    CHECK(sent.front().blocks.size() == (of.is_sent ? of.blocks : 0));
    CHECK(sent.front().certificates.size() == (of.is_sent ? 0 : 1));
    REQUIRE(one.archive.asked.size() == 1);
    CHECK(one.archive.asked.front() == std::pair(std::size_t{1} << 20, std::size_t{64}));
  }
}

// By security §8.4 an answer has at most 192 certificates, and by R11 they are of 64 views.
TEST_CASE("an answer has the certificates of 64 views, and never more than 192") {
  lone_core one;
  (void)one.start();
  (void)one.connect(1, 1);
  skip_views(one, 70);
  const auto answer = [&] {
    const auto sent = messages_in<peer::response>(one.hear(1, request_from({3})), 1);
    REQUIRE(sent.size() == 1);
    return sent.front().certificates;
  };
  const auto skips = answer();
  CHECK(skips.size() == 64);
  CHECK(skips.front().statement.view == view_number{3});
  CHECK(skips.back().statement.view == view_number{66});
  // With certificates of all three kinds in each view there is more than an answer may have.
  for (std::uint64_t view = 1; view <= 70; ++view) {
    for (const auto kind : {vote_kind::notarize, vote_kind::finalize}) {
      (void)one.hear(1, peer::certified{one.certified(kind, {view}, block_number(view))});
    }
  }
  const auto all = answer();
  CHECK(all.size() == 192);
  CHECK(all.back().statement ==
        vote_statement{vote_kind::finalize, lone_core::epoch, {70}, block_number(70)});
}

// By security §8.4 an answer that was not asked for is passed over, and one that is too long too.
TEST_CASE("only what was asked for is taken, once, and within the limits of an answer") {
  lone_core one;
  (void)one.start();
  (void)one.connect(1, 1);
  const auto answer_with = [&](std::uint64_t certificates) {
    peer::response made;
    made.epoch = lone_core::epoch;
    for (std::uint64_t view = 1; view <= certificates; ++view) {
      made.certificates.push_back(one.certified(vote_kind::skip, {view}));
    }
    return made;
  };
  const auto ask = [&] {
    // By R11 it asks after a quarter of a second, and once.
    const auto heard = one.hear(1, hello_of({99}, false));
    CHECK(timers_in(heard, timer_kind::fetch) == std::vector<std::uint64_t>{250});
    CHECK(timers_in(one.hear(1, hello_of({99}, false)), timer_kind::fetch).empty());
    CHECK(messages_in<peer::request>(one.fire(timer_kind::fetch), 1).size() == 1);
  };
  (void)one.hear(1, answer_with(1));
  CHECK(one.core().view() == view_number{1});
  ask();
  (void)one.hear(1, answer_with(193));
  CHECK(one.core().view() == view_number{1});
  ask();
  (void)one.hear(1, answer_with(192));
  CHECK(one.core().view() == view_number{193});
  (void)one.hear(1, answer_with(193));
  CHECK(one.core().view() == view_number{193});
}

// By E4 a message of an older epoch is answered once a second for each peer.
TEST_CASE("a peer in an older epoch gets one answer a second") {
  lone_core one;
  (void)one.start();
  (void)one.connect(1, 1);
  (void)one.connect(2, 2);
  const auto answers = [&](peer_number peer) {
    const auto old = one.vote_of(1, vote_kind::skip, {5}, {}, {2});
    std::size_t count = 0;
    for (int i = 0; i < 30; ++i) {
      count += messages_in<peer::hello>(one.hear(peer, peer::vote{old}), peer).size();
    }
    return count;
  };
  CHECK(answers(1) == 1);
  CHECK(answers(2) == 1);
  one.now_ms += 999;
  CHECK(answers(1) == 0);
  one.now_ms += 1;
  CHECK(answers(1) == 1);
}

// By R10 the interval between two standstill messages doubles from 5 s to 30 s.
TEST_CASE("standstill messages come more and more rarely") {
  lone_core one;
  auto waits = timers_in(one.start(), timer_kind::standstill);
  (void)one.connect(1, 1);
  for (int i = 0; i < 4; ++i) {
    const auto done = one.fire(timer_kind::standstill);
    CHECK(messages_in<peer::hello>(done).size() == 1);
    const auto set = timers_in(done, timer_kind::standstill);
    waits.insert(waits.end(), set.begin(), set.end());
  }
  CHECK(waits == std::vector<std::uint64_t>{5'000, 10'000, 20'000, 30'000, 30'000});
}

// By R10 a standstill message shows the last 64 views, within 256 KiB/s for all peers together.
TEST_CASE("a standstill message shows 64 views, and to many peers fewer") {
  lone_core one;
  (void)one.start();
  (void)one.connect(1, 1);
  skip_views(one, 100);
  const auto shown = [&] {
    const auto sent = messages_in<peer::standstill>(one.fire(timer_kind::standstill));
    REQUIRE(sent.size() == 1);
    return sent.front().certificates;
  };
  const auto to_one = shown();
  CHECK(to_one.size() == 64);
  CHECK(to_one.front().statement.view == view_number{100});  // the latest view first
  CHECK(to_one.back().statement.view == view_number{37});
  // The second message has ten seconds. A certificate of three members counts 80 + 3 * 64 bytes.
  for (peer_number peer = 2; peer <= 200; ++peer) (void)one.connect(peer, 1);
  CHECK(shown().size() == 256u * 1024 * 10 / 200 / 272);
}

// A standstill message is read only within the bounds that R10 sets for the one that is sent.
TEST_CASE("a standstill message with too much in it costs no signature") {
  lone_core one;
  (void)one.start();
  (void)one.connect(1, 1);
  peer::standstill much;
  for (std::uint64_t view = 1; view <= 193; ++view) {
    much.votes.push_back(one.vote_of(1, vote_kind::skip, {view}));
  }
  (void)one.hear(1, much);
  CHECK(one.checker.checks == 0);
  much.votes.pop_back();
  (void)one.hear(1, much);
  CHECK(one.checker.checks == 65);  // the present view and the 64 after it
}

// By R11 a member whose vote shows that it is in a later view is asked for what it knows.
TEST_CASE("a member that votes in a later view is asked once, if nothing else leads there") {
  for (const bool certificate_comes : {false, true}) {
    CAPTURE(certificate_comes);
    lone_core one;
    (void)one.start();
    for (std::uint16_t peer = 1; peer <= 3; ++peer) (void)one.connect(peer, peer);
    const auto requests = [&] {
      return messages_in<peer::request>(one.fire(timer_kind::fetch), 2).size();
    };
    // A vote to finalize in the present view shows that the member is past it.
    const auto vote = one.vote_of(2, vote_kind::finalize, {1}, block_number(1));
    // Who passes on the vote of another member shows nothing.
    CHECK(timers_in(one.hear(3, peer::vote{vote}), timer_kind::fetch).empty());
    CHECK(timers_in(one.hear(2, peer::vote{vote}), timer_kind::fetch).size() == 1);
    if (certificate_comes) (void)one.skip({1});
    CHECK(requests() == (certificate_comes ? 0 : 1));
    CHECK(requests() == 0);
  }
}

}  // namespace soma::consensus::testing
