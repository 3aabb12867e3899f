// Rows of a stored ledger, proven to somebody who has nothing but the file.
#include <doctest/doctest.h>

#include <fstream>

#include "actors/state_tree/state_tree.hpp"
#include "messages/codec/codec_proofs.hpp"
#include "messages/signing/signing.hpp"
#include "storage/tables/ledger_store.hpp"
#include "tests/deploy/soma/binary.hpp"

namespace soma::support {
namespace {

address address_of(std::uint8_t number) {
  address id;
  id.value.fill(number);
  return id;
}

/// A ledger with one block: 60 accounts, a model and a target.
struct small_ledger {
  explicit small_ledger(const soma_user& user) : folder(user.at("ledger")) {
    soma::genesis genesis;
    genesis.name = "test";
    tables::ledger_store store(folder);
    chain_row chain;
    store.init(encode(genesis), std::vector<row_change>{{chain_key(), encode(chain)}});
    chain.height = {1};
    std::vector<row_change> rows{{chain_key(), encode(chain)}};
    for (std::uint8_t i = 1; i <= 60; ++i) {
      rows.push_back({account_key(address_of(i)), encode(account_row{{1'000u + i}, i})});
    }
    model.value.fill(0xa1);
    target.value.fill(0xb2);
    model_row published;
    published.owner = address_of(3);
    rows.push_back({model_key(model), encode(published)});
    rows.push_back({target_key(target), encode(target_row{})});
    block first;
    first.header.height = {1};
    first.header.state_root = state_tree::tree().apply(rows);
    header = first.header;
    store.commit_block(first, rows, {});
  }
  std::string folder;
  model_id model;
  target_id target;
  block_header header;
};

parsed_json json_of(const finished_program& done) {
  CAPTURE(done.err);
  REQUIRE(done.exit_code == 0);
  const auto document = parse_json(done.out);
  REQUIRE(document);
  return *document;
}

bytes read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void write_all(const std::string& path, const bytes& content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(content.data()),
             static_cast<std::streamsize>(content.size()));
}

TEST_CASE("what `soma prove` writes, `soma verify-proof` believes without the ledger") {
  const soma_user user;
  const small_ledger ledger(user);
  struct wanted {
    std::vector<std::string> words;
    std::string table;
    bool is_there;
  };
  const wanted all[] = {
      {{address_of(7).text()}, "account", true},
      {{ledger.model.text().substr(0, 10)}, "model", true},
      {{ledger.target.text().substr(2, 8)}, "target", true},
      {{"--row", "0x01"}, "chain", true},
      {{address_of(99).text(), "--table", "account"}, "account", false},
      {{address_of(7).text(), "--table", "validator"}, "validator", false},
  };
  for (const auto& want : all) {
    CAPTURE(want.table);
    auto words = want.words;
    words.insert(words.begin(), "prove");
    for (const auto* more : {"--json", "--force", "--ledger"}) words.emplace_back(more);
    words.push_back(ledger.folder);
    words.emplace_back("-o");
    words.push_back(user.at("row.proof"));
    const auto shown = json_of(user.run(words));
    CHECK(shown["table"].text == want.table);
    CHECK(shown["present"].is_true() == want.is_there);
    CHECK(shown["state_root"].text == ledger.header.state_root.text());
    CHECK(shown["block"].text == signing::id_of(ledger.header).text());
    CHECK(shown["height"].text == "1");
    CHECK(shown["ledger_rows"].text == "63");
    for (const auto& trust : {std::vector<std::string>{},
                              {"--root", ledger.header.state_root.text()},
                              {"--header-id", signing::id_of(ledger.header).text()}}) {
      std::vector<std::string> check{"verify-proof", user.at("row.proof"), "--json"};
      check.insert(check.end(), trust.begin(), trust.end());
      const auto held = json_of(user.run(check));
      CHECK(held["holds"].is_true());
      CHECK(held["compared_with_trusted"].is_true() == !trust.empty());
      CHECK(held["key"].text == shown["key"].text);
      CHECK(held["value"].text == shown["value"].text);
    }
  }
}

TEST_CASE("a person reads what is proven, and what it rests on") {
  const soma_user user;
  const small_ledger ledger(user);
  const auto proof = user.at("row.proof");
  const auto shown =
      user.run({"prove", address_of(7).text(), "--ledger", ledger.folder, "-o", proof});
  CHECK(shown.exit_code == 0);
  CHECK(shown.out.find("1007") != std::string::npos);
  CHECK(shown.out.find(ledger.header.state_root.text()) != std::string::npos);
  const auto held = user.run({"verify-proof", proof});
  CHECK(held.exit_code == 0);
  CHECK(held.out.find("The proof holds") != std::string::npos);
  CHECK(held.out.find("1007") != std::string::npos);
  CHECK(held.err.find("--header-id") != std::string::npos);
  // Nothing is overwritten unasked.
  CHECK(
      user.run({"prove", address_of(8).text(), "--ledger", ledger.folder, "-o", proof}).exit_code ==
      1);
}

TEST_CASE("a proof that was altered, or is of another root, is refused with one line") {
  const soma_user user;
  const small_ledger ledger(user);
  const auto proof = user.at("row.proof");
  REQUIRE(
      user.run({"prove", address_of(7).text(), "--ledger", ledger.folder, "-o", proof}).exit_code ==
      0);
  const auto refused = [&](std::vector<std::string> more) {
    std::vector<std::string> words{"verify-proof", proof};
    words.insert(words.end(), more.begin(), more.end());
    const auto done = user.run(words);
    CHECK(done.exit_code == 1);
    CHECK(done.out.empty());
    CHECK(is_one_line(done.err));
    return done.err;
  };
  CHECK(refused({"--root", address_of(1).text()}).find("does not hold") != std::string::npos);
  CHECK(refused({"--header-id", address_of(1).text()}).find("block") != std::string::npos);
  CHECK(user.run({"verify-proof", proof, "--root", "0x12"}).exit_code == 2);
  const auto right = read_all(proof);
  for (std::size_t i = 0; i < 24; ++i) {
    CAPTURE(i);
    auto wrong = right;
    wrong[i * (right.size() - 1) / 23] ^= 0x10;
    write_all(proof, wrong);
    const auto changed = decode<proven_row>(wrong);
    if (changed && changed->header.state_root == ledger.header.state_root &&
        !(changed->header == ledger.header)) {
      refused(
          {"--header-id", signing::id_of(ledger.header).text()});  // the root does not bind that
    } else {
      refused({});
    }
  }
  write_all(proof, bytes(right.begin(), right.end() - 8));
  CHECK(refused({}).find("is not a proof") != std::string::npos);
  auto lying = *decode<proven_row>(right);
  lying.value.reset();
  write_all(proof, encode(lying));
  CHECK(refused({}).find("has such a row") != std::string::npos);
}

TEST_CASE("what cannot be proven is refused with what to do") {
  const soma_user user;
  CHECK(user.run({"prove", address_of(7).text()}).exit_code == 1);  // no ledger at all
  const small_ledger ledger(user);
  const auto refusal = [&](std::vector<std::string> words, int code) {
    words.insert(words.begin(), "prove");
    words.emplace_back("--ledger");
    words.push_back(ledger.folder);
    const auto done = user.run(words);
    CHECK(done.exit_code == code);
    CHECK(is_one_line(done.err));
    return done.err;
  };
  CHECK(refusal({address_of(99).text()}, 1).find("--table") != std::string::npos);
  CHECK(refusal({"0x1234567"}, 2).find("8") != std::string::npos);
  refusal({}, 2);
  refusal({address_of(7).text(), "--row", "0x01"}, 2);
  refusal({"--row", "0x02ff"}, 2);
  refusal({address_of(7).text(), "--table", "chain"}, 2);
  refusal({address_of(7).text(), "--table", "nonsense"}, 2);
}

}  // namespace
}  // namespace soma::support
