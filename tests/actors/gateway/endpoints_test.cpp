#include "actors/gateway/endpoints.hpp"

#include <doctest/doctest.h>

using namespace soma;
using namespace soma::gateway;
using http::method;

namespace {

/// The path of an endpoint with its arguments filled in.
std::string path_of(const endpoint& one) {
  std::string path(one.path);
  for (const auto& argument : one.arguments) {
    const auto mark = "{" + std::string(argument.name) + "}";
    const auto at = path.find(mark);
    REQUIRE_MESSAGE(at != path.npos, one.path);
    path.replace(at, mark.size(), "x-" + std::string(argument.name));
  }
  CHECK_MESSAGE(path.find('{') == path.npos, one.path);
  return path;
}

}  // namespace

TEST_CASE("every path of the table leads to its endpoint, with its arguments in their order") {
  for (const auto& one : endpoints()) {
    CAPTURE(one.path);
    const auto found = match(one.verb, path_of(one));
    REQUIRE(found.has_value());
    CHECK(found->what == &one);
    REQUIRE(found->arguments.size() == one.arguments.size());
    for (std::size_t i = 0; i < one.arguments.size(); ++i) {
      CHECK(found->arguments[i] == "x-" + std::string(one.arguments[i].name));
    }
    if (one.verb != method::get) continue;
    const auto head = match(method::head, path_of(one));
    REQUIRE(head.has_value());
    CHECK(head->what == &one);
  }
}

TEST_CASE("what is no path is 404, and another method is 405 with those that there are") {
  for (const auto* path : {"/", "/v1", "/v1/", "/v1/rows/", "/v1/blocks", "/v1/blocks/1/2",
                           "/v1/network/", "/v2/network", "/v1/NETWORK", "/openapi.json/x"}) {
    CAPTURE(path);
    const auto found = match(method::get, path);
    REQUIRE(!found.has_value());
    CHECK(found.error().status == 404);
  }
  const auto allowed = [](method verb, const char* path) {
    const auto found = match(verb, path);
    if (found) return std::string();
    CHECK(found.error().status == 405);
    return std::string(http::find(found.error().headers, "Allow").value_or(""));
  };
  CHECK(allowed(method::delete_, "/v1/rows") == "GET, POST");
  CHECK(allowed(method::get, "/v1/transactions") == "POST");
  CHECK(allowed(method::head, "/v1/transactions") == "POST");
  CHECK(allowed(method::post, "/v1/events") == "GET");
}
