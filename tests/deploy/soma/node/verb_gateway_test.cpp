#include <doctest/doctest.h>

#include "actors/gateway/endpoints.hpp"
#include "tests/deploy/soma/binary.hpp"

using namespace soma;
using soma::support::parse_json;
using soma::support::soma_user;

TEST_CASE("the endpoints that are printed are those that are routed") {
  const soma_user user;
  const auto shown = user.run({"gateway", "endpoints", "--json"});
  REQUIRE_MESSAGE(shown.exit_code == 0, shown.err);
  const auto facts = parse_json(shown.out).value();
  const auto& listed = facts["endpoints"].elements;
  const auto all = gateway::endpoints();
  REQUIRE(listed.size() == all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(listed[i]["method"].text == to_text(all[i].verb));
    CHECK(listed[i]["path"].text == all[i].path);
  }
  const auto screen = user.run({"gateway", "endpoints"});
  for (const auto& one : all) CHECK(screen.out.find(one.path) != std::string::npos);
}
