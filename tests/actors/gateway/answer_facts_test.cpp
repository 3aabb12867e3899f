#include <doctest/doctest.h>

#include "actors/state_tree/state_proof.hpp"
#include "messages/codec/codec.hpp"
#include "messages/codec/codec_consensus.hpp"
#include "messages/codec/codec_proofs.hpp"
#include "messages/wire/refusals.hpp"
#include "tests/actors/gateway/served_ledger.hpp"

using namespace soma;
using namespace soma::test;
using gateway::endpoint_id;

namespace {

const std::string nowhere = "0x" + std::string(64, 'e');

std::string hex_of(byte_view data) {
  return "0x" + to_hex(data);
}

/// A path of each endpoint that has an answer on a chain with a closed epoch.
std::string target_of(endpoint_id id) {
  const auto account = address_of(1).text();
  switch (id) {
    case endpoint_id::network:
      return "/v1/network";
    case endpoint_id::genesis:
      return "/v1/genesis";
    case endpoint_id::blocks:
      return "/v1/blocks/1?limit=2";
    case endpoint_id::certificates:
      return "/v1/certificates/1";
    case endpoint_id::epochs:
      return "/v1/epochs/0";
    case endpoint_id::row:
      return "/v1/rows/" + hex_of(account_key(address_of(1))) + "?proof";
    case endpoint_id::rows:
      return "/v1/rows?prefix=0x02&limit=2&proof=true";
    case endpoint_id::many_rows:
      return "/v1/rows";
    case endpoint_id::listings:
      return "/v1/listings/targets-by-epoch";
    case endpoint_id::account:
      return "/v1/accounts/" + account;
    case endpoint_id::model:
      return "/v1/models/" + nowhere + "?proof";
    case endpoint_id::models:
      return "/v1/models";
    case endpoint_id::target:
      return "/v1/targets/" + nowhere + "?proof";
    case endpoint_id::targets:
      return "/v1/targets";
    case endpoint_id::validator:
      return "/v1/validators/" + address_of(9).text();
    case endpoint_id::validators:
      return "/v1/validators?limit=1";
    case endpoint_id::explanation:
      return "/v1/explain/" + account;
    case endpoint_id::send_transaction:
      return "/v1/transactions";
    case endpoint_id::transaction:
      return "/v1/transactions/" + nowhere;
    case endpoint_id::events:
      return "/v1/events?from=0:0";
    case endpoint_id::faucet:
      return "/v1/faucet";
    case endpoint_id::openapi:
      return "/openapi.json";
    case endpoint_id::blob:
    case endpoint_id::blob_chunk:
    case endpoint_id::blob_holders:
    case endpoint_id::begin_upload:
    case endpoint_id::upload_chunk:
      return "";  // in answer_blobs_test.cpp and answer_uploads_test.cpp
  }
  return "";
}

/// The status of an answer; this gateway has no faucet.
unsigned usual_status(endpoint_id id) {
  if (id == endpoint_id::send_transaction) return 202;
  return id == endpoint_id::faucet ? 404 : 200;
}

message<schema::GetProvenRows> question_for(const std::vector<row_key>& keys) {
  return message<schema::GetProvenRows>::build([&](auto out) {
    auto list = out.initKeys(static_cast<unsigned>(keys.size()));
    for (unsigned i = 0; i < keys.size(); ++i) list.set(i, data_of(byte_view(keys[i])));
  });
}

/// Asks an endpoint of the table, in one of its forms.
answered ask(served_ledger& served, const gateway::endpoint& one, const http::name_values& form) {
  const auto target = target_of(one.id);
  if (one.verb == http::method::get) return served.get(target, form);
  if (one.id == endpoint_id::many_rows) {
    return served.post(target, "application/x-capnp",
                       question_for({account_key(address_of(1))}).bytes(), form);
  }
  const auto sent = served.transfer(1);
  return served.post(target, "application/x-capnp",
                     message<schema::SubmitTransaction>::build([&](auto out) {
                       out.setBody(data_of(byte_view(sent.body)));
                       out.setSignature(data_of(byte_view(sent.by_sender)));
                     }).bytes(),
                     form);
}

/// Whether the bytes are the canonical ones of the endpoint's message.
bool is_message_of(const gateway::endpoint& one, byte_view data) {
  const auto is = [&]<class Schema>(std::type_identity<Schema>) {
    return message<Schema>::parse(data).has_value();
  };
  if (one.message == "Genesis") return decode<genesis>(data).has_value();
  if (one.message == "ChainStatus") return is(std::type_identity<schema::ChainStatus>{});
  if (one.message == "FinalBlocks") return is(std::type_identity<schema::FinalBlocks>{});
  if (one.message == "FinalityAnswer") return is(std::type_identity<schema::FinalityAnswer>{});
  if (one.message == "EpochProofs") return is(std::type_identity<schema::EpochProofs>{});
  if (one.message == "ProvenRows") return is(std::type_identity<schema::ProvenRows>{});
  if (one.message == "Explanation") return is(std::type_identity<schema::Explanation>{});
  if (one.message == "Rows") return is(std::type_identity<schema::Rows>{});
  if (one.message == "OpenTargets") return is(std::type_identity<schema::OpenTargets>{});
  if (one.message == "SubmitReceipt") return is(std::type_identity<schema::SubmitReceipt>{});
  if (one.message == "TransactionStatus") {
    return is(std::type_identity<schema::TransactionStatus>{});
  }
  return one.message == "EventPage" && is(std::type_identity<schema::EventPage>{});
}

}  // namespace

TEST_CASE("every endpoint of the table answers in JSON and as its message") {
  served_ledger served;
  served.grow(2);
  served.close_epoch();
  REQUIRE(wait_for([&] { return served.get("/v1/genesis").status == 200; }));
  for (const auto& one : gateway::endpoints()) {
    CAPTURE(one.path);
    CAPTURE(to_text(one.verb));
    if (target_of(one.id).empty()) continue;
    const auto shown = ask(served, one, as_json);
    CHECK(shown.status == usual_status(one.id));
    CHECK(shown.type == "application/json");
    CHECK(!shown.json().members.empty());
    CHECK(shown.header("soma-answers") == std::to_string(gateway::answers_version));
    CHECK(shown.header("access-control-allow-origin") == "*");
    if (one.message.empty()) continue;
    const auto exact = ask(served, one, as_message);
    CHECK(exact.status == 200);
    CHECK(exact.type == "application/x-capnp");
    CHECK(exact.header("soma-answers") == std::to_string(gateway::answers_version));
    CHECK(is_message_of(one, exact.bytes()));
    if (one.verb != http::method::get) continue;
    const auto head = served.get(target_of(one.id), as_message, http::method::head);
    CHECK(head.status == 200);
    CHECK(head.body.empty());
    if (one.id != endpoint_id::network) {
      CHECK(head.header("content-length") == std::to_string(exact.body.size()));
    }
  }
}

TEST_CASE("the facts are those of the chain") {
  served_ledger served;
  served.grow(3);
  served.grow(0);
  REQUIRE(wait_for([&] { return served.get("/v1/genesis").status == 200; }));
  auto& chain = served.shared().chain;
  const auto network = served.get("/v1/network").json();
  CHECK(network["chain"].text == chain.chain().text());
  CHECK(network["height"].text == "2");
  CHECK(network["state_root"].text == chain.tree.root().text());
  const auto read = decode<genesis>(served.get("/v1/genesis", as_message).bytes());
  REQUIRE(read.has_value());
  CHECK(signing::chain_id_of(*read) == chain.chain());
  const auto blocks = served.get("/v1/blocks/1?limit=2").json()["blocks"].elements;
  REQUIRE(blocks.size() == 2);
  CHECK(blocks[0]["id"].text == signing::id_of(chain.headers[0]).text());
  CHECK(blocks[0]["transactions"].text == "3");
  CHECK(blocks[1]["parent"].text == blocks[0]["id"].text);
  const auto account = served.get("/v1/accounts/" + address_of(2).text()).json();
  CHECK(account["table"].text == "account");
  CHECK(account["id"].text == address_of(2).text());
  CHECK(account["row"]["balance_shannons"].text == std::to_string(shannons_per_soma + 3));
  CHECK(!account.has("proof"));
  CHECK(!served.get("/v1/accounts/" + address_of(2).text() + "?proof=false").json().has("proof"));
  CHECK(served.get("/v1/accounts/" + address_of(2).text() + "?proof=1").json().has("proof"));

  // Pages: one after the other they give every account once.
  std::vector<std::string> ids;
  for (std::string after = "0x"; ids.size() < 10;) {
    const auto page = served.get("/v1/rows?prefix=0x02&limit=1&after=" + after).json();
    CHECK(!page["completeness_proven"].is_true());
    for (const auto& row : page["rows"].elements) {
      ids.push_back(row["id"].text);
      after = row["key"].text;
    }
    if (!page["more"].is_true()) break;
  }
  std::vector<std::string> all;
  chain.store.view().scan_from(table_prefix(ledger_table::account), [&](byte_view key, byte_view) {
    if (table_of(key) == ledger_table::account) all.push_back(hex_of(key.subspan(1)));
    return table_of(key) == ledger_table::account;
  });
  CHECK(all.size() >= 2);
  CHECK(ids == all);
  const auto validators = served.get("/v1/validators").json();
  REQUIRE(validators["rows"].elements.size() == 1);
  CHECK(validators["rows"].elements[0]["id"].text == address_of(9).text());
  CHECK(served.get("/v1/validators?after=" + address_of(9).text()).json()["rows"].elements.empty());
}

TEST_CASE("what is not there is 404 by name; with ?proof its absence is proven") {
  served_ledger served;
  served.grow();
  for (const std::string path :
       {"/v1/accounts/", "/v1/models/", "/v1/targets/", "/v1/validators/"}) {
    CAPTURE(path);
    const auto plain = served.get(path + nowhere);
    CHECK(plain.status == 404);
    CHECK(plain.code() == "not_there");
    const auto proven = served.get(path + nowhere + "?proof");
    CHECK(proven.status == 200);
    CHECK(proven.json()["present"].text == "false");
    CHECK(proven.json().has("proof"));
    const auto exact = served.get(path + nowhere, as_message);
    CHECK(exact.status == 200);
    CHECK(!exact.message_of<schema::ProvenRows>().root().getRows()[0].getPresent());
  }
  const auto row = served.get("/v1/rows/0x02" + nowhere.substr(2));
  CHECK(row.status == 200);
  CHECK(row.json()["present"].text == "false");
  for (const auto* path : {"/v1/blocks/99", "/v1/certificates/99", "/v1/epochs/99"}) {
    CAPTURE(path);
    CHECK(served.get(path).status == 404);
    CHECK(served.get(path).code() == "not_there_yet");
  }
  CHECK(served.get("/v1/listings/none").code() == "no_such_index");
}

TEST_CASE("the file of a row, there or not, proves it against the state root") {
  served_ledger served;
  served.grow();
  const http::name_values as_file{{"Accept", "application/octet-stream"}};
  for (const auto& key : {account_key(address_of(1)), account_key(address_of(77))}) {
    const auto file = served.get("/v1/rows/" + hex_of(key), as_file);
    CHECK(file.status == 200);
    CHECK(file.type == "application/octet-stream");
    const auto proven = decode<proven_row>(file.bytes());
    REQUIRE(proven.has_value());
    CHECK(proven->key == key);
    CHECK(proven->value.has_value() == (key == account_key(address_of(1))));
    CHECK(signing::id_of(proven->header) == signing::id_of(served.shared().chain.headers.back()));
    const auto value = proven->value ? std::optional<byte_view>(*proven->value) : std::nullopt;
    CHECK(state_tree::verify(proven->proof, proven->key, value, proven->header.state_root));
  }
}

TEST_CASE("parameters that mean nothing are 400 by name, whatever the form") {
  served_ledger served;
  served.grow();
  const std::string long_key(2 * 97, 'a');
  const std::pair<std::string, std::string> wrong[] = {
      {"/v1/blocks/x", "bad_number"},
      {"/v1/blocks/-1", "bad_number"},
      {"/v1/blocks/1?limit=0", "bad_number"},
      {"/v1/blocks/1?limit=257", "bad_number"},
      {"/v1/certificates/1e3", "bad_number"},
      {"/v1/epochs/%20", "bad_number"},
      {"/v1/epochs/0?limit=999", "bad_number"},
      {"/v1/rows/zz", "bad_hex"},
      {"/v1/rows/" + long_key, "bad_key"},
      {"/v1/rows/0x" + std::string(2 * 257, 'a'), "bad_hex"},
      {"/v1/rows/" + nowhere + "?proof=maybe", "bad_switch"},
      {"/v1/rows?prefix=0x0", "bad_hex"},
      {"/v1/rows?prefix=0x02&after=g", "bad_hex"},
      {"/v1/rows?prefix=0x02&limit=257", "bad_number"},
      {"/v1/rows?prefix=0x02&proof=2", "bad_switch"},
      {"/v1/rows", "bad_key"},
      {"/v1/accounts/0x12", "bad_id"},
      {"/v1/models/none", "bad_id"},
      {"/v1/models?after=x", "bad_id"},
      {"/v1/targets?limit=1025", "bad_number"},
      {"/v1/listings/target-counts?limit=1025", "bad_number"},
      {"/v1/listings/target-counts?prefix=x", "bad_hex"},
      {"/v1/listings/target-counts?after=x", "bad_hex"},
      {"/v1/transactions/0x", "bad_id"},
      {"/v1/transactions/" + nowhere + "?wait=soon", "bad_number"},
      {"/v1/events?kind=nothing", "bad_filter"},
      {"/v1/events?from=1", "bad_place"},
      {"/v1/events?model=x", "bad_id"},
  };
  for (const auto& [target, code] : wrong) {
    CAPTURE(target);
    const auto got = served.get(target);
    CHECK(got.status == 400);
    CHECK(got.code() == code);
    CHECK(got.header("soma-answers") == std::to_string(gateway::answers_version));
  }
}

TEST_CASE("rows are asked by their keys in a message, and a message that is none is 400") {
  served_ledger served;
  served.grow();
  const auto type = "application/x-capnp";
  const auto keys = std::vector<row_key>{account_key(address_of(2)), account_key(address_of(77))};
  const auto rows = served.post("/v1/rows", type, question_for(keys).bytes()).json()["rows"];
  REQUIRE(rows.elements.size() == 2);
  CHECK(rows.elements[0]["present"].is_true());
  CHECK(rows.elements[0]["key"].text == hex_of(keys[0]));
  CHECK(rows.elements[1]["present"].text == "false");
  CHECK(served.post("/v1/rows", type, as_bytes("nonsense")).code() == "bad_message");
  CHECK(served.post("/v1/rows", type, {}).code() == "bad_message");
  CHECK(served.post("/v1/rows", type, question_for({}).bytes()).status == 400);
  CHECK(served.post("/v1/rows", type, question_for(std::vector<row_key>(257, keys[0])).bytes())
            .code() == "too_many");
  CHECK(served.post("/v1/rows", type, bytes(50'000)).status == 413);
}
