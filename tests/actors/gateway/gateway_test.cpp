#include "actors/gateway/gateway.hpp"

#include <doctest/doctest.h>

#include <caf/exit_reason.hpp>
#include <chrono>
#include <mutex>
#include <thread>

#include "actors/gateway_client/http_fetch.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "messages/crypto/public_tls/certificate.hpp"
#include "tests/actors/gateway/served_ledger.hpp"

using namespace soma;
using namespace soma::test;

namespace {

const std::string nowhere = "0x" + std::string(64, 'e');

std::string get_of(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

}  // namespace

TEST_CASE("unknown paths are 404, other methods 405 and long bodies 413, all as JSON") {
  served_ledger served;
  CHECK(served.get("/v1/none").status == 404);
  CHECK(served.get("/v1/none").code() == "no_such_path");
  const auto refused = served.post("/v1/network", "text/plain", as_bytes(""));
  CHECK(refused.status == 405);
  CHECK(refused.header("allow") == "GET");
  CHECK(refused.code() == "method_not_allowed");
  CHECK(served.post("/v1/network", "text/plain", as_bytes("x")).status == 405);
  raw_client odd(served.port());
  odd.send("GET /v1/network HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
  CHECK(odd.status() == 413);
}

TEST_CASE("a browser may ask from any page") {
  served_ledger served;
  const auto allowed =
      served.get("/v1/transactions", {{"Origin", "https://elsewhere"}}, http::method::options);
  CHECK(allowed.status == 204);
  CHECK(allowed.header("access-control-allow-origin") == "*");
  CHECK(allowed.header("access-control-allow-methods").find("POST") != std::string::npos);
  CHECK(allowed.header("access-control-allow-headers").find("Last-Event-ID") != std::string::npos);
}

TEST_CASE("whoever is refused can read why and when to ask again, whoever refuses") {
  served_ledger served([](auto& options) {
    options.limits.requests_per_second = 1;
    options.limits.requests_burst = 4;
  });
  // The handler, the table of paths and the server itself refuse.
  for (const auto& [target, status] : {std::pair{"/v1/rows/x", 400U},
                                       {"/v1/none", 404U},
                                       {"/v1/none", 404U},
                                       {"/v1/network", 200U},
                                       {"/v1/network", 429U}}) {
    const auto got = served.get(target);
    CHECK(got.status == status);
    CHECK(got.header("access-control-allow-origin") == "*");
    CHECK(got.header("soma-answers") == std::to_string(gateway::answers_version));
    CHECK(got.header("access-control-expose-headers").find("Retry-After") != std::string::npos);
    CHECK(got.header("retry-after").empty() == (status != 429));
  }
  // A client that asks too often does not take the gateway for none.
  gateway_client::http_fetch_options how;
  how.at = {false, "127.0.0.1", served.port(), std::nullopt};
  gateway_client::http_fetch client(how);
  const auto refused = client.network();
  REQUIRE(!refused);
  CHECK(refused.error().reason == gateway_client::distrust::silent);
}

TEST_CASE("behind a silent validator every question is 503 in time, and says when to ask again") {
  served_ledger served([](auto& options) { options.question_ms = 60; });
  served.grow();
  REQUIRE(wait_for([&] { return served.get("/v1/genesis").status == 200; }));
  served.shared().is_silent = true;
  for (const std::string target :
       {"/v1/network", "/v1/blocks/1", "/v1/certificates/1", "/v1/epochs/0", "/v1/rows/0x01",
        "/v1/rows?prefix=0x02", "/v1/accounts/", "/v1/models", "/v1/targets",
        "/v1/listings/target-counts", "/v1/transactions/", "/v1/transactions/?wait=30000",
        "/v1/events?from=0:0"}) {
    CAPTURE(target);
    auto asked = target;
    if (const auto at = asked.find("s/");
        at + 2 == asked.size() || asked.find("s/?") != asked.npos) {
      asked.insert(at + 2, nowhere);
    }
    const auto got = served.get(asked, as_json);
    CHECK(got.status == 503);
    CHECK(got.code() == "validator_silent");
    CHECK(!got.header("retry-after").empty());
  }
  CHECK(served.get("/openapi.json").status == 200);
  CHECK(served.get("/v1/genesis").status == 200);  // is known
  served.shared().is_silent = false;
  CHECK(served.get("/v1/network").status == 200);
}

TEST_CASE("who waits for a block while the validator falls silent is answered after their time") {
  served_ledger served([](auto& options) { options.question_ms = 300; });
  served.grow();
  raw_client waiting(served.port());
  waiting.send(get_of("/v1/transactions/" + nowhere + "?wait=300"));
  REQUIRE(wait_for([&] { return served.shared().questions_for_transactions >= 1; }));
  served.shared().is_silent = true;
  // It may have been about to ask once more, for the block that it has not seen.
  const auto status = waiting.status(2'000);
  CHECK((status == 200 || status == 503));
  CHECK(waiting.last_body().find(status == 200 ? "unknown" : "silent") != std::string::npos);
}

TEST_CASE("a stream goes on after the validator was silent, without a gap") {
  served_ledger served([](auto& options) { options.question_ms = 30; });
  served.grow(2);
  event_reader reader(served.port(), "?from=0:0");
  const auto newest = [&] {
    const auto page = served.get("/v1/events?from=0:0&limit=1000", as_json).json();
    std::vector<std::string> places;
    for (const auto& one : page["events"].elements) places.push_back(one["place"].text);
    return places;
  };
  reader.read_until(newest().back());
  served.shared().is_silent = true;
  served.grow(2);
  std::this_thread::sleep_for(std::chrono::milliseconds(80));
  served.shared().is_silent = false;
  served.grow(1);
  const auto all = newest();
  CHECK(reader.read_until(all.back()) == all);
}

TEST_CASE("a gateway that ends closes its streams and what waits, and can begin again there") {
  served_ledger served;
  served.grow();
  raw_client waiting(served.port()), stream(served.port()), idle(served.port());
  waiting.send(get_of("/v1/transactions/" + nowhere + "?wait=30000"));
  stream.send(get_of("/v1/events"));
  CHECK(stream.read_until("retry").find("200 OK") != std::string::npos);
  REQUIRE(wait_for([&] { return served.shared().questions_for_transactions >= 1; }));
  const auto port = served.port();
  caf::anon_send_exit(served.role(), caf::exit_reason::user_shutdown);
  for (auto* one : {&waiting, &stream, &idle}) CHECK(one->is_closed_within(2'000));
  auto options = served.options();
  options.listen_port = port;
  const auto again = gateway::spawn_gateway(served.system(), served.ports(), options);
  REQUIRE(again.has_value());
  CHECK(again->port == port);
  CHECK(served.get("/v1/network").status == 200);
  caf::anon_send_exit(again->role, caf::exit_reason::user_shutdown);
}

TEST_CASE("a supervisor starts a gateway anew at the same port, with streams open") {
  served_ledger served;
  served.grow();
  std::mutex mutex;
  gateway::gateway_actor newest;
  auto options = served.options();
  int starts = 0;
  supervisor::supervisor_ports ports;
  ports.clock = served.ports().clock;
  ports.start =
      [&](std::vector<supervisor::supervised>& all) -> expected<void, supervisor::role_failure> {
    auto made = gateway::spawn_gateway(served.system(), served.ports(), options);
    if (!made) return make_unexpected(supervisor::role_failure{"gateway", made.error()});
    const std::lock_guard lock(mutex);
    options.listen_port = made->port;
    newest = made->role;
    ++starts;
    all.push_back(supervisor::supervise("gateway", made->role));
    return {};
  };
  const auto head = served.system().spawn(supervisor::supervisor, ports,
                                          supervisor::supervisor_options{.first_pause_ms = 10});
  const auto started = [&](int times) {
    return wait_for([&] {
      const std::lock_guard lock(mutex);
      return starts == times;
    });
  };
  REQUIRE(started(1));
  event_reader stream(options.listen_port, "");
  CHECK(stream.head().starts_with("HTTP/1.1 200"));
  {
    const std::lock_guard lock(mutex);
    caf::anon_send_exit(newest, caf::exit_reason::kill);
  }
  CHECK(stream.connection().is_closed_within(2'000));
  REQUIRE(started(2));
  CHECK(event_reader(options.listen_port, "").head().starts_with("HTTP/1.1 200"));
  caf::anon_send_exit(head, caf::exit_reason::user_shutdown);
  CHECK(wait_for([&] { return raw_client(served.port()).send(""); }));
  const std::lock_guard lock(mutex);
  newest = nullptr;
}

TEST_CASE("a gateway speaks TLS with its pin, and a port that is taken is named") {
  const scratch_directory folder;
  const crypto::certificate_files files{folder.path() / "a.pem", folder.path() / "a.key"};
  REQUIRE(public_tls::make_self_signed(files, {"localhost"}));
  const auto identity = *public_tls::server_identity::load(files);
  served_ledger served([&](auto& options) { options.identity = identity; });
  served.grow();
  http::client_options how;
  how.server = {true, "127.0.0.1", served.port(), identity->pin()};
  http::client client(how);
  const auto got = client.send({http::method::get, "/v1/network", {}, nullptr});
  REQUIRE(got.has_value());
  CHECK(got->status == 200);
  auto options = served.options();
  options.listen_port = served.port();
  const auto second = gateway::spawn_gateway(served.system(), served.ports(), options);
  REQUIRE(!second.has_value());
  CHECK(!second.error().empty());
}
