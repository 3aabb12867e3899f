#include "deploy/soma/shell/failure.hpp"

#include <doctest/doctest.h>

#include "tests/support/json_reader.hpp"

using namespace soma::cli;
using soma::support::parse_json;

TEST_CASE("a refusal for people is one line, whatever its texts hold") {
  CHECK(one_line({"cannot read x", "no such file", "name another"}) ==
        "soma: cannot read x: no such file; name another");
  CHECK(one_line({"a\nb", "", ""}) == "soma: a b");
  const auto cut = one_line({std::string(3'000, 'x'), "", ""});
  CHECK(cut.size() < 1'100);
  CHECK(cut.ends_with("…"));
}

TEST_CASE("a refusal for programs has a code that stays, and null for what is not known") {
  const auto refused = parse_json(json_line({"a \"b\"", "why\n", ""}));
  REQUIRE(refused);
  const auto& error = (*refused)["error"];
  CHECK(error["code"].text == "failed");
  CHECK(error["exit_code"].number() == 1);
  CHECK(error["problem"].text == "a \"b\"");
  CHECK(error["why"].text == "why\n");
  CHECK(error["what_to_do"].type == soma::support::parsed_json::kind::null);

  const auto code_of = [](const failure& f) {
    return (*parse_json(json_line(f)))["error"]["code"].text;
  };
  CHECK(code_of(wrong_usage("--x", "no").value()) == "wrong_usage");
  CHECK(code_of(named(failure_names::not_found, failed("no x", "")).value()) == "not_found");
  // A name does not change the exit code.
  const auto both = named(failure_names::ambiguous, wrong_usage("x", ""));
  CHECK(both.value().code == exit_code::wrong_usage);
  CHECK(code_of(both.value()) == "ambiguous");
}
