#include "actors/gateway/call.hpp"

#include <doctest/doctest.h>

#include "tests/support/json_reader.hpp"

using namespace soma;
using namespace soma::gateway;

namespace {

/// A call whose answer the test reads.
struct heard_call {
  explicit heard_call(endpoint_id id = endpoint_id::row, http::name_values query = {},
                      std::string accept = "") {
    for (const auto& one : endpoints()) {
      if (one.id == id) is.what = &one;
    }
    is.asked.query = std::move(query);
    if (!accept.empty()) is.asked.headers.emplace_back("accept", std::move(accept));
    is.to = http::responder(behind);
  }
  /// The answer so far; nullopt if there is none.
  std::optional<http::response> answer() {
    auto got = behind->take_answer();
    return got ? std::optional(std::move(got->head)) : std::nullopt;
  }
  std::string code() {
    const auto got = answer();
    if (!got) return "";
    const auto view = got->body_view();
    const auto read = support::parse_json(std::string(view.begin(), view.end()));
    return std::to_string(got->status) + " " + (*read)["error"]["code"].text;
  }
  std::shared_ptr<http::exchange> behind = std::make_shared<http::exchange>(
      std::make_shared<http::memory_budget>(1U << 20U), 1U << 20U, [] {});
  call is;
};

format wanted_of(endpoint_id id, const char* accept) {
  return heard_call(id, {}, accept).is.wanted();
}

}  // namespace

TEST_CASE("Accept chooses among the forms that an endpoint has, and JSON is the usual one") {
  using enum endpoint_id;
  CHECK(wanted_of(row, "") == format::json);
  CHECK(wanted_of(row, "*/*") == format::json);
  CHECK(wanted_of(row, "application/x-capnp") == format::message);
  CHECK(wanted_of(row, "text/html, application/x-capnp;q=0.9") == format::message);
  CHECK(wanted_of(row, "application/octet-stream") == format::file);
  CHECK(wanted_of(account, "application/octet-stream") == format::json);
  CHECK(wanted_of(openapi, "application/x-capnp") == format::json);
  CHECK(wanted_of(events, "") == format::events);
  CHECK(wanted_of(events, "text/event-stream") == format::events);
  CHECK(wanted_of(events, "application/json") == format::json);
  CHECK(wanted_of(events, "application/x-capnp") == format::message);
}

TEST_CASE("numbers, limits, hex, ids and switches are read strictly, and refused by name") {
  const std::string id(64, 'a');
  heard_call good(endpoint_id::row, {{"limit", "7"}, {"proof", ""}, {"off", "false"}});
  CHECK(number_in(good.is, "height", "18446744073709551615") == ~std::uint64_t{0});
  CHECK(limit_of(good.is, 3, 7) == 7U);
  CHECK(hex_in(good.is, "key", "0x0102", 2) == bytes{1, 2});
  CHECK(hex_in(good.is, "key", "", 2) == bytes{});
  CHECK(id_in(good.is, "id", "0x" + id)->text() == "0x" + id);
  CHECK(switch_in(good.is, "proof") == true);
  CHECK(switch_in(good.is, "off") == false);
  CHECK(switch_in(good.is, "missing") == false);
  CHECK(limit_of(heard_call().is, 3, 7) == 3U);
  CHECK(!good.answer());

  for (const auto* text : {"", "-1", "+1", " 1", "1 ", "0x1", "1.0", "18446744073709551616"}) {
    CAPTURE(text);
    heard_call bad;
    CHECK(!number_in(bad.is, "height", text));
    CHECK(bad.code() == "400 bad_number");
  }
  for (const auto* text : {"0", "8", "x", ""}) {
    CAPTURE(text);
    heard_call bad(endpoint_id::row, {{"limit", text}});
    CHECK(!limit_of(bad.is, 3, 7));
    CHECK(bad.code() == "400 bad_number");
  }
  for (const auto* text : {"0x1", "zz", "0x010203"}) {
    CAPTURE(text);
    heard_call bad;
    CHECK(!hex_in(bad.is, "key", text, 2));
    CHECK(bad.code() == "400 bad_hex");
  }
  for (const auto& text : {std::string(), "0x" + id.substr(2), "0x" + id + "aa", "0x" + id + "a"}) {
    CAPTURE(text);
    heard_call bad;
    CHECK(!id_in(bad.is, "id", text));
    CHECK(bad.code() == "400 bad_id");
  }
  heard_call bad(endpoint_id::row, {{"proof", "yes"}});
  CHECK(!switch_in(bad.is, "proof"));
  CHECK(bad.code() == "400 bad_switch");
}

TEST_CASE("a refusal of the ledger says whether the question is wrong, or the thing not there") {
  using enum schema::LedgerRefusal;
  const std::pair<schema::LedgerRefusal, const char*> all[] = {
      {BAD_KEY, "400 bad_key"},           {TOO_MANY, "400 too_many"},
      {TOO_FEW, "400 too_few"},           {BAD_FILTER, "400 bad_filter"},
      {NO_BLOCK_YET, "503 no_block_yet"}, {NOT_FINAL_YET, "503 not_final_yet"},
      {NOT_KEPT, "404 not_kept"},         {NOT_THERE_YET, "404 not_there_yet"},
      {NOT_PROVABLE, "404 not_provable"}, {BAD_NAME, "400 bad_name"},
      {UNKNOWN, "404 unknown"},           {AMBIGUOUS, "409 ambiguous"}};
  for (const auto& [reason, shown] : all) {
    heard_call asked;
    const auto page = message<schema::EventPage>::build([&, why = reason](auto out) {
      out.initRefusal().setLedger(why);
      out.getRefusal().setWhy("why");
    });
    reply_refused(asked.is, page.root().getRefusal());
    CHECK(asked.code() == shown);
  }
}

TEST_CASE("facts are not cached, 503 says when to ask again, and only one answer counts") {
  heard_call good, silent, once;
  reply_json(good.is, json::value::of({{"a", 1}}));
  auto got = good.answer();
  REQUIRE(got.has_value());
  CHECK(http::find(got->headers, "Cache-Control") == "no-store");
  reply_silent(silent.is);
  got = silent.answer();
  REQUIRE(got.has_value());
  CHECK(got->status == 503);
  CHECK(http::find(got->headers, "Retry-After").has_value());
  reply_error(once.is, 400, "first", "the first answer counts");
  reply_silent(once.is);
  CHECK(once.code() == "400 first");
}
