#include "actors/gateway_client/blob_push.hpp"

#include <doctest/doctest.h>

#include <set>

#include "tests/actors/gateway_client/blob_gateways.hpp"

using namespace soma;
using namespace soma::gateway_client;
using namespace soma::test;

namespace {

/// A gateway that takes an upload, and breaks as its script says.
struct taker {
  const scripted_blob& blob;
  std::set<std::uint32_t> has;
  std::size_t puts = 0, begins = 0;
  std::size_t dies_after_puts = SIZE_MAX;
  std::size_t forgets_after_puts = SIZE_MAX;  // once: "not_begun"
  std::string declines;                       // with this code
  bool is_begun = false;
  std::vector<std::string> reservations;

  explicit taker(const scripted_blob& of) : blob(of) {}

  [[nodiscard]] fetched progress() const {
    const auto made = message<schema::PutProgress>::build([&](auto out) {
      out.setBlob(data_of(blob.id));
      std::vector<std::uint32_t> missing;
      for (std::uint32_t i = 0; i < blob.outline.chunk_hashes.size(); ++i) {
        if (!has.contains(i)) missing.push_back(i);
      }
      auto list = out.initMissing(static_cast<unsigned>(missing.size()));
      for (unsigned i = 0; i < missing.size(); ++i) list.set(i, missing[i]);
    });
    return bytes(made.bytes().begin(), made.bytes().end());
  }
  [[nodiscard]] bool is_dead() const { return puts >= dies_after_puts; }

  blob_gateway gateway(const std::string& name) {
    blob_port port;
    port.begin = [this](const blob_id& id, byte_view body, const std::string& by) -> fetched {
      reservations.push_back(by);
      if (is_dead()) return no_answer(fetch_failure::silent);
      if (!declines.empty()) {
        fetch_error no(fetch_failure::refused, declines);
        no.code = declines;
        return make_unexpected(no);
      }
      ++begins;
      CHECK(id == blob.id);
      CHECK(message<schema::BeginPut>::parse(body).has_value());
      is_begun = true;
      return progress();
    };
    port.put = [this](const blob_id&, std::uint32_t number, byte_view chunk,
                      const std::string&) -> fetched {
      if (is_dead()) return no_answer(fetch_failure::silent);
      if (puts == forgets_after_puts && std::exchange(is_begun, false)) {
        forgets_after_puts = SIZE_MAX;
        fetch_error no(fetch_failure::refused, "not_begun");
        no.code = "not_begun";
        return make_unexpected(no);
      }
      ++puts;
      CHECK(std::ranges::equal(chunk, blob.chunk(number)));
      has.insert(number);
      return progress();
    };
    return {name, {port}};
  }
};

struct pushing {
  std::vector<std::string> left, taken;
  push_source source;
  explicit pushing(const scripted_blob& blob) {
    source.outline = blob.outline;
    source.on_taken = [this](const std::string& name) { taken.push_back(name); };
    source.chunk = [&blob](std::uint32_t number) {
      const auto data = blob.chunk(number);
      return bytes(data.begin(), data.end());
    };
  }
  expected<blob_id, pool_refusal> run(const std::vector<blob_gateway>& to) {
    pool_options options;
    options.seed = 1;
    options.first_rest_ms = 2;
    options.most_rest_ms = 10;
    options.patience_ms = 60;
    options.on_left = [this](const std::string& name, const refusal&) { left.push_back(name); };
    return push_blob(source, "aa", to, options);
  }
};

}  // namespace

TEST_CASE("an upload puts what is missing, and nothing else") {
  const scripted_blob blob(9 * chunk_size + 4);
  taker to(blob);
  to.has = {0, 4, 9};
  pushing work(blob);
  const auto done = work.run({to.gateway("a")});
  REQUIRE(done.has_value());
  CHECK(*done == blob.id);
  CHECK(to.puts == 7);
  CHECK(to.has.size() == 10);
  CHECK(work.left.empty());
  CHECK(work.run({to.gateway("a")}).has_value());  // it has all
  CHECK(to.puts == 7);
}

TEST_CASE("a gateway that dies after any chunk is left, and the next one gets all") {
  const scripted_blob blob(6 * chunk_size);
  for (std::size_t after = 0; after < 6; ++after) {
    CAPTURE(after);
    taker a(blob), b(blob);
    a.dies_after_puts = after;
    pushing work(blob);
    const auto done = work.run({a.gateway("a"), b.gateway("b")});
    REQUIRE(done.has_value());
    CHECK(b.has.size() == 6);
    CHECK(work.left == std::vector<std::string>{"a"});
    CHECK(work.taken == std::vector<std::string>{"b"});
  }
}

TEST_CASE("an upload that was set aside is begun again where it was") {
  const scripted_blob blob(5 * chunk_size);
  taker to(blob);
  to.forgets_after_puts = 2;
  pushing work(blob);
  CHECK(work.run({to.gateway("a")}).has_value());
  CHECK(to.begins == 2);
  CHECK(work.left.empty());
  CHECK(to.puts == 5);
}

TEST_CASE("what all gateways decline is told with their reasons") {
  const scripted_blob blob(2 * chunk_size);
  taker a(blob), b(blob);
  a.declines = "allowance_used";
  b.declines = "no_blob_store";
  pushing work(blob);
  const auto done = work.run({a.gateway("a"), b.gateway("b")});
  REQUIRE_FALSE(done.has_value());
  const auto told = to_text(done.error());
  CHECK(told.find("allowance_used") != std::string::npos);
  CHECK(told.find("no_blob_store") != std::string::npos);
  CHECK(a.reservations.front() == "aa");
}

TEST_CASE("a gateway that comes back goes on with what it has") {
  const scripted_blob blob(8 * chunk_size);
  taker to(blob);
  to.dies_after_puts = 3;
  pushing work(blob);
  auto gateway = to.gateway("a");
  const auto put = gateway.connections[0].put;
  const auto begin = gateway.connections[0].begin;
  int silent_for = 4;
  gateway.connections[0].begin = [&](const blob_id& id, byte_view body, const std::string& by) {
    if (to.is_dead() && --silent_for == 0) to.dies_after_puts = SIZE_MAX;
    return begin(id, body, by);
  };
  CHECK(work.run({gateway}).has_value());
  CHECK(to.puts == 8);
}
