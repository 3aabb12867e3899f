// The harnesses of deploy/fuzz without libFuzzer: over their seeds, and over seeded changes of
// them.
#include <doctest/doctest.h>

#include <algorithm>

#include "actors/http/request_parser.hpp"
#include "messages/codec/codec_consensus.hpp"
#include "model/weights/weights.hpp"
#include "tests/fuzz/harness.hpp"

using namespace soma;
using namespace soma::fuzz;

TEST_CASE("every seed of every target passes, and there are good and bad ones") {
  for (const auto& target : targets) {
    CAPTURE(target.name);
    const auto seeds = target.seeds();
    CHECK(seeds.size() >= 10);
    for (const auto& [name, input] : seeds) {
      CAPTURE(name);
      CHECK(target.check(input) == "");
    }
  }
  const auto seeds = safetensors_seeds();
  const auto accepted = std::ranges::count_if(seeds, [](const auto& seed) {
    return weights::parse_weights(byte_view(seed.second)).has_value();
  });
  CHECK(accepted >= 8);
  CHECK(std::ssize(seeds) - accepted >= 16);
  for (const char* good : {"made_1", "python", "told", "escaped", "surrogates", "turned"}) {
    CAPTURE(good);
    CHECK(weights::parse_weights(byte_view(seeds.at(good)), {1, 2}).has_value());
  }
}

TEST_CASE("changes that know the format find nothing, in thousands of inputs for each target") {
  for (const auto& target : targets) {
    CAPTURE(target.name);
    const auto by_name = target.seeds();
    std::vector<bytes> pool;
    for (const auto& [name, input] : by_name) pool.push_back(input);
    for (std::uint64_t seed = 0; seed < 4000; ++seed) {
      CAPTURE(seed);
      noise::noise_generator noise(seed);
      const auto changed = target.change(pool[noise.below(pool.size())], noise);
      CHECK(target.check(changed) == "");
    }
  }
}

TEST_CASE("changed messages of validators are taken and refused, by many names") {
  std::map<std::string, int> verdicts;
  std::vector<bytes> pool;
  for (const auto& [name, input] : peer_message_seeds()) pool.push_back(input);
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    noise::noise_generator noise(seed);
    const auto taken =
        decode<peer_message>(change_peer_message(pool[noise.below(pool.size())], noise));
    ++verdicts[taken ? "taken" : std::string(to_text(taken.error()))];
  }
  for (const auto refusal :
       {parse_refusal::not_one_segment, parse_refusal::wrong_length, parse_refusal::out_of_bounds,
        parse_refusal::far_pointer, parse_refusal::wrong_kind, parse_refusal::not_canonical,
        parse_refusal::unknown_field, parse_refusal::unknown_enum_value,
        parse_refusal::unknown_union_member, parse_refusal::wrong_size}) {
    CAPTURE(to_text(refusal));
    CHECK(verdicts[std::string(to_text(refusal))] > 0);
  }
  CHECK(verdicts["taken"] > 500);
}

TEST_CASE("changed requests of HTTP are taken and refused, by many names") {
  std::map<std::string, int> verdicts;
  std::vector<bytes> pool;
  for (const auto& [name, input] : http_request_seeds()) pool.push_back(input);
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    noise::noise_generator noise(seed);
    const auto input = change_http_request(pool[noise.below(pool.size())], noise);
    http::request_parser parser(8 * 1024);
    auto rest = byte_view(input).subspan(1);
    rest = rest.subspan(parser.feed(rest));
    if (parser.now() == http::request_parser::stage::decision) parser.accept_body(100);
    static_cast<void>(parser.feed(rest));
    if (parser.now() == http::request_parser::stage::done) ++verdicts["taken"];
    ++verdicts[std::string(parser.refusal().code)];
  }
  for (const std::string refusal :
       {"taken", "bad_line_end", "bad_character", "bad_request_line", "version_not_supported",
        "method_unknown", "bad_target", "folded_header", "bad_header", "repeated_header",
        "bad_length", "coding_unknown", "expectation_failed", "bad_host", "two_lengths",
        "chunks_in_http_1_0", "no_host", "body_too_large", "bad_chunk"}) {
    CAPTURE(refusal);
    CHECK(verdicts[refusal] > 0);
  }
}

TEST_CASE("the changes go far: every refusal that a file can meet is met, and files pass") {
  std::map<std::string, int> verdicts;
  std::vector<bytes> pool;
  for (const auto& [name, input] : safetensors_seeds()) pool.push_back(input);
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    noise::noise_generator noise(seed);
    const auto input = change_safetensors(pool[noise.below(pool.size())], noise);
    const auto parsed = weights::parse_weights(byte_view(input), {1, std::nullopt});
    ++verdicts[parsed ? "accepted" : std::string(to_text(parsed.error()))];
  }
  for (int i = 0; i <= static_cast<int>(weights::weights_refusal::value_not_finite); ++i) {
    const auto refusal = static_cast<weights::weights_refusal>(i);
    using enum weights::weights_refusal;
    // Of disks, and of sizes beyond these small files.
    if (refusal == cannot_open || refusal == cannot_read || refusal == file_changed ||
        refusal == too_many_tensors) {
      continue;
    }
    CAPTURE(to_text(refusal));
    CHECK(verdicts[std::string(to_text(refusal))] > 0);
  }
  CHECK(verdicts["accepted"] > 500);
}
