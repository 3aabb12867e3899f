#include "deploy/soma/shell/config.hpp"

#include <doctest/doctest.h>

using soma::cli::json;

TEST_CASE("a TOML file is the value it says, and its mistakes name a line") {
  const auto read = soma::cli::parse_config(
      "a = 1\n[model.train]\nsteps = 5\nrate = 0.5\ndata = ['x', 'y']\non = true\n", "t");
  REQUIRE(read);
  CHECK(
      read->text() ==
      R"({"a": 1, "model": {"train": {"data": ["x", "y"], "on": true, "rate": 0.5, "steps": 5}}})");
  const auto wrong = soma::cli::parse_config("a = 1\nb = = 2\n", "t");
  REQUIRE(!wrong);
  CHECK(wrong.error().why.starts_with("line 2: "));
  CHECK(soma::cli::parse_config(soma::cli::to_toml(*read), "again")->text() == read->text());
}

TEST_CASE("TOML has integers of its own, and a string that is not UTF-8 is no configuration") {
  const std::int64_t beyond_binary64 = std::int64_t{1} << 53;
  CHECK(soma::cli::to_toml(json::of({{"seed", beyond_binary64}})) == "seed = 9007199254740992\n");
  const auto toml = soma::cli::to_toml(json::of({{"file", "a\xff"}}));
  CHECK(soma::cli::parse_config(toml, "again")->as_object()->empty());
}
