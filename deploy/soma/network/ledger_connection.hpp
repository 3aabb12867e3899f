// A connection over mutual TLS to a validator of a running network: it reads the ledger of the
// validator, offers transactions to it, and asks what became of them. It also connects to the blob
// store.
#pragma once

#include <caf/actor_system.hpp>

#include "actors/blob_store/blob_store_actor.hpp"
#include "actors/validator/validator_actor.hpp"
#include "deploy/soma/network/network_connection.hpp"

namespace soma::cli {

class ledger_connection final : public network_connection {
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

  message<schema::ChainStatus> status() override;
  offered offer(const signed_transaction& transaction) override;
  /// It answers at once, whatever `wait_ms` is.
  transaction_state state_of(const transaction_id& id, std::uint32_t wait_ms = 0) override;
  std::optional<std::vector<public_key>> holders_of(const blob_id& blob, std::uint64_t size_bytes,
                                                    std::uint32_t within_ms) override;
  expected<proven_row, failure> prove(const row_key& key) override;
  expected<gateway_client::gift, failure> ask_faucet(const address& to) override;
  expected<explain::explanation, failure> explain(const std::string& what,
                                                  std::uint32_t events) override;
  outcome connect_blobs(const mesh::host_port& at) override;
  bool carries_blobs() const override { return false; }
  blob_id put_blob(bytes data, const crypto::key_pair& owner) override;

 protected:
  std::vector<gateway_client::blob_gateway> blob_gateways() override;

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
