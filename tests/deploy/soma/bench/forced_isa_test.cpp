#include "deploy/soma/bench/forced_isa.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <stdexcept>
#include <string>

using namespace soma;
using namespace soma::cli;

namespace {

bench_row row_of(std::string compared, double ours) {
  bench_row row;
  row.compared = std::move(compared);
  row.peer = "a peer, with \"quotes\" and\nlines";
  row.unit_of_work = "GFLOP";
  row.ours_seconds = ours;
  row.peer_seconds = 2 * ours;
  row.work = 7;
  return row;
}

}  // namespace

TEST_CASE("--isa names the sets of this processor, and refuses every other") {
  const auto runnable = simd::available_isas();
  const auto all = sets_named("all");
  REQUIRE(all);
  CHECK(all->size() == std::max<std::size_t>(1, runnable.size() - 1));
  for (const auto set : runnable) {
    const auto one = sets_named(to_text(set));
    REQUIRE(one);
    CHECK(*one == std::vector{set});
  }
  const auto two = sets_named("portable,portable");
  REQUIRE(two);
  CHECK(two->size() == 2);
  for (const char* const wrong : {"sse9", "portable,", ",", "portable,all", "PORTABLE"}) {
    CAPTURE(std::string(wrong));
    const auto refused = sets_named(wrong);
    REQUIRE(!refused);
    CHECK(refused.error().code == exit_code::wrong_usage);
  }
}

TEST_CASE("a child measures with its set forced on both sides, and its rows arrive whole") {
  for (const auto set : simd::available_isas()) {
    const auto rows = measure_in_child(set, []() -> expected<std::vector<bench_row>, failure> {
      const std::string peers =
          std::string(std::getenv("OPENBLAS_CORETYPE")) + " " + std::getenv("ATEN_CPU_CAPABILITY");
      return std::vector{row_of(std::string(to_text(simd::chosen_isa())), 0.25),
                         row_of(peers, 1e-9)};
    });
    REQUIRE(rows);
    REQUIRE(rows->size() == 2);
    const auto& first = rows->front();
    CHECK(first.compared == to_text(set));
    CHECK(first.peer == row_of("", 0).peer);
    CHECK(first.unit_of_work == "GFLOP");
    CHECK(first.ours_seconds == 0.25);
    CHECK(first.peer_seconds == 0.5);
    CHECK(first.work == 7);
    if (set == simd::isa::avx2) CHECK(rows->back().compared == "Haswell avx2");
    if (set == simd::isa::avx512) CHECK(rows->back().compared == "SkylakeX avx512");
  }
}

TEST_CASE("a failure, an exception and a crash of a child are failures of the measurement") {
  const auto refused = measure_in_child(simd::isa::portable, [] {
    return expected<std::vector<bench_row>, failure>(
        wrong_usage("--models", "too many", "take fewer"));
  });
  REQUIRE(!refused);
  CHECK(refused.error().problem == "--models");
  CHECK(refused.error().why == "too many");
  CHECK(refused.error().what_to_do == "take fewer");
  CHECK(refused.error().code == exit_code::wrong_usage);

  const auto threw =
      measure_in_child(simd::isa::portable, []() -> expected<std::vector<bench_row>, failure> {
        throw std::runtime_error("no memory for this");
      });
  REQUIRE(!threw);
  CHECK(threw.error().why == "no memory for this");

  const auto crashed = measure_in_child(
      simd::isa::portable, []() -> expected<std::vector<bench_row>, failure> { std::_Exit(9); });
  REQUIRE(!crashed);
  CHECK(crashed.error().problem == "the measurement with portable did not end");
}
