// A connection over mutual TLS to a validator of a running network: it reads the ledger of the
// validator, offers transactions to it, and asks what became of them. It also connects to the blob
// store.
#pragma once

#include <caf/actor_system.hpp>

#include "actors/blob_store/blob_store_actor.hpp"
#include "actors/validator/ledger_answers.hpp"
#include "actors/validator/validator_actor.hpp"
#include "deploy/soma/source/ledger_source.hpp"
#include "messages/values/transactions.hpp"

namespace soma::cli {

/// A validator's answer to an offered transaction.
struct offered {
  validator::offer_refusal refusal;
  std::string why;  // for a person
};

/// What became of a transaction. Height 0 means that no block has it.
struct transaction_state {
  block_height height;
  epoch_number epoch;
  rules::refused refusal;
  std::string why;  // for a person
  shannons fee;
};

class ledger_connection final : public ledger_source {
 public:
  /// Connects to the validator that `place` names. A refusal says what to start.
  [[nodiscard]] static expected<std::unique_ptr<ledger_connection>, failure> open(
      const run_context& context, const ledger_place& place);
  ~ledger_connection() override;

  std::optional<bytes> find(byte_view key) override;
  void scan(byte_view prefix, const tables::row_visitor& visit) override {
    scan_pages(schema::RowSource::LEDGER, prefix, visit);
  }
  void scan_index(tables::row_index index, byte_view prefix,
                  const tables::row_visitor& visit) override;
  std::string where() const override;
  std::optional<running_validator> validator_now() override;

  [[nodiscard]] message<schema::ChainStatus> status();
  [[nodiscard]] offered offer(const signed_transaction& transaction);
  [[nodiscard]] transaction_state state_of(const transaction_id& id);

  /// The consensus keys of the members of the committee that say that they have a blob of this
  /// size, asked over the validator's connections for at most `within_ms`. nullopt when the
  /// validator exchanges no blobs with others, so that it cannot ask them.
  [[nodiscard]] std::optional<std::vector<public_key>> holders_of(const blob_id& blob,
                                                                  std::uint64_t size_bytes,
                                                                  std::uint32_t within_ms);

  /// Connects to the blob store into which put_blob() puts. Refuses if it cannot be reached.
  [[nodiscard]] outcome connect_blobs(const mesh::host_port& at);
  /// Stores a blob. When it returns, the blob is durable there. Throws source_failure if the store
  /// does not take it.
  blob_id put_blob(bytes data);

 private:
  void scan_pages(schema::RowSource from, byte_view prefix, const tables::row_visitor& visit);
  ledger_connection(const cluster::cluster_identity& identity, mesh::host_port at);
  template <class Reply, class Request>
  [[nodiscard]] message<Reply> ask(const message<Request>& request);

  cluster::system_config config_;
  caf::actor_system system_;
  mesh::host_port at_;
  validator::validator_actor validator_;
  blob_store::blob_store_actor blobs_;
};

}  // namespace soma::cli
