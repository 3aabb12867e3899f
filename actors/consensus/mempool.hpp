// Transactions that wait for a block: bounded in number, bytes and per account, each account's in
// order of nonce. What is refused is refused by name. Signatures have been verified before anything
// comes here. All pay the same multiplier, so there is no price to order them by: the transaction
// that came first goes first.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <span>
#include <string_view>

#include "actors/consensus/agreement.hpp"
#include "messages/values/expected.hpp"

namespace soma::consensus {

struct pooled_transaction {
  transaction_id id;
  address sender;
  std::uint64_t nonce = 0;
  epoch_number expiry;
  signed_transaction transaction;
};

enum class pool_refusal : std::uint8_t {
  duplicate = 1,
  too_large,
  expired,
  nonce_too_low,
  nonce_too_far,
  nonce_taken,
  account_full,
  pool_full
};
[[nodiscard]] std::string_view to_text(pool_refusal reason);

/// What the pool holds at most (security §8.3).
struct mempool_limits {
  std::size_t transactions = 16'384;
  std::size_t bytes = 32u << 20;
  std::size_t per_account = 64;
  std::uint64_t nonce_window = 64;  // how far ahead of the account's next nonce
};

class mempool final : public payload_source {
 public:
  explicit mempool(mempool_limits limits = {});

  /// Takes a transaction in, or names why not. `next_nonce` is the account's in the latest state,
  /// `epoch` the present one.
  expected<void, pool_refusal> add(pooled_transaction t, std::uint64_t next_nonce,
                                   epoch_number epoch);

  /// Those that can be executed after `ancestors`, by arrival; of one account by nonce, without
  /// gaps. The first that does not fit ends its account's turn, smaller ones of others may follow.
  [[nodiscard]] std::vector<signed_transaction> next_payload(
      const std::vector<block_ptr>& ancestors, std::size_t max_bytes,
      std::size_t max_count) const override;

  /// After a block: what it contained goes, whatever became of it, unless it was not signed by its
  /// sender, which the caller leaves out; of the accounts that the block changed, `nonces` are the
  /// next ones, and what lies below them goes too.
  void block_done(std::span<const transaction_id> contained,
                  std::span<const std::pair<address, std::uint64_t>> nonces);
  /// At a new epoch: the expired go.
  void expire(epoch_number epoch);

  [[nodiscard]] bool contains(const transaction_id& id) const { return by_id_.contains(id); }
  [[nodiscard]] std::size_t size() const { return by_id_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// The nonce that the account's next transaction should carry: after the unbroken row of those
  /// waiting here.
  [[nodiscard]] std::uint64_t next_free_nonce(const address& sender,
                                              std::uint64_t first_nonce) const;

 private:
  struct waiting {
    pooled_transaction pooled;
    std::uint64_t arrival = 0;
  };
  struct lane {
    std::uint64_t next_nonce = 0;
    std::map<std::uint64_t, waiting> by_nonce;
  };
  using account_nonce = std::pair<address, std::uint64_t>;
  [[nodiscard]] std::map<address, std::uint64_t> nonces_after(
      const std::vector<block_ptr>& ancestors) const;
  [[nodiscard]] const std::vector<account_nonce>& account_nonces_of(const block_ptr& block) const;
  [[nodiscard]] const pooled_transaction& at(const account_nonce& where) const;
  void remove(const account_nonce& where);
  void drop_below(const address& sender, std::uint64_t nonce);

  mempool_limits limits_;
  std::map<address, lane> accounts_;
  std::map<transaction_id, account_nonce> by_id_;
  std::set<std::pair<epoch_number, transaction_id>> by_expiry_;
  std::size_t bytes_ = 0;
  std::uint64_t arrivals_ = 0;
  // Sender and nonce of what lies in the latest ancestors, so that each is read once.
  mutable std::map<block_id, std::vector<account_nonce>> read_;
  mutable std::deque<block_id> read_order_;
};

}  // namespace soma::consensus
