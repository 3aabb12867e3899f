// What `soma model publish` does about a publication of which the chain knows more than the home.
#include <doctest/doctest.h>

#include "actors/wallet/wallet.hpp"
#include "deploy/soma/send/publication.hpp"
#include "messages/crypto/key_file.hpp"
#include "messages/crypto/merkle.hpp"
#include "model/weights/weights.hpp"
#include "tests/deploy/soma/binary.hpp"
#include "tests/deploy/soma/network/network_gateway.hpp"

using namespace soma;
using soma::support::soma_user;
using soma::support::write_text;
namespace fs = std::filesystem;

namespace {

bool says(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// A user who published a model, of which the only validator says that it has the wrong weights.
struct judged_network {
  test::proven_chain chain{test::now_ms() - 90'000};
  test::chain_gateway gateway{chain, {.others = test::network_answers(chain)}};
  soma_user user;
  weights::model_weights weights =
      weights::init_weights(chain.genesis().parameters.architecture, 3);
  cli::publication published;

  judged_network() {
    fs::create_directories(home() / "keys");
    REQUIRE(crypto::save_key(home() / "keys" / "rich.pem", test::key_of(1), std::nullopt));
    const auto file = weights.file_bytes();
    write_text(user.at("w.safetensors"), std::string(file.begin(), file.end()));
    write_text(user.at("data.txt"), std::string(5'000, 'x') + "the data that it knows");

    crypto::seeded_random random(1);
    published = cli::new_publication(random);
    published.chain = chain.chain();
    published.owner = test::address_of(1);
    published.weights = weights.hash();
    published.embedding.assign(weights.architecture().dim, 0.125F);
    published.stake = chain.genesis().parameters.min_model_stake;
    published.commission_bps = 500;
    auto encrypted = file;
    published.cipher(encrypted);
    const auto committed = signed_by(
        1, 0, published.commitment(weights.file_size_bytes(), crypto::blob_id_of(encrypted)));
    published.commit = committed.sent;
    published.commit_expiry = committed.content.expiry;
    published.commit_nonce = committed.content.nonce;
    published.published = true;
    const auto model = signing::model_id_of(signing::id_of(committed.sent));
    chain.grow(100, {committed.sent});
    chain.close_epoch();
    chain.grow(100, {signed_by(1, 1, published.reveal(model)).sent});
    chain.grow(100, {signed_by(test::honest_proposer::key_seed, 0,
                               tx::vote_on_model{{model, 1}, model_verdict::wrong_hash})
                         .sent});
    const auto row = chain.store.find_row(model_version_key({model, 1}));
    REQUIRE(row.has_value());
    REQUIRE(decode<model_version_row>(*row).value().status == version_status::bad);
  }

  [[nodiscard]] fs::path home() const { return user.folder() / ".soma"; }
  [[nodiscard]] wallet::own_transaction signed_by(std::uint64_t key, std::uint64_t nonce,
                                                  transaction_kind kind) const {
    return wallet::make_signed_transaction(test::key_of(key), chain.chain(), nonce, epoch_number{1},
                                           std::move(kind));
  }
  /// The file of the publication, which no other process may hold meanwhile.
  [[nodiscard]] cli::publication_file file() const {
    auto opened = cli::publication_file::open(home(), published.chain, published.owner,
                                              published.weights, std::nullopt);
    REQUIRE(opened);
    return std::move(*opened);
  }
  [[nodiscard]] support::finished_program publish() const {
    return user.run({"model", "publish", user.at("w.safetensors"), "--data", user.at("data.txt"),
                     "--from", "rich", "--join", gateway.address()});
  }
};

}  // namespace

TEST_CASE("what was judged bad is told and set aside, and the same command begins anew") {
  const judged_network network;
  fs::path path;
  {
    const auto file = network.file();
    path = file.path();
    REQUIRE(file.write(network.published));
  }
  const auto told = network.publish();
  CAPTURE(told.err);
  CHECK(told.exit_code == 1);
  CHECK(says(told.err, "was judged bad"));
  CHECK(says(told.err, "the same command publishes anew"));
  CHECK(fs::exists(path.string() + ".bad"));
  CHECK_FALSE(fs::exists(path));

  // It makes a new key and stores it. Then it ends, because a gateway takes no weights.
  const auto anew = network.publish();
  CAPTURE(anew.err);
  CHECK(anew.exit_code != 0);
  CHECK_FALSE(says(anew.err, "judged bad"));
  const auto kept = network.file().read();
  REQUIRE(kept);
  REQUIRE(kept->has_value());
  CHECK((*kept)->key != network.published.key);
  CHECK_FALSE((*kept)->commit.has_value());
  CHECK_FALSE((*kept)->published);
}
