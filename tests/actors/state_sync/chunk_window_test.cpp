#include "actors/state_sync/chunk_window.hpp"

#include <doctest/doctest.h>

#include "tests/actors/rules/dice.hpp"

namespace soma::test {
namespace {

using state_sync::chunk_window;
using state_sync::max_chunk_bytes;
using state_sync::window_limits;
using piece = chunk_window::piece;
using arrival = chunk_window::arrival;

constexpr std::uint32_t piece_bytes = max_state_data_bytes;

public_key key_number(std::uint32_t peer) {
  public_key key{};
  key[0] = static_cast<std::uint8_t>(peer);
  return key;
}

/// The bytes of a chunk follow from its number.
bytes chunk_number(std::uint32_t number, std::uint32_t size) {
  return bytes(size, static_cast<std::uint8_t>(number + 1));
}

/// What an honest peer answers when it is asked for this piece.
arrival give(chunk_window& window, std::uint32_t peer, piece which, std::uint32_t size,
             std::uint64_t now_ms = 0) {
  const auto whole = chunk_number(which.chunk, size);
  const auto data = byte_view(whole).subspan(which.from);
  return window.take(peer, key_number(peer), which,
                     data.first(std::min(data.size(), max_state_data_bytes)), size, now_ms);
}

}  // namespace

TEST_CASE("several peers are asked at once, each for a few pieces, and none beyond the window") {
  chunk_window window({.chunks = 5, .pieces = 2});
  window.begin(10);
  CHECK(window.ask(1, 100, 0) == piece{10, 0});
  CHECK(window.ask(1, 100, 0) == piece{11, 0});
  CHECK(window.ask(1, 100, 0) == std::nullopt);  // two questions wait
  CHECK(window.ask(2, 13, 0) == piece{12, 0});
  CHECK(window.ask(2, 13, 0) == std::nullopt);  // it has no more chunks
  CHECK(window.ask(3, 100, 0) == piece{13, 0});
  CHECK(window.ask(3, 100, 0) == piece{14, 0});
  CHECK(window.ask(4, 100, 0) == std::nullopt);  // the window ends
  CHECK(give(window, 2, {12, 0}, 9) == arrival::completed);
  CHECK(window.first() == nullptr);
  CHECK(window.ask(4, 100, 0) == std::nullopt);
  CHECK(give(window, 1, {10, 0}, 9) == arrival::completed);
  REQUIRE(window.first() != nullptr);
  CHECK(window.first()->data == chunk_number(10, 9));
  CHECK(window.first()->giver == key_number(1));
  window.pop();
  CHECK(window.first() == nullptr);
  CHECK(window.ask(4, 100, 0) == piece{15, 0});
  // The front is asked for whatever the peer claims to have.
  window.begin(3);
  CHECK(window.ask(1, 0, 0) == piece{3, 0});
  CHECK(window.ask(1, 0, 0) == std::nullopt);
}

TEST_CASE("the pieces of a chunk come from one peer, and their order is that of the bytes") {
  chunk_window window({.chunks = 2, .pieces = 2});
  window.begin(0);
  const auto size = 2 * piece_bytes + 5;
  REQUIRE(window.ask(1, 9, 0) == piece{0, 0});
  REQUIRE(window.ask(2, 9, 0) == piece{1, 0});
  CHECK(give(window, 1, {0, 0}, size) == arrival::kept);
  CHECK(window.ask(2, 9, 0) == std::nullopt);
  CHECK(window.ask(1, 9, 0) == piece{0, piece_bytes});
  CHECK(give(window, 2, {0, piece_bytes}, size) == arrival::unasked);
  CHECK(give(window, 1, {0, 2 * piece_bytes}, size) == arrival::unasked);
  CHECK(give(window, 1, {0, piece_bytes}, size) == arrival::kept);
  CHECK(give(window, 1, {0, piece_bytes}, size) == arrival::unasked);
  CHECK(window.ask(1, 9, 0) == piece{0, 2 * piece_bytes});
  CHECK(give(window, 1, {0, 2 * piece_bytes}, size) == arrival::completed);
  REQUIRE(window.first() != nullptr);
  CHECK(window.first()->data == chunk_number(0, size));
}

TEST_CASE("a piece of another length than it must have, or of too large a chunk, is malformed") {
  const auto answer = [](std::uint32_t given, std::uint32_t chunk_bytes) {
    chunk_window window;
    window.begin(0);
    REQUIRE(window.ask(1, 9, 0) == piece{0, 0});
    return window.take(1, {}, {0, 0}, bytes(given, 1), chunk_bytes, 0);
  };
  CHECK(answer(7, 7) == arrival::completed);
  CHECK(answer(piece_bytes, piece_bytes + 1) == arrival::kept);
  CHECK(answer(piece_bytes, max_chunk_bytes) == arrival::kept);
  CHECK(answer(0, 7) == arrival::empty);
  CHECK(answer(1, 7) == arrival::malformed);
  CHECK(answer(8, 7) == arrival::malformed);
  CHECK(answer(1, 0) == arrival::malformed);
  CHECK(answer(piece_bytes - 1, piece_bytes + 1) == arrival::malformed);
  CHECK(answer(piece_bytes, max_chunk_bytes + 1) == arrival::malformed);
}

TEST_CASE(
    "a chunk of which nothing comes is asked of one idle peer more, and the first one counts") {
  chunk_window window({.chunks = 2, .pieces = 2, .hedge_ms = 500});
  window.begin(0);
  REQUIRE(window.ask(1, 9, 0) == piece{0, 0});
  REQUIRE(window.ask(2, 9, 100) == piece{1, 0});
  CHECK(window.ask(2, 9, 499) == std::nullopt);
  CHECK(window.ask(1, 9, 500) == std::nullopt);  // it is asked for chunk 0 already
  CHECK(window.ask(2, 9, 500) == piece{0, 0});
  CHECK(window.ask(3, 9, 5'000) == piece{1, 0});
  CHECK(window.ask(3, 9, 9'000) == std::nullopt);  // two are asked for each
  CHECK(give(window, 2, {0, 0}, 9, 600) == arrival::completed);
  CHECK(window.first()->giver == key_number(2));
  CHECK(give(window, 1, {0, 0}, 9, 700) == arrival::unasked);
  CHECK(window.first()->giver == key_number(2));
  // What is late is asked for only when nothing else is to be asked.
  window.begin(0);
  REQUIRE(window.ask(1, 9, 0) == piece{0, 0});
  CHECK(window.ask(2, 9, 9'000) == piece{1, 0});
  CHECK(window.ask(2, 9, 9'000) == piece{0, 0});
}

TEST_CASE("a peer that is slower than another still owes its answer, which is not a new one") {
  chunk_window window({.chunks = 1, .pieces = 2});
  window.begin(0);
  REQUIRE(window.ask(1, 9, 0) == piece{0, 0});
  REQUIRE(window.ask(2, 9, 1'000) == piece{0, 0});
  REQUIRE(give(window, 2, {0, 0}, 9, 1'000) == arrival::completed);
  CHECK(window.is_busy(1));
  CHECK_FALSE(window.is_busy(2));
  CHECK(window.is_silent(1, 10'000, 10'000));
  window.drop_chunks_of(key_number(2));  // it was a lie
  CHECK(window.first() == nullptr);
  CHECK(window.ask(1, 9, 1'000) == std::nullopt);  // the answer to the first question comes yet
  CHECK(give(window, 1, {0, 0}, 9, 1'100) == arrival::unasked);
  CHECK_FALSE(window.is_busy(1));
  CHECK(window.ask(1, 9, 1'200) == piece{0, 0});
  CHECK(give(window, 1, {0, 0}, 9, 1'300) == arrival::completed);
  CHECK(window.first()->giver == key_number(1));
}

TEST_CASE("a peer is silent without any answer for a while, or when one question is passed over") {
  chunk_window window({.chunks = 9, .pieces = 3});
  window.begin(0);
  CHECK_FALSE(window.is_silent(1, 1'000, 0));
  REQUIRE(window.ask(1, 9, 100) == piece{0, 0});
  REQUIRE(window.ask(1, 9, 100) == piece{1, 0});
  CHECK_FALSE(window.is_silent(1, 1'000, 1'099));
  CHECK(window.is_silent(1, 1'000, 1'100));
  CHECK_FALSE(window.is_silent(2, 1'000, 1'100));
  window.put_off(1, {1, 0}, 1'000);  // an answer, too
  CHECK_FALSE(window.is_silent(1, 1'000, 1'999));
  CHECK(window.is_silent(1, 1'000, 2'000));
  for (std::uint64_t now_ms = 1'000; now_ms < 3'100; now_ms += 300) {
    CHECK_FALSE(window.is_silent(1, 1'000, now_ms));
    REQUIRE(window.ask(1, 9, now_ms) == piece{1, 0});
    window.put_off(1, {1, 0}, now_ms);
  }
  CHECK(window.is_silent(1, 1'000, 3'100));
  window.forget(1);
  CHECK_FALSE(window.is_silent(1, 1'000, 9'000));
}

TEST_CASE(
    "what is put off is asked of the same peer again, and a forgotten peer leaves its place") {
  chunk_window window({.chunks = 1, .pieces = 1});
  window.begin(0);
  const auto size = piece_bytes + 1;
  REQUIRE(window.ask(1, 9, 0) == piece{0, 0});
  REQUIRE(give(window, 1, {0, 0}, size) == arrival::kept);
  REQUIRE(window.ask(1, 9, 0) == piece{0, piece_bytes});
  window.put_off(1, {0, piece_bytes}, 0);
  CHECK(window.is_busy(1));
  CHECK(window.ask(2, 9, 0) == std::nullopt);
  CHECK(window.ask(1, 9, 0) == piece{0, piece_bytes});
  window.forget(1);
  CHECK_FALSE(window.is_busy(1));
  CHECK(give(window, 1, {0, piece_bytes}, size) == arrival::unasked);
  CHECK(window.ask(2, 9, 0) == piece{0, 0});
  CHECK(window.held_bytes() == max_state_data_bytes);
}

TEST_CASE("when all room is used up only the front is asked for, and it gets through") {
  chunk_window window({.chunks = 8, .pieces = 8, .held_bytes = 4 * max_state_data_bytes});
  window.begin(0);
  for (std::uint32_t i = 0; i < 4; ++i) REQUIRE(window.ask(1, 99, 0) == piece{i, 0});
  CHECK(window.ask(1, 99, 0) == std::nullopt);  // four pieces may come
  const auto size = static_cast<std::uint32_t>(max_chunk_bytes);
  for (std::uint32_t i = 1; i < 4; ++i) CHECK(give(window, 1, {i, 0}, size) == arrival::kept);
  CHECK(window.ask(1, 99, 0) == std::nullopt);
  window.put_off(1, {0, 0}, 0);
  for (std::uint32_t from = 0; from < size; from += piece_bytes) {
    REQUIRE(window.ask(1, 99, 0) == piece{0, from});
    CHECK((give(window, 1, {0, from}, size) == arrival::completed) == (from + piece_bytes == size));
  }
  REQUIRE(window.first() != nullptr);
  window.pop();
  CHECK(window.ask(1, 99, 0) == piece{1, piece_bytes});
}

// Answers come in any order, late, twice or not at all, and peers come and go.
TEST_CASE("in any order of events the chunks come out in theirs, within the bounds") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    const window_limits limits{.chunks = static_cast<std::uint32_t>(1 + d.below(6)),
                               .pieces = 1 + d.below(4),
                               .held_bytes = (1 + d.below(8)) * max_state_data_bytes};
    chunk_window window(limits);
    window.begin(0);
    constexpr std::uint32_t chunks = 12;
    std::vector<std::uint32_t> sizes;
    for (std::uint32_t i = 0; i < chunks; ++i) {
      sizes.push_back(static_cast<std::uint32_t>(1 + d.below(3 * piece_bytes)));
    }
    std::vector<std::pair<std::uint32_t, piece>> sent;
    std::map<std::uint32_t, std::size_t> open;
    std::uint64_t now_ms = 0, steps = 0;
    while (window.front() < chunks) {
      REQUIRE(++steps < 20'000);
      now_ms += d.below(100);
      const auto peer = static_cast<std::uint32_t>(1 + d.below(3));
      if (d.chance(60)) {
        if (const auto next = window.ask(peer, chunks, now_ms)) {
          REQUIRE(next->chunk - window.front() < limits.chunks);
          REQUIRE(++open[peer] <= limits.pieces);
          sent.emplace_back(peer, *next);
        }
      } else if (d.chance(2)) {
        window.forget(peer);
        open[peer] = 0;
      } else if (!sent.empty()) {
        const auto at = sent.begin() + static_cast<long>(d.below(sent.size()));
        const auto [from, which] = *at;
        if (!d.chance(5)) sent.erase(at);  // else it comes once more
        if (d.chance(5)) continue;         // it is lost
        if (window.is_asked(from, which)) --open[from];
        if (d.chance(10)) {
          window.put_off(from, which, now_ms);
        } else {
          REQUIRE(give(window, from, which, sizes[which.chunk], now_ms) != arrival::malformed);
        }
      }
      for (std::uint32_t i = 1; i <= 3; ++i) {  // what was lost must not wait for ever
        if (!window.is_silent(i, 3'000, now_ms)) continue;
        window.forget(i);
        open[i] = 0;
      }
      while (const auto* first = window.first()) {
        REQUIRE(first->data == chunk_number(window.front(), sizes[window.front()]));
        window.pop();
      }
      REQUIRE(window.held_bytes() <= limits.held_bytes + 2 * max_chunk_bytes);
    }
  }
}

}  // namespace soma::test
