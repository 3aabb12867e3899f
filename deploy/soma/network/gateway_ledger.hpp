// The ledger of a network, read through gateways that may lie, and the way by which transactions go
// to it. What must hold:
//   - Each row that it returns is proven to be of a final block of the network that the person
//     named, or of the one that the home knows. With --unverified nothing is proven, and it says
//     so.
//   - A gateway that lies, is behind or is silent is left for the next one, and named on stderr.
//   - What is proven is kept in the home, so that a later command cannot be led back.
// Indices, the state of transactions and what a gateway says of itself are not proven.
#pragma once

#include "actors/gateway_client/gateway_pool.hpp"
#include "actors/gateway_client/http_fetch.hpp"
#include "actors/gateway_client/verified_ledger.hpp"
#include "deploy/soma/network/network_connection.hpp"
#include "deploy/soma/network/network_memory.hpp"

namespace soma::cli {

class gateway_ledger final : public network_connection {
 public:
  /// Begins to follow the network through these gateways, or goes on from what the home has kept.
  /// Without a named or a known network it asks the first sound gateway for one, shows it, and
  /// remembers it once a row of it is proven. The failure other_network says that the gateways are
  /// of another network than the person's.
  [[nodiscard]] static expected<std::unique_ptr<gateway_ledger>, failure> open(
      const run_context& context, const ledger_place& place,
      const std::vector<http::origin>& gateways);
  ~gateway_ledger() override;

  std::optional<bytes> find(byte_view key) override;
  std::vector<std::optional<bytes>> find_many(std::span<const row_key> keys) override;
  void scan(byte_view prefix, const tables::row_visitor& visit) override;
  void scan_index(tables::row_index index, byte_view prefix,
                  const tables::row_visitor& visit) override;
  std::string where() const override;
  evidence proven() const override { return verified_ ? evidence::rows : evidence::nothing; }

  message<schema::ChainStatus> status() override;
  offered offer(const signed_transaction& transaction) override;
  transaction_state state_of(const transaction_id& id, std::uint32_t wait_ms = 0) override;
  /// Always nullopt: gateways do not ask the members.
  std::optional<std::vector<public_key>> holders_of(const blob_id& blob, std::uint64_t size_bytes,
                                                    std::uint32_t within_ms) override;
  expected<proven_row, failure> prove(const row_key& key) override;
  expected<gateway_client::gift, failure> ask_faucet(const address& to) override;
  expected<explain::explanation, failure> explain(const std::string& what,
                                                  std::uint32_t events) override;
  /// Always refuses: gateways need no other address for blobs.
  outcome connect_blobs(const mesh::host_port& at) override;
  bool carries_blobs() const override { return true; }
  blob_id put_blob(bytes data, const crypto::key_pair& owner) override;
  bool put_blob_elsewhere(bytes data, const crypto::key_pair& owner) override;

 protected:
  std::vector<gateway_client::blob_gateway> blob_gateways() override;

 private:
  struct row_page {
    std::vector<std::pair<row_key, bytes>> rows;
    bool more = false;
  };
  gateway_ledger(const run_context& context, const std::vector<http::origin>& gateways);
  /// Calls `ask` with one gateway after the other until one answers soundly. Throws source_failure
  /// with the reasons of all if none does.
  template <class Ask>
  auto asked(const Ask& ask) {
    auto answer = pool_.call([&](std::size_t which) { return ask(*gateways_[which]); });
    if (!answer) give_up(answer.error());
    keep_trust();
    return std::move(*answer);
  }
  /// Asks a question for rows, and more than one gateway if the first one is slow. `check` gets a
  /// port whose rows are those that a gateway has given.
  template <class Check>
  auto race(const gateway_client::rows_question& question, const Check& check) {
    return pool_.read(rows_, question, [&](std::size_t which, const gateway_client::fetched& rows) {
      auto port = gateways_[which]->port();
      port.proven_rows = [&](const auto&) { return rows; };
      return check(port);
    });
  }
  /// The same, and throws as asked() does.
  template <class Check>
  auto read(const gateway_client::rows_question& question, const Check& check) {
    auto answer = race(question, check);
    if (!answer) give_up(answer.error());
    keep_trust();
    return std::move(*answer);
  }
  /// Follows the network to its newest block.
  [[nodiscard]] expected<block_header, gateway_client::pool_refusal> catch_up();
  /// The same, if there are proofs and a gateway answers.
  void follow();
  [[noreturn]] static void give_up(const gateway_client::pool_refusal& why);
  [[nodiscard]] outcome find_genesis(const std::optional<chain_id>& network);
  [[nodiscard]] outcome begin(gateway_client::client_options options);
  [[nodiscard]] std::vector<std::optional<bytes>> find_page(std::span<const row_key> keys);
  [[nodiscard]] row_page scan_page(byte_view prefix, byte_view after);
  /// Writes what is proven into the home, if it has risen since the last time, but not more often
  /// than once in a second, unless it is the last time.
  void keep_trust(bool is_last = false);

  network_memory memory_;
  std::string where_;
  std::vector<http::origin> origins_;
  std::vector<std::unique_ptr<gateway_client::http_fetch>> gateways_;
  gateway_client::gateway_pool pool_;
  gateway_client::fetch_race rows_;
  std::optional<gateway_client::verified_ledger> verified_;  // nullopt with --unverified
  bytes genesis_bytes_;
  block_height kept_height_;
  std::vector<std::string> takers_;  // the gateways that said that they have taken a blob
  std::uint64_t kept_at_ms_ = 0;     // Unix time
  bool has_failed_to_keep_ = false;
};

}  // namespace soma::cli
