#include <doctest/doctest.h>

#include "messages/codec/codec.hpp"
#include "messages/signing/signing.hpp"
#include "tests/actors/gateway/served_ledger.hpp"

using namespace soma;
using namespace soma::test;

namespace {

constexpr std::uint64_t gift_shannons = 25;

/// A gateway that gives away the money of account 1, of which every gift needs the nonce.
void give_money(gateway::gateway_options& options) {
  options.faucet.emplace(gateway::faucet_options{key_of(1), shannons{gift_shannons}});
  options.faucet->gifts_per_host = 3;
  options.question_ms = 300;
}

answered ask_for_gift(served_ledger& served, const std::string& body) {
  return served.post("/v1/faucet", "application/json", as_bytes(body));
}

answered gift_to(served_ledger& served, std::uint8_t number) {
  return ask_for_gift(served, R"({"address": ")" + address{{number}}.text() + "\"}");
}

std::uint64_t nonce_of(const signed_transaction& sent) {
  const auto content = decode<transaction>(sent.body);
  REQUIRE(content);
  const auto* gift = std::get_if<tx::transfer>(&content->kind);
  REQUIRE(gift != nullptr);
  CHECK(gift->amount == shannons{gift_shannons});
  return content->nonce;
}

}  // namespace

TEST_CASE("gifts follow each other without waiting for a block, and are paid") {
  served_ledger served(give_money);
  for (std::uint8_t i = 100; i < 103; ++i) {
    const auto answer = gift_to(served, i);
    CAPTURE(answer.body);
    CHECK(answer.status == 202);
    CHECK(answer.json()["amount_shannons"].text == std::to_string(gift_shannons));
  }
  const auto& offered = served.shared().offered;
  REQUIRE(offered.size() == 3);
  CHECK(nonce_of(offered[1]) == nonce_of(offered[0]) + 1);
  CHECK(nonce_of(offered[2]) == nonce_of(offered[0]) + 2);
  served.grow_with_offered();
  const auto row = served.get("/v1/accounts/" + address{{101}}.text()).json();
  CHECK(row["row"]["balance_shannons"].text == std::to_string(gift_shannons));
}

TEST_CASE("a second gift to an address and a fourth from a host are refused") {
  served_ledger served(give_money);
  CHECK(gift_to(served, 100).status == 202);
  CHECK(gift_to(served, 100).status == 429);
  CHECK(gift_to(served, 100).code() == "faucet_waits");
  CHECK(gift_to(served, 101).status == 202);
  CHECK(gift_to(served, 102).status == 202);
  CHECK(gift_to(served, 103).status == 429);
  CHECK(served.shared().offered.size() == 3);
}

TEST_CASE("a gift that could not be sent does not count") {
  served_ledger served(give_money);
  CHECK(gift_to(served, 100).status == 202);
  served.shared().is_silent = true;
  CHECK(gift_to(served, 101).status == 503);
  served.shared().is_silent = false;
  CHECK(gift_to(served, 101).status == 202);
  CHECK(gift_to(served, 102).status == 202);
}

TEST_CASE("a request that names no address is refused, and so is any without a faucet") {
  served_ledger served(give_money);
  for (const auto* body : {"", "{}", "[]", R"({"address": 5})", R"({"address": "0x12"})", "{"}) {
    CAPTURE(std::string(body));
    const auto answer = ask_for_gift(served, body);
    CHECK(answer.status == 400);
    CHECK(answer.code() == "bad_address");
  }
  served_ledger plain;
  CHECK(gift_to(plain, 100).status == 404);
  CHECK(gift_to(plain, 100).code() == "no_faucet");
}
