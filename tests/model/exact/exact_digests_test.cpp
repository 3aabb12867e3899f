// One digest on every machine (arithmetic §1.4): each case under every instruction set, with
// several numbers of threads and memory budgets. Environment variables choose how much is run:
//
//   SOMA_ALL_CASES=1      every combination of the largest cases too; an hour on two cores
//   SOMA_ALL_CASES=once   each case at least once under each set
//   SOMA_ALL_CASES=avx2   every combination of one set alone
//   SOMA_PRINT_DIGESTS=1  prints the digests to record
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "tests/model/exact/exact_cases.hpp"

using namespace soma;
using namespace soma::test;

namespace {

/// The allowed cost of the runs of one case, in 10^9 multiplications. Up to `all` every combination
/// is run, up to `two` two of the six, up to `one` a single one. More expensive cases need
/// SOMA_ALL_CASES.
struct allowance {
  double all;
  double two;
  double one;
};
allowance allowance_of(simd::isa set) {
  switch (set) {
    case simd::isa::portable:
      return {0.001, 0.01, 0.06};  // every fma is a function call
    case simd::isa::scalar:
      return {0.2, 1, 12};
    default:
      return {1, 5, 70};
  }
}

/// A case of 1,025 bytes has one whole sequence and one of a single byte. So it stands for the
/// shorter cases of the same architecture where each of them takes seconds.
bool is_covered_by_longer_case(const exact_case& c) {
  return c.bytes < 1'025 && giga_cost(c) > 20;
}

std::string value_of(const char* variable) {
  const char* const value = std::getenv(variable);
  return value == nullptr ? "" : value;
}

struct combination {
  simd::isa set;
  unsigned threads;
  bool small_budget;
};

std::vector<combination> combinations_of(const exact_case& c) {
  const std::string asked = value_of("SOMA_ALL_CASES");
  const double cost = giga_cost(c);
  std::vector<combination> all;
  for (const auto set : simd::available_isas()) {
    auto allowed = allowance_of(set);
    if (!asked.empty() && set != simd::isa::portable) {
      if (simd::parse_isa(asked) && set != simd::parse_isa(asked)) continue;
      allowed.one = 1e9;
      if (asked != "once") allowed.all = allowed.two = 1e9;
    }
    if (cost > allowed.one || (asked.empty() && is_covered_by_longer_case(c))) continue;
    for (const unsigned threads : {1u, 2u, 3u}) {
      for (const bool small_budget : {false, true}) {
        // An expensive case is run with two threads and enough memory, and with three threads and
        // little.
        const bool first = threads == 2 && !small_budget;
        const bool second = threads == 3 && small_budget;
        if (cost <= allowed.all || first || (second && cost <= allowed.two))
          all.push_back({set, threads, small_budget});
      }
    }
  }
  return all;
}

std::string run(const exact_case& c, const weights::model_weights& weights, const bytes& data,
                const combination& how) {
  exact::engine_options options;
  if (how.small_budget) {
    options.budget_bytes = exact::least_memory_bytes({c.arch, 1, 16, how.threads, how.set});
    options.keep_packed = false;
  }
  const auto engine = scoring::make_exact_engine(
      weights, std::make_shared<exact::workspace>(how.threads, how.set), options);
  const auto score = engine->run(data, c.seed());
  REQUIRE(score.has_value());
  CHECK(score->valid);
  return digest_of(c, weights, *score);
}

}  // namespace

TEST_CASE("the digest of every case is the recorded one, whatever computes it") {
  const bool prints = !value_of("SOMA_PRINT_DIGESTS").empty();
  std::size_t runs = 0;
  std::string left_out;
  for (const auto& c : exact_cases) {
    CAPTURE(c.name);
    CAPTURE(c.far);
    CAPTURE(c.bytes);
    const auto combinations = combinations_of(c);
    for (const auto set : simd::available_isas()) {
      const auto is_of_set = [set](const combination& how) { return how.set == set; };
      if (set != simd::isa::portable &&
          std::none_of(combinations.begin(), combinations.end(), is_of_set)) {
        left_out += "\n  " + std::string(c.name) + ", " + std::to_string(c.bytes) + " bytes, " +
                    std::string(simd::to_text(set));
      }
    }
    if (combinations.empty()) continue;
    const auto weights = weights_of(c);
    const auto data = data_of_case(c);
    std::string first;
    for (const auto& how : combinations) {
      CAPTURE(simd::to_text(how.set));
      CAPTURE(how.threads);
      CAPTURE(how.small_budget);
      const auto digest = run(c, weights, data, how);
      if (first.empty()) first = digest;
      CHECK(digest == first);
      if (!prints) CHECK(digest.substr(0, 18) == c.digest);
      ++runs;
    }
    if (prints) {
      std::printf("%s|%d|%zu|%s\n", c.name, c.far, c.bytes, first.substr(0, 18).c_str());
    }
  }
  CHECK(exact_cases.size() >= 40);
  std::printf("%zu cases, %zu runs under", exact_cases.size(), runs);
  for (const auto set : simd::available_isas()) {
    std::printf(" %s", std::string(simd::to_text(set)).c_str());
  }
  std::printf("; this processor cannot run:");
  for (const auto set : {simd::isa::scalar, simd::isa::avx2, simd::isa::avx512, simd::isa::neon}) {
    const auto all = simd::available_isas();
    if (std::find(all.begin(), all.end(), set) == all.end()) {
      std::printf(" %s", std::string(simd::to_text(set)).c_str());
    }
  }
  std::printf("; left to SOMA_ALL_CASES=1:%s\n", left_out.empty() ? " nothing" : left_out.c_str());
}
