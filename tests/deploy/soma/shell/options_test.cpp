#include "deploy/soma/shell/options.hpp"

#include <doctest/doctest.h>

using namespace soma;
using namespace soma::cli;

TEST_CASE("a value is converted whole or refused, and a refusal leaves the default") {
  option_set options;
  std::uint32_t count = 3;
  double rate = 0.5;
  std::optional<byte_count> memory;
  std::string engine = "torch";
  auto& n = options.add("count", count, "");
  auto& x = options.add("rate", rate, "");
  auto& m = options.add("memory", memory, "");
  auto& e = options.add("engine", engine, "").among({"torch", "exact"});
  for (const auto* bad : {"", "-1", "4294967296", "1.5", "7x", " 7", "0x10", "one"}) {
    CAPTURE(bad);
    CHECK(n.set({bad}));
    CHECK(count == 3);
  }
  for (const auto* bad : {"", "nan", "inf", "1e999", "1,5"}) {
    CAPTURE(bad);
    CHECK(x.set({bad}));
    CHECK(rate == 0.5);
  }
  CHECK(n.set({"1", "2"}));
  CHECK(e.set({"other"}));
  CHECK(m.get().is_null());
  CHECK(m.set({"2 gigs"}));
  CHECK(!memory);
  CHECK(!m.set({"2GiB"}));
  CHECK(memory->value == 2'147'483'648);
  CHECK(!n.set({"4294967295"}));
  CHECK(count == UINT32_MAX);
}

TEST_CASE("a configuration fills what the command line left open, and unknown names are refused") {
  option_set options;
  std::uint64_t steps = 1;
  std::uint32_t max_seq = 0;
  std::vector<std::string> data;
  options.add("steps", steps, "").is_given = true;  // as if on the command line
  options.add("max-seq", max_seq, "");
  options.add("data", data, "");
  const auto table =
      cli::json::of({{"steps", 9},
                     {"max_seq", 64},
                     {"data", cli::json::list_of(std::vector<std::string>{"a", "b"})}});
  REQUIRE(options.apply(table, "model.train"));
  CHECK(steps == 1);
  CHECK(max_seq == 64);
  CHECK(data == std::vector<std::string>{"a", "b"});
  const auto unknown = options.apply(cli::json::of({{"stepz", 9}}), "model.train");
  REQUIRE(!unknown);
  CHECK(unknown.error().problem == "the configuration's model.train.stepz");
}

TEST_CASE("sizes read as people write them") {
  struct row {
    const char* text;
    std::uint64_t bytes;
  };
  for (const auto& [text, bytes] : {row{"4096", 4096},
                                    {"2GiB", 2'147'483'648},
                                    {"512 KiB", 524'288},
                                    {"1.5MB", 1'500'000},
                                    {"1k", 1024},
                                    {"18446744073709551615", UINT64_MAX},
                                    {"0", 0},
                                    {"7b", 7}}) {
    CAPTURE(text);
    REQUIRE(parse_size(text));
    CHECK(parse_size(text)->value == bytes);
  }
  for (const auto* text : {"", "-1", "1.5", "GiB", "1 2", "1GiBs", "99999999999999999999",
                           "17000000TiB", "nan", "1e5", "inf"}) {
    CAPTURE(text);
    CHECK(!parse_size(text));
  }
}
