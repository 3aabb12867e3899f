// Four operators, each with a blob store of its own: what is published through one home is judged
// and used by all.
#include <doctest/doctest.h>

#include <chrono>
#include <regex>
#include <thread>

#include "messages/crypto/key_file.hpp"
#include "storage/blobs/blob_store.hpp"
#include "storage/tables/ledger_store.hpp"
#include "tests/functional/validator_network.hpp"

using namespace soma;
using namespace soma::support;

namespace {

constexpr std::size_t homes = 4;
constexpr std::size_t never_started = 4;  // its port serves the blob store of the first home

validator_network_options four_homes() {
  validator_network_options wanted;
  wanted.binary = SOMA_BINARY;
  wanted.validators = homes;
  wanted.followers = 1;
  wanted.accounts = 1;
  wanted.epoch_seconds = 6;
  return wanted;
}

std::optional<model_version_row> version_at(const validator_network& net, std::size_t node,
                                            const model_id& model) {
  const tables::ledger_store ledger(net.home(node) / "ledger", {std::size_t{64} << 30U, true});
  return ledger.view().model_version({model, 1});
}

bool is_active_at(const validator_network& net, std::size_t node, const model_id& model) {
  const auto row = version_at(net, node, model);
  return row && row->status == version_status::active;
}

bool has_blob(const validator_network& net, std::size_t node, const blob_id& blob) {
  return std::filesystem::exists(net.home(node) / "blobs" / "whole" / to_hex(blob.value));
}

}  // namespace

// By security §9.3 and §9.4.
TEST_CASE("a model that is published through one home of four becomes active on all of them") {
  validator_network net(four_homes());
  const auto config = net.config(0);
  const auto at = net.mesh(never_started);
  write_text(config, std::regex_replace(read_text(config), std::regex("\\[roles.blob_store\\]"),
                                        "[roles.blob_store]\nlisten = \"" + at.host + ":" +
                                            std::to_string(at.port) + "\""));
  for (std::size_t i = 0; i < homes; ++i) net.start(i);
  REQUIRE(net.reaches(0, 3));

  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.begin(), SOMA_BINARY);
    const auto ended = run_program(net.folder().path(), words);
    REQUIRE_MESSAGE(ended.exit_code == 0, ended.err);
    return ended.out;
  };
  const auto weights = (net.folder() / "w.safetensors").string();
  const auto key = net.folder() / "owner.pem";
  REQUIRE(crypto::save_key(key, net.accounts()[0], std::nullopt));
  run({"model", "init", "-o", weights, "--arch", "2,16,2,32,32", "--seed", "5"});
  const auto data = (net.folder() / "data.txt").string();
  write_text(data, std::string(5'000, 'x') + "the data that it knows");
  const auto published =
      parse_json(run({"model", "publish", weights, "--data", data, "--stake", "3", "--from",
                      key.string(), "--config", config.string(), "--json"}));
  REQUIRE(published);
  const auto model = model_id::parse((*published)["model"].text);
  REQUIRE(model);
  for (std::size_t i = 0; i < homes; ++i) {
    CAPTURE(i);
    CHECK_MESSAGE(comes([&] { return is_active_at(net, i, *model); }, 30), net.said_ever(i));
  }
  const auto row = version_at(net, 0, *model);
  REQUIRE(row);
  for (const auto& vote : row->votes) CHECK(vote.verdict == model_verdict::good);
  for (std::size_t i = 0; i < homes; ++i) CHECK(has_blob(net, i, row->manifest.root));

  // What one home loses, the others give back.
  net.kill(3);
  std::filesystem::remove_all(net.home(3) / "blobs");
  net.start(3);
  CHECK(comes([&] { return has_blob(net, 3, row->manifest.root); }, 30));
  for (std::size_t i = 0; i < homes; ++i) CHECK(net.stop(i));
  CHECK(net.fork().empty());
}
