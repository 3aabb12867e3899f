// What requests ask, read without an actor: each is whole, or refused by name.
#include <doctest/doctest.h>

#include "actors/gateway/call.hpp"
#include "messages/crypto/merkle.hpp"
#include "tests/support/json_reader.hpp"

using namespace soma;
using namespace soma::gateway;

namespace {

struct heard_call {
  explicit heard_call(byte_view body = {}, http::name_values query = {},
                      http::name_values headers = {}) {
    static const endpoint any{};
    is.what = &any;
    is.asked.body.assign(body.begin(), body.end());
    is.asked.query = std::move(query);
    is.asked.headers = std::move(headers);
    is.to = http::responder(behind);
  }
  explicit heard_call(const std::string& body) : heard_call(as_bytes(body)) {}
  std::string code() {
    const auto got = behind->take_answer();
    if (!got) return "";
    const auto view = got->head.body_view();
    const auto read = support::parse_json(std::string(view.begin(), view.end()));
    return std::to_string(got->head.status) + " " + (*read)["error"]["code"].text;
  }
  std::shared_ptr<http::exchange> behind = std::make_shared<http::exchange>(
      std::make_shared<http::memory_budget>(1U << 20U), 1U << 20U, [] {});
  call is;
};

const std::string id = "0x" + std::string(64, 'a');
const http::name_values in_capnp{{"content-type", "application/x-capnp"}};

message<schema::SubmitTransaction> offer(std::size_t body, std::size_t signature) {
  const bytes data(body, 1), proof(signature, 2);
  return message<schema::SubmitTransaction>::build([&](auto out) {
    out.setBody(data_of(byte_view(data)));
    out.setSignature(data_of(byte_view(proof)));
  });
}

}  // namespace

TEST_CASE("a transaction is read from a message or from JSON, and is the same") {
  heard_call by_message(offer(3, 64).bytes(), {}, in_capnp);
  const auto read = offer_in(by_message.is);
  REQUIRE(read.has_value());
  heard_call by_json(R"({"signature": ")" + to_hex(bytes(64, 2)) + R"(", "body": "0x010101"})");
  CHECK(offer_in(by_json.is) == read);
  CHECK(by_message.code() == "");
  for (const auto& text :
       {std::string(), std::string("{}"), std::string("[]"),
        std::string(R"({"body": 1, "signature": 2})"), std::string(R"({"body": [[[[[]]]]]})")}) {
    CAPTURE(text);
    heard_call wrong(text);
    CHECK(!offer_in(wrong.is));
    CHECK(wrong.code() == "400 bad_json");
  }
  heard_call odd(R"({"body": "xy", "signature": "00"})");
  CHECK(!offer_in(odd.is));
  CHECK(odd.code() == "400 bad_hex");
  heard_call cut(byte_view(offer(3, 64).bytes()).first(16), {}, in_capnp);
  CHECK(!offer_in(cut.is));
  CHECK(cut.code() == "400 bad_message");
  for (const auto& wrong : {offer(3, 63), offer(3, 65), offer(256 * 1024 + 1, 64)}) {
    heard_call refused(wrong.bytes(), {}, in_capnp);
    CHECK(!offer_in(refused.is));
    CHECK(refused.code() == "400 bad_transaction");
  }
}

TEST_CASE("the address of a gift, and keys of rows") {
  heard_call good("{\"address\": \"" + id + "\"}");
  CHECK(address_in(good.is)->text() == id);
  for (const auto* text : {"", "{}", "{\"address\": 1}", "{\"address\": \"0x12\"}"}) {
    heard_call wrong{std::string(text)};
    CHECK(!address_in(wrong.is));
    CHECK(wrong.code() == "400 bad_address");
  }
  heard_call keys(message<schema::GetProvenRows>{}.bytes());
  CHECK(keys_in(keys.is).has_value());
  heard_call none(std::string("no message"));
  CHECK(!keys_in(none.is));
  CHECK(none.code() == "400 bad_message");
}

TEST_CASE("an announcement has the hashes of its size, and the size of its reservation") {
  const std::vector<hash256> hashes{hash256{}, hash256{{1}}};
  const auto announced = [&](std::uint64_t size) {
    return message<schema::BeginPut>::build([&](auto out) {
      out.setSizeBytes(size);
      auto list = out.initChunkHashes(2);
      for (unsigned i = 0; i < 2; ++i) list.set(i, data_of(hashes[i]));
    });
  };
  reservation by;
  by.size_bytes = 1'500'000;
  heard_call good(announced(1'500'000).bytes());
  const auto read = announcement_in(good.is, by);
  REQUIRE(read.has_value());
  CHECK(is_of(*read, crypto::blob_root(1'500'000, hashes)));
  CHECK(!is_of(*read, crypto::blob_root(1'500'001, hashes)));
  for (const auto& [size, code] : {std::pair{std::uint64_t{0}, "422 wrong_hashes"},
                                   {UINT64_MAX, "422 wrong_hashes"},
                                   {std::uint64_t{1'000'000}, "422 wrong_hashes"},
                                   {std::uint64_t{1'500'001}, "409"}}) {
    CAPTURE(size);
    heard_call wrong(announced(size).bytes());
    CHECK(!announcement_in(wrong.is, by));
    const auto told = wrong.code();
    if (code != std::string("409")) CHECK(told == code);
    CHECK(told != "");
  }
}

TEST_CASE("filters and places of events, and how many of them explain something") {
  heard_call all({}, {{"kind", "transferred,model_paid"}, {"model", id}, {"events", "20000"}},
                 {{"last-event-id", "7:4294967295"}});
  const auto filter = filter_in(all.is);
  REQUIRE(filter.has_value());
  CHECK(filter->kinds.size() == 2);
  CHECK(filter->model.size() == 32);
  CHECK(filter->target.empty());
  CHECK(first_place_in(all.is) == std::optional(event_place{8, 0}));
  CHECK(explained_events_in(all.is) == 20'000U);
  heard_call none;
  CHECK(filter_in(none.is) == stream_filter{});
  CHECK(first_place_in(none.is).value() == std::nullopt);
  CHECK(explained_events_in(none.is) == 0U);
  CHECK(none.code() == "");
  std::string many = "transferred";
  for (int i = 0; i < 64; ++i) many += ",transferred";
  for (const auto& kinds : {many, std::string("transferred,,model_paid"), std::string("Moved")}) {
    heard_call wrong({}, {{"kind", kinds}});
    CHECK(!filter_in(wrong.is));
    CHECK(wrong.code() == "400 bad_filter");
  }
  heard_call odd_id({}, {{"target", "0x1"}}), odd_place({}, {{"from", "7"}}),
      odd_count({}, {{"events", "20001"}});
  CHECK(!filter_in(odd_id.is));
  CHECK(odd_id.code() == "400 bad_id");
  CHECK(!first_place_in(odd_place.is));
  CHECK(odd_place.code() == "400 bad_place");
  CHECK(!explained_events_in(odd_count.is));
  CHECK(odd_count.code() == "400 bad_number");
}
