// Transactions that wait for a block. Their number, their bytes and the number per account are
// bounded, and those of one account are ordered by nonce. A refusal has a name. The caller has
// verified every signature. All transactions pay the same fee multiplier, so no price orders them:
// the transaction that came first is proposed first.
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

/// The most that the pool holds (security §8.3).
struct mempool_limits {
  std::size_t transactions = 16'384;
  std::size_t bytes = 32u << 20;
  std::size_t per_account = 64;
  std::uint64_t nonce_window = 64;  // a nonce is less than this ahead of the account's next one
};

class mempool final : public payload_source {
 public:
  explicit mempool(mempool_limits limits = {});

  /// Takes a transaction in, or returns the reason why not. `next_nonce` is the account's next
  /// nonce in the latest state, `epoch` is the present epoch.
  expected<void, pool_refusal> add(pooled_transaction t, std::uint64_t next_nonce,
                                   epoch_number epoch);

  /// The transactions that can be executed after `ancestors`, in the order of arrival; those of one
  /// account in the order of nonces, without gaps. When one does not fit, no more of its account
  /// are taken, and smaller ones of other accounts may follow.
  [[nodiscard]] std::vector<signed_transaction> next_payload(
      const std::vector<block_ptr>& ancestors, std::size_t max_bytes,
      std::size_t max_count) const override;

  /// To be called after a block. Removes the transactions that it contained, applied or refused.
  /// The caller leaves out those with a wrong signature, because the real ones still wait. `nonces`
  /// are the next nonces of the accounts that the block changed; lower ones are removed, too.
  void block_done(std::span<const transaction_id> contained,
                  std::span<const std::pair<address, std::uint64_t>> nonces);
  /// Removes the transactions that have expired before this epoch.
  void expire(epoch_number epoch);

  [[nodiscard]] bool contains(const transaction_id& id) const { return by_id_.contains(id); }
  [[nodiscard]] std::size_t size() const { return by_id_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// The nonce for the account's next transaction: the first one from `first_nonce` on that no
  /// waiting transaction of the account has.
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
  // Senders and nonces of the latest ancestors' transactions, so that each block is read once.
  mutable std::map<block_id, std::vector<account_nonce>> read_;
  mutable std::deque<block_id> read_order_;
};

}  // namespace soma::consensus
