// `soma wallet faucet`, against a gateway of the test that gives money away.
#include <doctest/doctest.h>

#include "actors/gateway_client/http_fetch.hpp"
#include "messages/crypto/key_file.hpp"
#include "messages/json/json.hpp"
#include "tests/deploy/soma/binary.hpp"
#include "tests/deploy/soma/network/network_gateway.hpp"

using namespace soma;
using soma::support::parse_json;
using soma::support::says;
using soma::support::soma_user;
using soma::test::network_gateway;

namespace {

struct new_user : soma_user {
  new_user() {
    const auto keys = folder() / ".soma" / "keys";
    std::filesystem::create_directories(keys);
    REQUIRE(crypto::save_key(keys / "me.pem", test::key_of(70), std::nullopt).has_value());
  }
  [[nodiscard]] static address me() { return test::address_of(70); }
};

/// Answers the faucet's path; everything else comes from the chain.
void serve_faucet(network_gateway& network,
                  const std::function<http::response(std::string)>& give) {
  network.change = [give](const http::request& asked, http::response& answer, std::size_t) {
    if (asked.path != "/v1/faucet") return;
    answer = give({reinterpret_cast<const char*>(asked.body.data()), asked.body.size()});
    answer.headers.emplace_back("Soma-Answers", std::to_string(gateway_client::answers_version));
  };
}

}  // namespace

TEST_CASE("a new account gets money from a faucet, and sees it proven") {
  network_gateway network;
  const new_user user;
  std::string body;
  serve_faucet(network, [&](std::string asked) {
    body = std::move(asked);
    const auto sent = network.chain.proposer.transfer_to(new_user::me(), 5'000);
    network.chain.grow(100, {sent});
    return http::make_response(202, "application/json",
                               json::value::of({{"transaction", signing::id_of(sent).text()},
                                                {"address", new_user::me().text()},
                                                {"amount_shannons", 5'000}})
                                   .text());
  });
  const auto got = user.run({"wallet", "faucet", "--join", network.address(), "--json"});
  REQUIRE_MESSAGE(got.exit_code == 0, got.err);
  CHECK(says(body, new_user::me().text()));
  const auto facts = parse_json(got.out).value();
  CHECK(facts["address"].text == new_user::me().text());
  CHECK(facts["amount_shannons"].text == "5000");
  CHECK(facts["balance_shannons"].text == "5000");
  CHECK(facts["proven"].text == "rows");
}

TEST_CASE("a faucet that gives nothing is named with its reason, at once") {
  network_gateway network;
  const new_user user;
  const auto refused_with = [&](http::response answer) {
    serve_faucet(network, [answer](const std::string&) { return answer; });
    const auto got = user.run({"wallet", "faucet", "me", "--join", network.address()});
    CHECK(got.exit_code == 1);
    CHECK(says(got.err, network.address()));
    return got.err;
  };
  CHECK(says(refused_with(http::error_response(404, "no_faucet", "this gateway has no faucet")),
             "this gateway has no faucet"));
  // It says to come again tomorrow: no retry would help.
  CHECK(says(refused_with(http::retry_response(429, "faucet_waits", "a gift not long ago", 86'400)),
             "a gift not long ago"));
  CHECK(says(refused_with(http::make_response(202, "application/json", "{\"transaction\": 7}")),
             "not a message"));
  CHECK(
      says(refused_with(http::make_response(202, "application/json", "no JSON")), "not a message"));
  const auto nobody = user.run({"wallet", "faucet", "nobody", "--join", network.address()});
  CHECK(nobody.exit_code == 1);
  CHECK(says(nobody.err, "names no account"));
}
