#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "messages/codec/model_entry.hpp"
#include "tests/actors/gateway/served_ledger.hpp"

using namespace soma;
using namespace soma::test;
using std::chrono::steady_clock;

namespace {

constexpr auto message_type = "application/x-capnp";

message<schema::SubmitTransaction> offer_of(const signed_transaction& sent) {
  return message<schema::SubmitTransaction>::build([&](auto out) {
    out.setBody(data_of(byte_view(sent.body)));
    out.setSignature(data_of(byte_view(sent.by_sender)));
  });
}

std::string json_of(const signed_transaction& sent) {
  return R"({"body": "0x)" + to_hex(sent.body) + R"(", "signature": "0x)" + to_hex(sent.by_sender) +
         "\"}";
}

double seconds_of(const std::function<void()>& what) {
  const auto start = steady_clock::now();
  what();
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

/// Hosts that send transactions with wrong signatures, each as soon as it has an answer.
struct forgers {
  served_ledger& served;
  std::string request;
  std::atomic<bool> ends{false};
  std::atomic<std::uint64_t> checked{0}, refused{0}, odd{0};
  std::string refusal;  // of the last one that was not checked
  steady_clock::time_point began = steady_clock::now();
  std::thread thread;

  forgers(served_ledger& at, int hosts) : served(at) {
    auto forged = served.transfer(5);
    forged.by_sender[3] ^= 1;
    const auto body = json_of(forged);
    request = "POST /v1/transactions HTTP/1.1\r\nHost: h\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body;
    thread = std::thread([this, hosts] { flood(hosts); });
  }
  void flood(int hosts) {
    std::vector<std::unique_ptr<raw_client>> all;
    for (int i = 1; i <= hosts; ++i) {
      all.push_back(std::make_unique<raw_client>(
          served.port(), raw_client::setting{.from = "127.0.1." + std::to_string(i)}));
    }
    while (!ends) {
      for (auto& one : all) one->send(request);
      for (auto& one : all) {
        const auto status = one->status();
        ++(status == 422 ? checked : status == 429 ? refused : odd);
        if (status == 429) refusal = one->last_head() + one->last_body();
      }
    }
  }
  /// The most checks that a rate with a second's worth saved up allows until now.
  [[nodiscard]] double most(double per_second) const {
    return per_second * (1.1 + std::chrono::duration<double>(steady_clock::now() - began).count());
  }
  void stop() {
    ends = true;
    thread.join();
    CHECK(odd == 0);
  }
};

std::string path_of(const signed_transaction& sent) {
  return "/v1/transactions/" + signing::id_of(sent).text();
}

}  // namespace

TEST_CASE("a transaction is taken as a message and as JSON, and its id is the answer") {
  served_ledger served;
  const auto first = served.transfer(5), second = served.transfer(6);
  const auto shown = served.post("/v1/transactions", "application/json", as_bytes(json_of(first)));
  CHECK(shown.status == 202);
  CHECK(shown.json()["transaction"].text == signing::id_of(first).text());
  CHECK(shown.json()["state"].text == "waiting");
  const auto exact =
      served.post("/v1/transactions", message_type, offer_of(second).bytes(), as_message);
  CHECK(exact.status == 200);
  CHECK(id_or_zero<transaction_id>(
            exact.message_of<schema::SubmitReceipt>().root().getTransaction()) ==
        signing::id_of(second));
  CHECK(served.get(path_of(first)).json()["state"].text == "unknown");
  REQUIRE(served.shared().offered.size() == 2);
  served.grow_with_offered();
  const auto applied = served.get(path_of(first)).json();
  CHECK(applied["state"].text == "applied");
  CHECK(applied["height"].text == "1");
  CHECK(applied["fee_shannons"].number() > 0);
  CHECK(served.get(path_of(second), as_message)
            .message_of<schema::TransactionStatus>()
            .root()
            .getHeight() == 1);
}

TEST_CASE("a transaction that a block refused says why, by name") {
  served_ledger served;
  const auto too_much = served.transfer(1'000 * shannons_per_soma);
  served.post("/v1/transactions", message_type, offer_of(too_much).bytes());
  served.grow_with_offered();
  const auto got = served.get(path_of(too_much)).json();
  CHECK(got["state"].text == "refused");
  CHECK(got["refusal"].text == "balance_too_low");
  CHECK(!got["why"].text.empty());
}

TEST_CASE("a refused transaction is 422 by the refusal's name; what is none is 400") {
  served_ledger served;
  auto forged = served.transfer(5);
  forged.by_sender[3] ^= 1;
  const auto post = [&](const std::string& type, byte_view body) {
    return served.post("/v1/transactions", type, body);
  };
  CHECK(post(message_type, offer_of(forged).bytes()).status == 422);
  CHECK(post(message_type, offer_of(forged).bytes()).code() == "bad_signature");
  CHECK(post("application/json", as_bytes(json_of(forged))).code() == "bad_signature");

  const std::string sign = R"(, "signature": "0x)" + std::string(128, 'a') + "\"}";
  const std::pair<std::string, std::string> wrong[] = {
      {"", "bad_json"},
      {"{", "bad_json"},
      {"[]", "bad_json"},
      {"{}", "bad_json"},
      {R"({"body": "0x00"})", "bad_json"},
      {R"({"body": 5)" + sign, "bad_json"},
      {R"({"body": "0x00", "body": "0x00")" + sign, "bad_json"},
      {R"({"body": "0x00", "x": [[[[[[]]]]]])" + sign, "bad_json"},
      {"{\"body\": \"\xff\"" + sign, "bad_json"},
      {R"({"body": "0xg0")" + sign, "bad_hex"},
      {R"({"body": "0x00", "signature": "0x11"})", "bad_transaction"},
      {R"({"body": "0x00", "signature": "0x)" + std::string(130, 'a') + "\"}", "bad_hex"},
      {R"({"body": "0x)" + std::string(2 * (256 * 1024 + 1), '0') + '"' + sign, "bad_hex"},
  };
  for (const auto& [body, code] : wrong) {
    CAPTURE(body.substr(0, 60));
    const auto got = post("application/json", as_bytes(body));
    CHECK(got.status == 400);
    CHECK(got.code() == code);
  }
  CHECK(post(message_type, as_bytes("nonsense")).code() == "bad_message");
  CHECK(post(message_type, message<schema::SubmitTransaction>{}.bytes()).code() ==
        "bad_transaction");
  const auto huge = message<schema::SubmitTransaction>::build([](auto out) {
    const bytes body(256 * 1024 + 1), signature(64);
    out.setBody(data_of(byte_view(body)));
    out.setSignature(data_of(byte_view(signature)));
  });
  CHECK(post(message_type, huge.bytes()).status == 400);
  CHECK(post("application/json", bytes(600'001, ' ')).status == 413);
  CHECK(served.shared().offered.empty());
}

TEST_CASE("a request that waits is answered as soon as the block comes") {
  served_ledger served;
  const auto sent = served.transfer(5);
  served.post("/v1/transactions", message_type, offer_of(sent).bytes());
  answered got;
  std::thread grower([&] {
    wait_for([&] { return served.shared().questions_for_transactions >= 1; });
    served.grow(0);  // a block without it
    wait_for([&] { return served.shared().questions_for_transactions >= 2; });
    served.grow_with_offered();
  });
  const auto took_s = seconds_of([&] { got = served.get(path_of(sent) + "?wait=20000"); });
  grower.join();
  CHECK(got.json()["state"].text == "applied");
  CHECK(got.json()["height"].text == "2");
  CHECK(took_s < 5);
  // One question at first and one for each block: time alone causes none.
  CHECK(served.shared().questions_for_transactions <= 4);
}

TEST_CASE("a request that waits in vain is answered after its time, and the longest is bounded") {
  served_ledger served([](auto& options) { options.longest_wait_ms = 60; });
  served.grow();
  const auto never = path_of(served.transfer(5));
  for (const auto* wait : {"?wait=50", "?wait=18446744073709551615"}) {
    CAPTURE(wait);
    answered got;
    const auto took_s = seconds_of([&] { got = served.get(never + wait); });
    CHECK(got.status == 200);
    CHECK(got.json()["state"].text == "unknown");
    CHECK(took_s > 0.04);
    CHECK(took_s < 5);
  }
  CHECK(served.get(never + "?wait=50", as_message)
            .message_of<schema::TransactionStatus>()
            .root()
            .getHeight() == 0);
}

TEST_CASE("only so many requests wait; one more is answered at once") {
  served_ledger served([](auto& options) { options.waiting_requests = 2; });
  served.grow();
  const auto sent = served.transfer(5);
  const auto ask = "GET " + path_of(sent) + "?wait=30000 HTTP/1.1\r\nHost: h\r\n\r\n";
  std::vector<std::unique_ptr<raw_client>> waiting;
  for (int i = 0; i < 2; ++i) {
    waiting.push_back(std::make_unique<raw_client>(served.port()));
    waiting.back()->send(ask);
  }
  REQUIRE(wait_for([&] { return served.shared().questions_for_transactions >= 2; }));
  raw_client third(served.port());
  third.send(ask);
  CHECK(third.status() == 200);
  CHECK(third.last_body().find("unknown") != std::string::npos);
  served.post("/v1/transactions", message_type, offer_of(sent).bytes());
  served.grow_with_offered();
  for (auto& one : waiting) {
    CHECK(one->status() == 200);
    CHECK(one->last_body().find("applied") != std::string::npos);
  }
}

TEST_CASE("wrong signatures get their share of checks, of a host and of all, and others go on") {
  served_ledger served([](auto& options) {
    options.signature_checks = {.all_per_second = 100, .host_per_second = 20, .burst_seconds = 1};
  });
  served.grow();
  const auto account = "/v1/accounts/" + address_of(1).text();
  const auto reads_go_on = [&] {
    const auto until = steady_clock::now() + std::chrono::milliseconds(500);
    for (int reads = 0; reads < 20 || steady_clock::now() < until; ++reads) {
      CHECK(served.get(account).status == 200);
    }
  };
  {
    forgers one(served, 1);
    reads_go_on();
    // Another host has a share of its own.
    CHECK(served.post("/v1/transactions", message_type, offer_of(served.transfer(5)).bytes())
              .status == 202);
    one.stop();
    CHECK(static_cast<double>(one.checked) <= one.most(20));
    CHECK(one.checked >= 20);
    CHECK(one.refused > one.checked);
    CHECK(one.refusal.find("Retry-After: 1\r\n") != std::string::npos);
    CHECK(one.refusal.find("too_many_signatures") != std::string::npos);
    CHECK(served.shared().signatures_checked == one.checked + 1);
  }
  const auto before = served.shared().signatures_checked.load();
  forgers many(served, 40);
  reads_go_on();
  many.stop();
  CHECK(static_cast<double>(many.checked) <= many.most(100));
  CHECK(many.checked >= 50);
  CHECK(many.refused > many.checked);
  CHECK(served.shared().signatures_checked == before + many.checked);
}
