// Transactions that wait for a block at one node. A crash of the node loses them.
#pragma once

#include <map>
#include <set>

#include "actors/simulation/ledger.hpp"

namespace soma::simulation {

class pool final : public consensus::payload_source {
 public:
  explicit pool(const ledger& chain) : chain_(chain) {}

  /// False when the transaction is here already, or can't be executed any more.
  bool add(const signed_transaction& t);
  /// Drops what `committed` contains and what can't be executed after it. Called when the ledger
  /// has grown.
  void clean(const block& committed);
  void clear() { waiting_.clear(); }
  [[nodiscard]] bool empty() const { return waiting_.empty(); }
  [[nodiscard]] std::size_t size() const { return waiting_.size(); }
  [[nodiscard]] std::vector<signed_transaction> all() const;
  /// The nonce of the next transfer of `account`, after those that wait here.
  [[nodiscard]] std::uint32_t next_nonce(std::uint8_t account) const;

  [[nodiscard]] std::vector<signed_transaction> next_payload(
      const std::vector<block_ptr>& ancestors, std::size_t max_bytes,
      std::size_t max_count) const override;

 private:
  // Transfers are ordered by account and nonce; evidence comes after all accounts, by name.
  using account_nonce = std::pair<std::uint64_t, std::uint64_t>;
  static constexpr std::uint64_t evidence_lane = 1'000;
  [[nodiscard]] static account_nonce account_nonce_of(const signed_transaction& t);
  void drop_dead();

  const ledger& chain_;
  std::map<account_nonce, signed_transaction> waiting_;
};

}  // namespace soma::simulation
