#include "actors/gateway_client/blob_pull.hpp"

#include <doctest/doctest.h>

#include "tests/actors/gateway_client/blob_gateways.hpp"

using namespace soma;
using namespace soma::gateway_client;
using namespace soma::test;

TEST_CASE("a blob comes from all gateways at once, each chunk once") {
  const scripted_blob blob(37 * chunk_size + 5);
  scripted_gateways gateways(blob, 3);
  memory_sink to;
  const auto got = pull_blob(blob.id, blob.data.size(), gateways.all, to.sink, gateways.options());
  REQUIRE(got.has_value());
  CHECK(got->size_bytes == blob.data.size());
  CHECK(to.data == blob.data);
  for (std::size_t i = 0; i < 38; ++i) CHECK(to.times[i] == 1);
  CHECK(gateways.left.empty());
}

TEST_CASE(
    "a gateway that gives a wrong chunk is left for good and named, and nothing of it stays") {
  const scripted_blob blob(40 * chunk_size + 1);
  for (const int wrong : {0, 3, 17, 40}) {
    CAPTURE(wrong);
    scripted_gateways gateways(blob, 2);
    gateways.how[0]->wrong_chunk = wrong;
    gateways.how[1]->ms_a_chunk = 8;  // so that the liar is asked for most of it
    memory_sink to;
    REQUIRE(pull_blob(blob.id, blob.data.size(), gateways.all, to.sink, gateways.options()));
    CHECK(to.data == blob.data);
    CHECK_FALSE(gateways.has_left("b", distrust::wrong_chunk));
    if (gateways.how[0]->given > (static_cast<std::uint64_t>(wrong) + 1) * chunk_size) {
      CHECK((gateways.has_left("a", distrust::wrong_chunk) || to.times[wrong] == 1));
    }
  }
}

TEST_CASE("a liar alone gives nothing, and the reason is told") {
  const scripted_blob blob(3 * chunk_size);
  scripted_gateways gateways(blob, 1);
  gateways.how[0]->wrong_chunk = 1;
  memory_sink to;
  const auto got = pull_blob(blob.id, blob.data.size(), gateways.all, to.sink, gateways.options());
  REQUIRE_FALSE(got.has_value());
  REQUIRE(got.error().left.size() == 1);
  CHECK(got.error().left[0].second.reason == distrust::wrong_chunk);
  CHECK(to.times[1] == 0);
  CHECK(gateways.has_left("a", distrust::wrong_chunk));
}

TEST_CASE("a wrong description is found by the name alone, and the next gateway is asked") {
  const scripted_blob blob(5 * chunk_size);
  scripted_gateways gateways(blob, 2);
  gateways.how[0]->lies_in_outline = true;
  memory_sink to;
  REQUIRE(pull_blob(blob.id, std::nullopt, gateways.all, to.sink, gateways.options()));
  CHECK(to.data == blob.data);
  CHECK((gateways.has_left("a", distrust::wrong_description) || gateways.left.empty()));
  scripted_gateways alone(blob, 1);
  alone.how[0]->lies_in_outline = true;
  REQUIRE_FALSE(pull_blob(blob.id, std::nullopt, alone.all, to.sink, alone.options()));
  CHECK(alone.has_left("a", distrust::wrong_description));
  CHECK(alone.how[0]->given == 0);  // it is not asked for chunks either
  auto cut = blob.description();
  for (std::size_t i = 0; i < cut.size(); i += 7) {
    auto other = cut;
    other[i] ^= 0x20;
    const auto read = read_outline(other, blob.id);
    CAPTURE(i);
    // A bit of the name in the message proves nothing and harms nothing.
    if (read) CHECK(read->chunk_hashes == blob.outline.chunk_hashes);
    CHECK_FALSE(read_outline(bytes(cut.begin(), cut.begin() + static_cast<long>(i)), blob.id));
  }
}

TEST_CASE("a gateway that dies in the middle costs what it had not given, and nothing else") {
  const scripted_blob blob(60 * chunk_size);
  for (const std::int64_t after : {0, 1, 500'000, 10 * 1'048'576, 25 * 1'048'576}) {
    CAPTURE(after);
    scripted_gateways gateways(blob, 2);
    gateways.how[0]->dies_after = after;
    gateways.how[1]->ms_a_chunk = 2;
    memory_sink to;
    REQUIRE(pull_blob(blob.id, blob.data.size(), gateways.all, to.sink, gateways.options()));
    CHECK(to.data == blob.data);
    CHECK(gateways.has_left("a", distrust::silent));
    CHECK(gateways.how[1]->given <= blob.data.size() + 10 * chunk_size);
  }
}

TEST_CASE("what a silent gateway keeps to itself is asked elsewhere, and it is not waited for") {
  const scripted_blob blob(30 * chunk_size);
  scripted_gateways gateways(blob, 2);
  gateways.how[0]->is_silent = true;
  memory_sink to;
  const auto began = std::chrono::steady_clock::now();
  REQUIRE(pull_blob(blob.id, blob.data.size(), gateways.all, to.sink, gateways.options()));
  CHECK(to.data == blob.data);
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::milliseconds(900));
}

TEST_CASE("a gateway that does not describe the blob keeps nobody waiting") {
  const scripted_blob blob(12 * chunk_size);
  scripted_gateways gateways(blob, 2);
  gateways.how[0]->is_mute = true;
  gateways.how[0]->is_silent = true;
  memory_sink to;
  const auto began = std::chrono::steady_clock::now();
  REQUIRE(pull_blob(blob.id, blob.data.size(), gateways.all, to.sink, gateways.options()));
  CHECK(to.data == blob.data);
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::milliseconds(900));
}

TEST_CASE("one gateway lies and one dies in the middle, and the third gives the rest") {
  const scripted_blob blob(50 * chunk_size + 9);
  scripted_gateways gateways(blob, 3);
  gateways.how[0]->wrong_chunk = 2;
  gateways.how[1]->dies_after = 8 * 1'048'576;
  gateways.how[2]->ms_a_chunk = 3;
  memory_sink to;
  REQUIRE(pull_blob(blob.id, blob.data.size(), gateways.all, to.sink, gateways.options()));
  CHECK(to.data == blob.data);
  CHECK(gateways.has_left("b", distrust::silent));
}

TEST_CASE("chunks that are here are not fetched, and a blob that is whole asks for none") {
  const scripted_blob blob(20 * chunk_size);
  scripted_gateways gateways(blob, 2);
  memory_sink to;
  to.present.assign(20, false);
  for (const std::size_t i : {0, 5, 6, 19}) to.present[i] = true;
  REQUIRE(pull_blob(blob.id, blob.data.size(), gateways.all, to.sink, gateways.options()));
  for (std::size_t i = 0; i < 20; ++i) CHECK(to.times[i] == (to.present[i] ? 0 : 1));
  scripted_gateways idle(blob, 2);
  memory_sink full;
  full.present.assign(20, true);
  REQUIRE(pull_blob(blob.id, blob.data.size(), idle.all, full.sink, idle.options()));
  CHECK(idle.how[0]->given + idle.how[1]->given == 0);
}

TEST_CASE("nobody has it, nobody answers, another size, and a stop: each ends with its reason") {
  const scripted_blob blob(4 * chunk_size);
  memory_sink to;
  const auto reason = [&](scripted_gateways& gateways, pull_options options) {
    const auto got = pull_blob(blob.id, std::nullopt, gateways.all, to.sink, std::move(options));
    REQUIRE_FALSE(got.has_value());
    return got.error().left.empty() ? std::string("none") : to_text(got.error());
  };
  scripted_gateways nothing(blob, 2), dead(blob, 2), stopped(blob, 1), other(blob, 1);
  for (auto& one : nothing.how) one->has_nothing = true;
  CHECK(reason(nothing, nothing.options()).find("does not have the answer") != std::string::npos);
  for (auto& one : dead.how) one->is_dead = true;
  CHECK(reason(dead, dead.options()).find("does not answer") != std::string::npos);
  stopped.how[0]->is_silent = true;
  auto options = stopped.options();
  options.is_stopped = [] { return true; };
  CHECK(reason(stopped, options) == "none");
  const auto got = pull_blob(blob.id, blob.data.size() + 1, other.all, to.sink, other.options());
  REQUIRE_FALSE(got.has_value());
  REQUIRE(got.error().own.has_value());
  CHECK(other.left.empty());
}

TEST_CASE("a sink that fails ends the pull, and its failure is thrown") {
  const scripted_blob blob(10 * chunk_size);
  scripted_gateways gateways(blob, 2);
  memory_sink to;
  auto sink = to.sink;
  sink.put = [](std::uint32_t number, byte_view) {
    if (number == 3) throw std::runtime_error("the disk is full");
  };
  CHECK_THROWS_WITH((void)pull_blob(blob.id, std::nullopt, gateways.all, sink, gateways.options()),
                    "the disk is full");
}

TEST_CASE("whatever gateways do, what comes is the blob: random scripts") {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const scripted_blob blob(1 + random() % (24 * chunk_size), seed);
    scripted_gateways gateways(blob, 2 + random() % 3, 1 + random() % 2);
    // The last one is honest and slow. The others do anything.
    for (std::size_t i = 0; i + 1 < gateways.how.size(); ++i) {
      auto& how = *gateways.how[i];
      if (random() % 3 == 0) how.wrong_chunk = static_cast<int>(random() % 24);
      if (random() % 3 == 0)
        how.dies_after = static_cast<std::int64_t>(random() % (8 * chunk_size));
      how.is_silent = random() % 6 == 0;
      how.lies_in_outline = random() % 6 == 0;
      how.has_nothing = random() % 6 == 0;
    }
    gateways.how.back()->ms_a_chunk = random() % 3;
    memory_sink to;
    REQUIRE(pull_blob(blob.id, blob.data.size(), gateways.all, to.sink, gateways.options()));
    CHECK(to.data == blob.data);
  }
}
