#include "actors/submitter/submitter.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <fstream>

#include "actors/blob_store/blob_store_role.hpp"
#include "actors/localnet/world.hpp"
#include "messages/crypto/merkle.hpp"
#include "messages/signing/signing.hpp"
#include "tests/actors/validator/one_validator.hpp"

namespace soma::test {
namespace {

constexpr std::uint32_t piece_bytes = 4'096;
const target_id target{{7}};
const model_version_ref model{model_id{{8}}, 1};
const data_hash scored_data{{9}};

/// What the chain says to the submitter, and what it heard of it.
struct chain_desk {
  std::vector<transaction_kind> heard;
  std::optional<submission_row> claim;  // in a block
  bool is_used = false;                 // the data
};

validator::validator_actor::behavior_type scripted_chain(validator::validator_actor::pointer,
                                                         const std::shared_ptr<chain_desk>& desk) {
  return {
      [desk](const message<schema::SubmitTransaction>& offered) {
        const auto sent = decode<transaction>(view_of(offered.root().getBody()));
        REQUIRE(sent);
        desk->heard.push_back(sent->kind);
        return message<schema::SubmitReceipt>{};
      },
      [](const message<schema::GetChain>&) { return message<schema::ChainStatus>{}; },
      [desk](const message<schema::GetRow>& wanted) {
        const auto key = bytes_of(wanted.root().getKey());
        std::optional<bytes> value;
        if (key == account_key(address_of(1))) value = encode(account_row{{1}, 0});
        if (key == used_data_key(scored_data) && desk->is_used) {
          value = encode(used_data_row{target});
        }
        if (key == submission_key(target) && desk->claim) value = encode(*desk->claim);
        return message<schema::Row>::build([&](auto out) {
          out.setFound(value.has_value());
          if (value) out.setValue(data_of(*value));
        });
      },
      [](const message<schema::GetOpenTargets>&) {
        return message<schema::OpenTargets>::build([](auto out) {
          auto open = out.initTargets(1)[0];
          open.setId(data_of(target));
          open.setRadiusQ30(1'000);
          open.initPoint(1).set(0, 1.0F);
          fill(open.initAssigned(1)[0], model);
        });
      },
      [](const message<schema::GetHolders>&) { return message<schema::Holders>{}; },
      [](const message<schema::GetProvenRows>&) { return message<schema::ProvenRows>{}; },
      [](const message<schema::GetEpochProofs>&) { return message<schema::EpochProofs>{}; },
      [](const message<schema::GetBlocks>&) { return message<schema::FinalBlocks>{}; },
      [](const message<schema::GetFinality>&) { return message<schema::FinalityAnswer>{}; },
      [](const message<schema::GetEvents>&) { return message<schema::EventPage>{}; },
      [](const message<schema::GetExplanation>&) { return message<schema::Explanation>{}; },
      [](const message<schema::GetRows>&) { return message<schema::Rows>{}; },
      [](const message<schema::GetTransaction>&) { return message<schema::TransactionStatus>{}; },
      [](const message<schema::GetGenesis>&) { return message<schema::GenesisBytes>{}; },
      [](const message<schema::FromPeer>&) { return message<schema::Ack>{}; }};
}

model_registry::model_registry_actor::behavior_type scripted_registry(
    model_registry::model_registry_actor::pointer) {
  return {[](const message<schema::RegistryDelta>&) {},
          [](const message<schema::GetModels>&) {
            return message<schema::Models>::build(
                [](auto out) { fill(out.initEntries(1)[0].initRef(), model); });
          }};
}

scorer::scorer_actor::behavior_type scripted_scorer(scorer::scorer_actor::pointer) {
  return {[](const message<schema::ScoreRequest>&) {
            return message<schema::ScoreReport>::build([](auto out) {
              auto result = out.initResults(1)[0];
              fill(result.initRef(), model);
              result.setValid(true);
              result.setLoss(1.5F);
              out.setDistanceQ30(900);
              out.setData(data_of(scored_data));
            });
          },
          [](const message<schema::CheckModel>&) { return message<schema::ModelCheck>{}; },
          [](const message<schema::PredictRequest>&) { return message<schema::PredictReport>{}; },
          [](const message<schema::JoinPool>&) { return message<schema::Ack>{}; },
          [](const message<schema::GetPoolStatus>&) { return message<schema::PoolStatus>{}; }};
}

/// The submitter of key 1 with a file of one piece, and a blob store of its own.
struct one_submitter {
  one_submitter() : piece(piece_bytes, 5), w(1, 1'000'000), desk(std::make_shared<chain_desk>()) {
    std::ofstream(folder.path() / "data", std::ios::binary)
        .write(reinterpret_cast<const char*>(piece.data()), piece_bytes);
    disk = std::make_shared<blobs::blob_store>(folder.path() / "blobs");
    auto& system = w.system();
    submitter::submitter_ports ports;
    ports.clock = w.clock();
    ports.validator = system.spawn(scripted_chain, desk);
    ports.registry = system.spawn(scripted_registry);
    ports.scorer = system.spawn(scripted_scorer);
    ports.blobs = system.spawn(blob_store::blob_store_role, blob_store::blob_store_ports{disk});
    const auto chain = signing::chain_id_of(small_genesis());
    submitter::submitter_means means{
        wallet::wallet(key_of(1), chain, 0),
        submitter::data_source({{folder.path() / "data", 0, piece_bytes}}, piece_bytes, 1), 1};
    submitter =
        system.spawn(submitter::submitter, ports, submitter::submitter_options{}, std::move(means));
  }
  void pass(std::uint64_t ms) {
    w.run_until([] { return false; }, [] { return false; }, w.now_ms() + ms);
  }
  template <class Kind>
  [[nodiscard]] std::vector<Kind> heard() const {
    std::vector<Kind> all;
    for (const auto& kind : desk->heard) {
      if (const auto* one = std::get_if<Kind>(&kind)) all.push_back(*one);
    }
    return all;
  }
  [[nodiscard]] bool has_handed_out() const { return disk->have(crypto::blob_id_of(piece)); }
  /// The claim of this submitter, or of another, is in a block.
  void take_claim(const address& of) {
    const auto sent = heard<tx::claim_target>();
    REQUIRE(sent.size() == 1);
    submission_row row;
    row.submitter = of;
    row.winner = sent[0].winner;
    row.size_bytes = sent[0].size_bytes;
    row.commitment = sent[0].commitment;
    desk->claim = row;
  }

  soma::support::scratch_folder folder;
  bytes piece;
  localnet::world w;
  std::shared_ptr<chain_desk> desk;
  std::shared_ptr<blobs::blob_store> disk;
  submitter::submitter_actor submitter;
};

}  // namespace

// Protocol §8.1 and §8.2: whoever sees the data before the claim is in a block could claim with it.
TEST_CASE("data is handed out when its claim is in a block, and not before; then it is revealed") {
  one_submitter s;
  s.pass(60'000);
  REQUIRE(s.heard<tx::claim_target>().size() == 1);
  CHECK_FALSE(s.has_handed_out());
  CHECK(s.heard<tx::reveal_data>().empty());
  s.take_claim(address_of(1));
  s.pass(10'000);
  CHECK(s.has_handed_out());
  const auto revealed = s.heard<tx::reveal_data>();
  REQUIRE(revealed.size() == 1);
  const auto claim = s.heard<tx::claim_target>()[0];
  CHECK(claim.size_bytes == piece_bytes);
  CHECK(claim.loss_bits == std::bit_cast<std::uint32_t>(1.5F));
  CHECK(revealed[0].blob == crypto::blob_id_of(s.piece));
  CHECK(claim.commitment == signing::data_commitment(revealed[0].data, revealed[0].blob,
                                                     piece_bytes, revealed[0].salt, address_of(1)));
}

TEST_CASE("data of a claim that another won is never handed out") {
  one_submitter s;
  s.pass(60'000);
  s.take_claim(address_of(2));
  s.pass(60'000);
  CHECK_FALSE(s.has_handed_out());
  CHECK(s.heard<tx::reveal_data>().empty());
}

TEST_CASE("data that has won before is not claimed with") {
  one_submitter s;
  s.desk->is_used = true;
  s.pass(60'000);
  CHECK(s.desk->heard.empty());
  CHECK_FALSE(s.has_handed_out());
}

}  // namespace soma::test
