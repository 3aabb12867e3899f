#include "deploy/soma/network/network_connection.hpp"

#include <doctest/doctest.h>

#include "tests/support/scratch.hpp"

using namespace soma;
using namespace soma::cli;

TEST_CASE("the state of a transaction is read with its refusal") {
  const auto answer = message<schema::TransactionStatus>::build([](auto out) {
    out.setHeight(7);
    out.setEpoch(3);
    out.setFeeShannons(11);
    out.initRefusal().setRules(static_cast<std::uint16_t>(rules::refusal::account_unknown));
    out.getRefusal().setWhy("why");
  });
  const auto state = read_state(answer.root());
  CHECK(state.height.value == 7);
  CHECK(state.epoch.value == 3);
  CHECK(state.fee.value == 11);
  CHECK(state.refusal == rules::refusal::account_unknown);
  CHECK(state.why == "why");
  CHECK_FALSE(read_state(message<schema::TransactionStatus>{}.root()).refusal.has_value());
}

TEST_CASE("a person who names neither gateways nor a validator is told of both") {
  const test::scratch_directory home;
  run_context context;
  context.home = home.path();
  context.config = cli::json(cli::json::object());
  const auto opened = network_connection::open(context, ledger_place{});
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().what_to_do.find("--join https://HOST:PORT") != std::string::npos);
  CHECK(opened.error().what_to_do.find("--join HOST:PORT") != std::string::npos);
}
