#include <doctest/doctest.h>

#include "actors/public_answers/explanation.hpp"
#include "tests/actors/gateway/served_ledger.hpp"

using namespace soma;
using namespace soma::test;

TEST_CASE("an explanation is a document, or its message, and says that nothing proves it") {
  served_ledger served;
  served.grow(2);
  served.close_epoch();
  const auto account = address_of(1).text();
  REQUIRE(wait_for([&] { return served.get("/v1/genesis").status == 200; }));
  const auto shown = served.get("/v1/explain/" + account.substr(0, 12));
  REQUIRE(shown.status == 200);
  CHECK(shown.json()["id"].text == account);
  CHECK(shown.json()["proven"].text == "nothing");
  CHECK(!shown.json()["story"].elements.empty());
  const auto exact = served.get("/v1/explain/" + account, as_message);
  REQUIRE(exact.status == 200);
  const auto told =
      public_answers::read_explanation(exact.message_of<schema::Explanation>().root());
  CHECK(told.id == account);
  const auto epoch = served.get("/v1/explain/0");
  CHECK(epoch.json()["subject"].text == "epoch");
}

TEST_CASE("what cannot be explained is refused by name") {
  served_ledger served;
  served.grow(1);
  REQUIRE(wait_for([&] { return served.get("/v1/genesis").status == 200; }));
  const auto refused = [&](const std::string& path, const http::name_values& form = as_json) {
    const auto answer = served.get("/v1/explain/" + path, form);
    return std::to_string(answer.status) + " " + answer.code();
  };
  CHECK(refused("alice") == "400 bad_name");
  CHECK(refused("0x1234") == "400 bad_name");
  CHECK(refused(std::string(67, 'a')) == "400 bad_name");
  CHECK(refused("0xdeadbeef") == "404 unknown");
  CHECK(refused("0xdeadbeef", as_message) == "404 unknown");
  CHECK(refused("77") == "404 not_there_yet");
  CHECK(refused("0?events=0") == "400 bad_number");
  CHECK(refused("0?events=20001") == "400 bad_number");
  CHECK(refused("0?events=x") == "400 bad_number");
}
