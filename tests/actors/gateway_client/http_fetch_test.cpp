#include "actors/gateway_client/http_fetch.hpp"

#include <doctest/doctest.h>

#include "actors/gateway_client/gateway_pool.hpp"
#include "actors/gateway_client/verified_ledger.hpp"
#include "messages/crypto/public_tls/certificate.hpp"
#include "tests/actors/gateway_client/chain_gateway.hpp"

using namespace soma;
using namespace soma::gateway_client;
using test::chain_gateway;
using test::proven_chain;

namespace {

std::unique_ptr<http_fetch> fetch_from(const std::string& address) {
  const auto at = http::parse_origin(address);
  REQUIRE(at.has_value());
  http_fetch_options options;
  options.at = *at;
  options.idle_ms = 300;
  return std::make_unique<http_fetch>(std::move(options));
}

refusal refusal_of_network(const std::string& address) {
  const auto answer = fetch_from(address)->network();
  REQUIRE_FALSE(answer.has_value());
  return answer.error();
}

const row_key rich = account_key(test::address_of(1));

/// A client that reads through several gateways.
struct pooled_client {
  explicit pooled_client(proven_chain& from, std::initializer_list<chain_gateway*> gateways)
      : chain(from) {
    std::vector<std::string> names;
    for (auto* one : gateways) {
      fetches.push_back(fetch_from(one->address()));
      names.push_back(fetches.back()->name());
    }
    pool_options options;
    options.seed = 1;
    options.on_left = [this](const std::string&, const refusal& why) {
      left.push_back(why.reason);
    };
    pool.emplace(std::move(names), std::move(options));
  }
  expected<std::optional<bytes>, pool_refusal> find(const row_key& key) {
    return pool->call([&](std::size_t which) -> expected<std::optional<bytes>, refusal> {
      if (!ledger) {
        auto started = verified_ledger::start(chain.chain(), fetches[which]->port(),
                                              [this] { return chain.headers.back().time_ms; },
                                              {.accept_gap = true});
        if (!started) return make_unexpected(started.error());
        ledger.emplace(std::move(*started));
      }
      return ledger->find(fetches[which]->port(), key);
    });
  }

  proven_chain& chain;
  std::vector<std::unique_ptr<http_fetch>> fetches;
  std::vector<distrust> left;
  std::optional<gateway_pool> pool;
  std::optional<verified_ledger> ledger;
};

}  // namespace

TEST_CASE("proven rows come over HTTP, through epochs, by one kept connection") {
  proven_chain chain;
  for (int i = 0; i < 3; ++i) chain.pay(5), chain.close_epoch(1);
  chain.pay(5);
  chain_gateway gateway(chain);
  pooled_client client(chain, {&gateway});
  CHECK(client.find(rich).value() == chain.store.find_row(rich));
  CHECK(client.ledger->epoch().value == 3);
  CHECK(gateway.requests() == 3);  // the genesis, the rows and the ends of epochs
  CHECK(client.left.empty());
}

TEST_CASE("a liar, a silent one, a stale one and one of another version are left for the next") {
  proven_chain chain;
  chain.pay(5);
  bool lies = false, is_silent = false;
  chain_gateway sound(chain);
  chain_gateway liar(chain, {.change = [&](const auto& asked, http::response& made, std::size_t) {
                       if (!lies || asked.path != "/v1/rows") return;
                       auto changed = *made.body;
                       changed[changed.size() / 2] ^= 1;
                       made.body = std::make_shared<const bytes>(std::move(changed));
                     }});
  chain_gateway silent(chain, {.change = [&](const auto&, http::response& made, std::size_t) {
                         if (is_silent) made.status = 0;
                       }});
  chain_gateway other(chain, {.version = "3"});
  pooled_client client(chain, {&other, &liar, &silent, &sound});
  CHECK(client.find(rich).value() == chain.store.find_row(rich));
  CHECK(client.left == std::vector{distrust::other_version});
  lies = is_silent = true;
  CHECK(client.find(rich).value() == chain.store.find_row(rich));
  REQUIRE(client.left.size() == 3);
  CHECK(is_lie(client.left[1]));
  CHECK(client.left[2] == distrust::silent);
  const auto asked_other = other.requests(), asked_liar = liar.requests();
  lies = is_silent = false;
  CHECK(client.find(rich).value() == chain.store.find_row(rich));
  CHECK(other.requests() == asked_other);
  CHECK(liar.requests() == asked_liar);
}

TEST_CASE("a gateway that stopped long ago is stale") {
  proven_chain chain;
  proven_chain stopped;
  stopped.pay(5);
  chain.pay(5);
  for (int i = 0; i < 20; ++i) chain.pay(5);
  chain_gateway old(stopped), sound(chain);
  pooled_client client(chain, {&sound, &old});
  REQUIRE(client.find(rich).has_value());
  pooled_client again(chain, {&old, &sound});
  again.ledger = client.ledger;
  CHECK(again.find(rich).value() == chain.store.find_row(rich));
  CHECK(again.left == std::vector{distrust::stale});
}

TEST_CASE("what a gateway answers instead of an answer has a name and a sentence") {
  proven_chain chain;
  http::response say;
  const auto others = [&](const http::request&) { return std::optional(say); };
  chain_gateway gateway(chain, {.others = others});
  const auto refused = [&](http::response made) {
    say = std::move(made);
    return refusal_of_network(gateway.address());
  };
  auto why = refused(http::error_response(404, "not_found", "no such\nthing"));
  CHECK(why.reason == distrust::declined);
  CHECK(why.detail == "not_found: no such?thing");
  CHECK(refused(http::error_response(503, "busy", "later")).reason == distrust::silent);
  CHECK(refused(http::make_response(404, "text/html", "<html>")).detail == "HTTP status 404");
  CHECK(refused(http::make_response(302, "", "")).reason == distrust::declined);
  CHECK(refused(http::make_response(200, "", "no message")).reason == distrust::malformed);
  CHECK(refused(http::make_response(200, "", std::string(70'000, 'x'))).reason ==
        distrust::too_large);
  CHECK(refused(http::make_response(400, "", std::string(20'000, 'x'))).reason ==
        distrust::too_large);

  chain_gateway newer(chain, {.version = "3"});
  CHECK(describe("X", refusal_of_network(newer.address())) ==
        "the gateway at X speaks version 3 of the network's answers, this program version 2: use "
        "another gateway, or a soma of that version");
  chain_gateway none(chain, {.others = others, .version = ""});
  say = http::make_response(200, "text/html", "<html>");
  CHECK(describe("X", refusal_of_network(none.address())) ==
        "the gateway at X names no version of the network's answers, this program version 2: it "
        "is no gateway");
  say = http::make_response(502, "text/html", "<html>");
  CHECK(refusal_of_network(none.address()).reason == distrust::silent);
  CHECK(refusal_of_network("http://127.0.0.1:1").reason == distrust::silent);
}

TEST_CASE("a gateway that was started anew answers, and a cancelled call ends at once") {
  proven_chain chain;
  chain.pay(5);
  auto gateway = std::make_unique<chain_gateway>(chain);
  const auto fetch = fetch_from(gateway->address());
  const auto asked = message<schema::GetProvenRows>::build(
      [&](auto out) { out.initKeys(1).set(0, data_of(rich)); });
  REQUIRE(fetch->port().proven_rows(asked).has_value());
  const auto port = gateway->port();
  gateway.reset();
  CHECK(fetch->port().proven_rows(asked).error().kind == fetch_failure::silent);
  gateway = std::make_unique<chain_gateway>(chain, test::gateway_script{}, port);
  CHECK(fetch->port().proven_rows(asked).has_value());
  fetch->cancel();
  CHECK(fetch->port().proven_rows(asked).error().kind == fetch_failure::silent);
  CHECK(fetch->transaction({}, 5'000).error().reason == distrust::silent);
}

TEST_CASE("a pinned key is believed, and another key is named as another server") {
  proven_chain chain;
  chain.pay(5);
  test::scratch_directory folder;
  const crypto::certificate_files files{folder.path() / "a.pem", folder.path() / "a.key"};
  REQUIRE(public_tls::make_self_signed(files, {"127.0.0.1"}));
  const auto identity = *public_tls::server_identity::load(files);
  chain_gateway gateway(chain, {.identity = identity});
  const auto pinned = fetch_from(gateway.address() + "#" + to_hex(identity->pin().view()));
  CHECK(pinned->port().genesis().value() == encode(chain.genesis()));
  const auto other = fetch_from(gateway.address() + "#" + std::string(64, '0'));
  CHECK(other->port().genesis().error().kind == fetch_failure::not_believed);
  // Without a pin the system's authorities decide, and none of them has signed this one.
  CHECK(fetch_from(gateway.address())->port().genesis().error().kind ==
        fetch_failure::not_believed);
}
