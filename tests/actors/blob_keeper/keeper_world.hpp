// Homes whose blob keepers exchange blobs over a simulated network, in virtual time. The test
// writes the rows of their ledgers.
#pragma once

#include <doctest/doctest.h>

#include "actors/blob_keeper/blob_keeper.hpp"
#include "actors/localnet/peer_network.hpp"
#include "actors/validator/validator.hpp"
#include "messages/codec/codec_consensus.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/crypto/merkle.hpp"
#include "messages/crypto/random.hpp"
#include "tests/storage/tables/ledger_chain.hpp"

namespace soma::test {

/// Stands for the validator of a home: the network connects a home when its validator listens.
using idle_validator = validator::peer_listener_actor::extend<
    caf::replies_to<message<schema::Wait>>::with<message<schema::Ack>>>;
inline idle_validator::behavior_type idle(idle_validator::pointer self,
                                          const validator::peers_actor& peers) {
  self->send(peers, message<schema::HearPeers>{});
  return {[](const message<schema::FromPeer>&) { return message<schema::Ack>{}; },
          [](const message<schema::Wait>&) { return message<schema::Ack>{}; }};
}

inline bytes some_bytes(std::uint64_t seed, std::size_t size) {
  bytes data(size);
  crypto::seeded_random(seed).fill(data);
  return data;
}

class keeper_world {
 public:
  struct home {
    crypto::key_pair key;
    std::shared_ptr<tables::ledger_store> ledger;
    std::shared_ptr<blobs::blob_store> disk;
    blob_keeper::blob_keeper_actor keeper;
    std::vector<std::string> notes;
  };

  explicit keeper_world(std::size_t count, blob_keeper::blob_keeper_options options = {},
                        std::uint64_t epoch_ms = 86'400'000)
      : w(1, 1'000'000), options_(options) {
    genesis_.name = "keepers";
    genesis_.parameters.epoch_ms = epoch_ms;
    genesis_.start_ms = 1'000'000;
    genesis_.parameters.architecture = {2, 16, 2, 32, 32};
    std::vector<public_key> keys;
    for (std::size_t i = 0; i < count; ++i) {
      crypto::seeded_random random(100 + i);
      homes_.push_back({crypto::key_pair::generate(random), {}, {}, {}, {}});
      keys.push_back(homes_.back().key.public_half());
      genesis_.validators.push_back({keys.back(), {5'000 * shannons_per_soma}});
    }
    network = std::make_unique<localnet::peer_network>(w, 1, keys);
    for (std::size_t i = 0; i < count; ++i) start(i);
  }

  void start(std::size_t number) {
    auto& one = homes_[number];
    const auto name = std::to_string(number);
    one.ledger = std::make_shared<tables::ledger_store>(
        folder_.path() / ("ledger" + name), tables::ledger_options{1u << 26, false, false});
    REQUIRE(validator::open_ledger(*one.ledger, genesis_));
    blobs::blob_options storing;
    storing.now_ms = [this] { return w.now_ms(); };
    storing.quota_bytes = quota_bytes_;
    one.disk = std::make_shared<blobs::blob_store>(folder_.path() / ("blobs" + name), storing);
    w.system().spawn(idle, network->peers_of(number));
    blob_keeper::blob_keeper_ports ports;
    ports.clock = w.clock();
    ports.peers = network->peers_of(number);
    ports.disk = one.disk;
    ports.ledger = one.ledger;
    ports.key = one.key.public_half();
    ports.notify_operator = [&notes = one.notes](const std::string& line) {
      notes.push_back(line);
    };
    one.keeper = w.system().spawn(blob_keeper::blob_keeper, ports, options_);
    pass(200);
  }

  /// Of homes that start from now on.
  void set_quota(std::uint64_t bytes) { quota_bytes_ = bytes; }
  /// Ends the roles of a home. Its files stay.
  void stop(std::size_t number) {
    caf::anon_send_exit(at(number).keeper, caf::exit_reason::kill);
    network->disconnect(number);
    pass(100);
    at(number).disk.reset();
    at(number).ledger.reset();
  }

  [[nodiscard]] home& at(std::size_t number) { return homes_[number]; }
  [[nodiscard]] std::vector<public_key> members() const {
    std::vector<public_key> keys;
    for (const auto& one : homes_) keys.push_back(one.key.public_half());
    return keys;
  }
  [[nodiscard]] std::filesystem::path file_of(std::size_t number, const blob_id& blob) const {
    return folder_.path() / ("blobs" + std::to_string(number)) / "whole" / to_hex(blob.value);
  }

  /// A block that changes these rows, in every ledger.
  void commit(const std::vector<row_change>& changes, const std::vector<event>& events = {},
              bool closes_epoch = false) {
    for (auto& one : homes_) {
      auto made = make_block(one.ledger->view().height().value + 1, {});
      made.changes.insert(made.changes.end(), changes.begin(), changes.end());
      made.commit_to(*one.ledger);
      caf::anon_send(one.keeper, message<schema::BlockNotice>::build([&](auto out) {
                       out.setClosesEpoch(closes_epoch);
                       auto list = out.initEvents(static_cast<unsigned>(events.size()));
                       for (unsigned i = 0; i < events.size(); ++i) {
                         list.set(i, data_of(encode(events[i])));
                       }
                     }));
    }
  }
  bool reaches(const std::function<bool()>& done, std::uint64_t within_ms) {
    return w.run_until(
               done, [] { return false; }, w.now_ms() + within_ms) ==
           localnet::world::stop_reason::done;
  }
  void pass(std::uint64_t ms) {
    (void)reaches([] { return false; }, ms);
  }
  [[nodiscard]] message<schema::FetchBlobs> request(const blob_id& blob, std::uint64_t size_bytes,
                                                    std::uint32_t within_ms) const {
    return message<schema::FetchBlobs>::build([&](auto out) {
      auto one = out.initBlobs(1)[0];
      one.setBlob(data_of(blob));
      one.setSizeBytes(size_bytes);
      out.setWithinMs(within_ms);
    });
  }

 private:
  scratch_directory folder_;
  soma::genesis genesis_;

 public:
  localnet::world w;

 private:
  blob_keeper::blob_keeper_options options_;
  std::uint64_t quota_bytes_ = std::uint64_t{1} << 40U;
  std::vector<home> homes_;  // no handle of a role outlives the world

 public:
  std::unique_ptr<localnet::peer_network> network;
};

/// The rows of a model whose version has this status, and the event of its commitment.
struct model_rows {
  model_version_ref ref{model_id{{7}}, 1};
  std::vector<row_change> changes;
  event committed;
  model_rows(const blob_id& root, std::uint64_t size_bytes, version_status status,
             std::uint8_t number = 7) {
    ref.model = model_id{{number}};
    model_row model;
    model.owner = address{{3}};
    model.latest_version = 1;
    model_version_row version;
    version.status = status;
    version.manifest = {size_bytes, 1u << 20, root, {}};
    changes.push_back({model_key(ref.model), encode(model)});
    changes.push_back({model_version_key(ref), encode(version)});
    committed.kind = event_kind::model_committed;
    committed.model = ref;
  }
};

/// The rows of a target whose data was revealed, and the event of that.
struct target_rows {
  std::vector<row_change> changes;
  event revealed;
  target_rows(const blob_id& blob, std::uint64_t size_bytes, target_status status,
              std::uint8_t number = 5) {
    const target_id id{{number}};
    target_row target;
    target.status = status;
    submission_row claim;
    claim.size_bytes = size_bytes;
    claim.blob = blob;
    claim.revealed_at = block_height{1};
    changes.push_back({target_key(id), encode(target)});
    changes.push_back({submission_key(id), encode(claim)});
    revealed.kind = event_kind::data_revealed;
    revealed.target = id;
  }
};

}  // namespace soma::test
