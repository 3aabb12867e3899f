#include "actors/state_sync/state_server.hpp"

#include <doctest/doctest.h>

#include "tests/actors/state_sync/state_peers.hpp"

namespace soma::test {
namespace {

using state_sync::state_server;
using state_sync::state_server_options;

/// What an answer without data counts.
constexpr std::size_t cost_bytes = 256;

/// A server over a ledger without blocks. It has no snapshot, and answers that it has none.
struct young_server {
  explicit young_server(state_server_options options = {}) : server(ledger, {}, options) {}
  struct young_ledger : tables::ledger_store {
    explicit young_ledger(const std::filesystem::path& at) : tables::ledger_store(at) {
      const auto genesis = forked_genesis();
      init(encode(genesis), rules::genesis_rows(genesis));
    }
  };
  /// How many of so many questions at one moment get an answer, and how many the answer "later".
  struct answers {
    std::size_t answered = 0, later = 0, silent = 0;
    friend bool operator==(const answers&, const answers&) = default;
  };
  answers ask(std::uint32_t peer, int questions, std::uint64_t now_ms) {
    answers seen;
    for (int i = 0; i < questions; ++i) {
      const auto part = server.answer(peer, peer::ask_state{{0}, {0}, 0, 0}, now_ms);
      ++(!part ? seen.silent : part->later ? seen.later : seen.answered);
    }
    return seen;
  }

  scratch_directory folder;
  young_ledger ledger{folder.path() / "ledger"};
  state_server server;
};

}  // namespace

// By security §8.5 a thousand questions a second of each peer are answered.
TEST_CASE("a peer may ask a thousand times a second, and then gets no answer") {
  young_server one;
  using seen = young_server::answers;
  CHECK(one.ask(1, 1'100, 5'000) == seen{1'000, 0, 100});
  CHECK(one.ask(1, 1, 5'999) == seen{0, 0, 1});
  CHECK(one.ask(2, 1'000, 5'999) == seen{1'000, 0, 0});
  CHECK(one.ask(1, 1'000, 6'000) == seen{1'000, 0, 0});
}

// By security §8.5 the bytes of each peer are bounded, and so are those of all peers together.
TEST_CASE("a peer above its bytes is told to ask later, and so are all when all have had theirs") {
  using seen = young_server::answers;
  CHECK(state_server_options{}.peer_bytes_per_s == 8u << 20);
  CHECK(state_server_options{}.all_bytes_per_s == 32u << 20);
  young_server one({.peer_bytes_per_s = 8 * cost_bytes, .all_bytes_per_s = 20 * cost_bytes});
  CHECK(one.ask(1, 10, 5'000) == seen{8, 2, 0});
  CHECK(one.ask(2, 10, 5'000) == seen{8, 2, 0});
  CHECK(one.ask(3, 10, 5'000) == seen{4, 6, 0});
  CHECK(one.ask(4, 10, 5'999) == seen{0, 10, 0});
  CHECK(one.ask(4, 10, 6'000) == seen{8, 2, 0});
}

TEST_CASE("peers that ask for several chunks, each in pieces, cost one read of each chunk") {
  const told_ledger made(23, 1);
  state_server server(made.ledger, made.folder(0, true));
  const auto height = made.closing.back().height;
  const auto ask = [&](std::uint32_t peer, std::uint32_t chunk, std::uint32_t from) {
    return server.answer(peer, {{0}, height, chunk, from}, 5'000).value().data.size();
  };
  for (std::uint32_t chunk = 0; chunk < state_sync::most_read; ++chunk) {
    CHECK(ask(1, chunk, 0) > 100);
  }
  for (std::uint32_t from = 1; from <= 3; ++from) {
    for (std::uint32_t chunk = 0; chunk < state_sync::most_read; ++chunk) {
      CHECK(ask(1 + from, chunk, from) == ask(1, chunk, 0) - from);
    }
  }
  CHECK(server.reads() == state_sync::most_read);
  // The chunk that was asked for the longest time ago is read again.
  CHECK(ask(1, 0, 0) > 100);
  CHECK(ask(1, state_sync::most_read, 0) > 100);
  CHECK(ask(1, 0, 0) > 100);
  CHECK(server.reads() == state_sync::most_read + 1);
  CHECK(ask(1, 1, 0) > 100);
  CHECK(server.reads() == state_sync::most_read + 2);
}

}  // namespace soma::test
