#include "deploy/soma/network/ledger_place.hpp"

#include <doctest/doctest.h>

#include "deploy/soma/shell/config.hpp"
#include "tests/support/scratch.hpp"

using namespace soma;
using namespace soma::cli;

namespace {

const test::scratch_directory& scratch() {
  static const test::scratch_directory folder;
  return folder;
}

run_context with(std::string_view toml) {
  run_context context;
  context.home = scratch().path();
  context.config = parse_config(toml, "config.toml").value();
  return context;
}

}  // namespace

TEST_CASE("--join comes before the configuration's join, and that before its validator") {
  const auto context = with("join = \"https://b\"\nnetwork = \"" + std::string(64, '1') +
                            "\"\n[roles.validator]\nat = \"10.0.0.5:7003\"\n");
  ledger_place place;
  REQUIRE(place.gateways(context).value().size() == 1);
  CHECK(place.gateways(context).value()[0].host == "b");
  CHECK(place.named_network(context).value() == chain_id::parse(std::string(64, '1')));
  place.join = "https://a,https://c";
  place.network = "0x" + std::string(64, '2');
  REQUIRE(place.gateways(context).value().size() == 2);
  CHECK(place.gateways(context).value()[1].host == "c");
  CHECK(place.named_network(context).value() == chain_id::parse(std::string(64, '2')));
  place.join = "10.0.0.6:7003";
  CHECK(place.gateways(context).value().empty());
  CHECK(place.validator(context).value()->port == 7003);
  CHECK(place.validator(context).value()->host == "10.0.0.6");

  const auto of_node = with("[roles.validator]\nat = \"10.0.0.5:7003\"\n");
  CHECK(ledger_place{}.gateways(of_node).value().empty());
  CHECK(ledger_place{}.validator(of_node).value()->host == "10.0.0.5");
  const auto of_join = with("join = \"10.0.0.7:1\"\n[roles.validator]\nat = \"10.0.0.5:7003\"\n");
  CHECK(ledger_place{}.validator(of_join).value()->host == "10.0.0.7");
}

TEST_CASE("what is wrong in an option or in the configuration is named as what it is") {
  ledger_place place;
  place.join = "http://10.0.0.5:80";
  CHECK(place.gateways(with("")).error().problem == "--join");
  CHECK(ledger_place{}.gateways(with("join = \"https://a/b\"\n")).error().problem ==
        "the configuration's join");
  place.network = "0x12";
  CHECK(place.named_network(with("")).error().problem == "--network");
  CHECK(ledger_place{}.named_network(with("network = \"x\"\n")).error().problem ==
        "the configuration's network");
  CHECK(ledger_place{}.named_network(with("")).value() == std::nullopt);
}
