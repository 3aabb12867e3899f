// A model is revealed only when a quorum of the committee says that it has the weights. Two of four
// validators have no room for them at first. The model is published through a follower.
#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <regex>
#include <thread>

#include "messages/crypto/key_file.hpp"
#include "storage/tables/ledger_store.hpp"
#include "tests/functional/validator_network.hpp"

using namespace soma;
using namespace soma::support;

namespace {

constexpr std::size_t homes = 4;
constexpr std::size_t follower = 4;
constexpr std::size_t never_started = 5;  // its port serves the blob store of the follower

struct published_models {
  validator_network net;

  published_models() : net(options()) {
    for (const std::size_t full : {2, 3}) limit_store(full, "1KiB");
    const auto at = net.mesh(never_started);
    set_store(follower, "listen = \"" + at.host + ":" + std::to_string(at.port) + "\"");
    for (std::size_t i = 0; i <= follower; ++i) net.start(i);
    REQUIRE(net.reaches(follower, 3));
    write_text(net.folder() / "data.txt", std::string(5'000, 'x') + "the data that they know");
    for (int i = 0; i < 2; ++i) {
      REQUIRE(crypto::save_key(net.folder() / ("owner" + std::to_string(i) + ".pem"),
                               net.accounts()[static_cast<std::size_t>(i)], std::nullopt));
      const auto made = run_program(net.folder().path(),
                                    {SOMA_BINARY, "model", "init", "-o", weights(i), "--arch",
                                     "2,16,2,32,32", "--seed", std::to_string(5 + i)});
      REQUIRE_MESSAGE(made.exit_code == 0, made.err);
    }
  }
  static validator_network_options options() {
    validator_network_options wanted;
    wanted.binary = SOMA_BINARY;
    wanted.validators = homes;
    wanted.followers = 2;
    wanted.accounts = 2;
    wanted.epoch_seconds = 14;
    return wanted;
  }

  void set_store(std::size_t node, const std::string& line) const {
    write_text(net.config(node),
               std::regex_replace(read_text(net.config(node)),
                                  std::regex("\\[roles.blob_store\\](\nquota.*)?"),
                                  "[roles.blob_store]\n" + line));
  }
  void limit_store(std::size_t node, const std::string& quota) const {
    set_store(node, "quota = \"" + quota + "\"");
  }
  [[nodiscard]] std::string weights(int number) const {
    return (net.folder() / ("w" + std::to_string(number) + ".safetensors")).string();
  }
  [[nodiscard]] std::vector<std::string> publish(int number,
                                                 const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words{
        SOMA_BINARY, "model",
        "publish",   weights(number),
        "--data",    (net.folder() / "data.txt").string(),
        "--stake",   "3",
        "--from",    (net.folder() / ("owner" + std::to_string(number) + ".pem")).string(),
        "--config",  net.config(follower).string()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  /// The version of the model that a run has committed.
  [[nodiscard]] std::optional<model_version_row> version(const running_program& run) const {
    const auto said = run.err();
    std::smatch found;
    if (!std::regex_search(said, found, std::regex("committed: model (0x[0-9a-f]{64})"))) {
      return std::nullopt;
    }
    return ledger().view().model_version({*model_id::parse(found[1].str()), 1});
  }
  [[nodiscard]] bool is(const running_program& run, version_status status) const {
    const auto row = version(run);
    return row && row->status == status;
  }
  /// The epoch after the commitment is this many milliseconds old.
  [[nodiscard]] bool may_reveal_since(const running_program& run, std::uint64_t ms) const {
    const auto row = version(run);
    const auto chain = ledger().chain();
    return row && chain->epoch == row->committed_in.next() &&
           chain->time_ms >= chain->epoch_start_ms + ms;
  }
  [[nodiscard]] tables::ledger_store ledger() const {
    return tables::ledger_store(net.home(0) / "ledger", {std::size_t{64} << 30U, true});
  }
};

bool says(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

}  // namespace

// By security §9.6.
TEST_CASE("a model whose weights have no quorum is not revealed until they have one") {
  published_models models;
  auto& net = models.net;
  running_program first(net.folder().path(), models.publish(0));
  REQUIRE_MESSAGE(comes([&] { return models.may_reveal_since(first, 2'000); }, 40), first.err());
  CHECK(models.is(first, version_status::committed));
  CHECK_MESSAGE(says(first.err(), "2 of 4 validators have the weights"), first.err());

  // Room for one model and not for two.
  const auto size = models.version(first)->manifest.size_bytes;
  REQUIRE(net.stop(2));
  models.limit_store(2, std::to_string(size + size / 2));
  net.start(2);
  REQUIRE_MESSAGE(comes([&] { return models.is(first, version_status::revealed); }, 12),
                  first.err());

  running_program second(net.folder().path(), models.publish(1));
  const auto accepted = first.wait();
  CHECK_MESSAGE(accepted.exit_code == 0, accepted.err);
  CHECK_MESSAGE(says(accepted.err, "3 of 4 validators have the weights"), accepted.err);
  CHECK(models.is(first, version_status::active));

  // The second model stays with two. Nothing is revealed without a word of its owner.
  const auto refused = second.wait();
  CHECK(refused.exit_code == 1);
  CHECK_MESSAGE(says(refused.err, "only 2 of 4 validators have the weights"), refused.err);
  CHECK(models.is(second, version_status::committed));
  const auto revealed = run_program(net.folder().path(),
                                    models.publish(1, {"--reveal-without-copies", "--wait=false"}));
  CHECK_MESSAGE(revealed.exit_code == 0, revealed.err);
  CHECK_MESSAGE(says(revealed.err, "continuing the publication"), revealed.err);
  CHECK_MESSAGE(says(revealed.err, "only 2 of 4 validators have the weights"), revealed.err);
  CHECK(comes([&] { return models.is(second, version_status::revealed); }, 5));
  for (std::size_t i = 0; i <= follower; ++i) CHECK(net.stop(i));
  CHECK(net.fork().empty());
}
