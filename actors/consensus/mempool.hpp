// Transactions that wait for a block. Their number, their bytes and the number per account are
// bounded, and those of one account are ordered by nonce. A refusal has a name. The caller has
// verified every signature. What must hold (security §8.3 and §8.3.1):
//   - Who waits has a lane. Votes of members come before reveals of what was committed, and these
//     before the rest. When the pool is full, a transaction of a higher lane takes the place of one
//     of a lower lane, as long as its own lane has less than a quarter of the pool. Among the rest
//     who pays more, in eighths of its own base fee, goes first and takes the place of one that
//     pays less; and then the oldest. So a claim, which cannot bid, does not stand back behind all
//     that is smaller.
//   - What cannot be executed yet, because an earlier nonce of its account is missing, waits in a
//     side room of a sixteenth of the pool. When that is full, the oldest there goes.
//   - For each duty of an account one transaction waits. Of several only the first would be free.
//   - An account has the base fees of all that it lets wait, and all that these take from it beside
//     the fees. So filling the pool takes money that is really there, and is spent when the blocks
//     come: no transaction takes the money for those behind it away.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string_view>

#include "actors/consensus/agreement.hpp"
#include "messages/values/expected.hpp"
#include "messages/values/rows.hpp"

namespace soma::consensus {

/// From the lowest to the highest.
enum class pool_lane : std::uint8_t { rest, reveal, vote };

struct pooled_transaction {
  transaction_id id;
  address sender;
  std::uint64_t nonce = 0;
  epoch_number expiry;
  signed_transaction transaction;
  pool_lane lane = pool_lane::rest;
  bool is_free = false;  // a duty that would be applied now pays no base fee
  row_key duty{};        // names what a duty is about; empty for what is none
  shannons work_fee{};   // its base fee at a multiplier of 1; 0 when it is free
  shannons moved{};      // what it takes from its sender beside the fee: amount, stake or bond
  shannons value_fee{};  // the part of its fee that follows from that amount
};

enum class pool_refusal : std::uint8_t {
  duplicate = 1,
  too_large,
  expired,
  nonce_too_low,
  nonce_too_far,
  nonce_taken,
  account_full,
  pool_full,
  expiry_too_far,
  fees_unaffordable,
  duty_waits
};
[[nodiscard]] std::string_view to_text(pool_refusal reason);

/// The most that the pool holds (security §8.3).
struct mempool_limits {
  std::size_t transactions = 16'384;
  std::size_t bytes = 32u << 20;
  std::size_t per_account = 64;
  std::uint64_t nonce_window = 64;  // a nonce is less than this ahead of the account's next one
  std::uint64_t epochs = 2;         // an expiry is at most this far ahead
};

class mempool final : public payload_source {
 public:
  explicit mempool(mempool_limits limits = {});

  /// Takes a transaction in, or returns the reason why not. `account` is the sender's row in the
  /// latest state, `epoch` is the present epoch. Others may have to leave for it.
  expected<void, pool_refusal> add(pooled_transaction t, const account_row& account,
                                   epoch_number epoch);

  /// Why `add` would refuse it, but for the room in the pool. Looks at neither lane nor signature.
  [[nodiscard]] std::optional<pool_refusal> check(const pooled_transaction& t,
                                                  const account_row& row, epoch_number epoch) const;

  /// The transactions that can be executed after `ancestors`: by lanes, among the rest by fee for a
  /// byte, and then in the order of arrival; those of one account in the order of nonces, without
  /// gaps, where an earlier one shares the lane of a later one that waits for it. When one does not
  /// fit, no more of its account are taken, and smaller ones of other accounts may follow.
  [[nodiscard]] std::vector<signed_transaction> next_payload(
      const std::vector<block_ptr>& ancestors, std::size_t max_bytes,
      std::size_t max_count) const override;

  /// To be called after a block. Removes the transactions that it has executed, applied or refused
  /// for a fee. The caller leaves out those that stopped at the door: they still wait, or a
  /// proposer could erase an account's transactions everywhere by leaving out the first.
  /// `accounts` are the rows that the block changed: lower nonces are removed too, and so are the
  /// last transactions of an account that no longer covers all of them.
  void block_done(std::span<const transaction_id> executed,
                  std::span<const std::pair<address, account_row>> accounts);
  /// Sets the fee multiplier of the next block. When it rises, accounts that no longer cover all
  /// that they let wait lose the last of it.
  void set_fee_multiplier(std::uint64_t multiplier_ppm);
  /// Removes the duties that would be refused now: they would be charged, or stop at the door.
  void drop_duties(const std::function<bool(const pooled_transaction&)>& is_refused);
  /// Removes the transactions that have expired before this epoch.
  void expire(epoch_number epoch);

  [[nodiscard]] bool contains(const transaction_id& id) const { return by_id_.contains(id); }
  /// nullptr when it does not wait here.
  [[nodiscard]] const signed_transaction* find(const transaction_id& id) const;
  [[nodiscard]] std::size_t size() const { return by_id_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// How many wait for an earlier nonce of their account.
  [[nodiscard]] std::size_t behind_gaps() const { return side_room_.size(); }
  /// The nonce for the account's next transaction: the first one from `first_nonce` on that no
  /// waiting transaction of the account has.
  [[nodiscard]] std::uint64_t next_free_nonce(const address& sender,
                                              std::uint64_t first_nonce) const;

 private:
  using account_nonce = std::pair<address, std::uint64_t>;
  /// What transactions take from their sender: base fees at a multiplier of 1, and the rest.
  struct costs {
    unsigned __int128 work = 0;
    unsigned __int128 other = 0;
    costs& operator+=(const costs& more) { return *this = {work + more.work, other + more.other}; }
    costs& operator-=(const costs& less) { return *this = {work - less.work, other - less.other}; }
  };
  struct waiting {
    pooled_transaction pooled;
    std::uint64_t arrival = 0;
    std::uint64_t rank = 0;  // what it pays, in eighths of its base fee
  };
  /// Whose place is taken first: of the lowest lane and rank the latest.
  struct place_in_lane {
    pool_lane lane{};
    std::uint64_t rank = 0;
    std::uint64_t earliness = 0;  // the later it arrived, the smaller
    address sender;
    std::uint64_t nonce = 0;
    friend auto operator<=>(const place_in_lane&, const place_in_lane&) = default;
  };
  struct account_state {
    std::uint64_t next_nonce = 0;
    shannons balance;
    std::map<std::uint64_t, waiting> by_nonce;
    std::set<row_key> duties;  // of those that wait
    costs all{};
    std::optional<place_in_lane> last;  // of those that can be executed
  };
  struct lane_use {
    std::size_t transactions = 0;
    std::size_t bytes = 0;
  };

  [[nodiscard]] std::map<address, std::uint64_t> nonces_after(
      const std::vector<block_ptr>& ancestors) const;
  [[nodiscard]] const std::vector<account_nonce>& account_nonces_of(const block_ptr& block) const;
  [[nodiscard]] const pooled_transaction& at(const account_nonce& where) const;
  [[nodiscard]] static costs costs_of(const pooled_transaction& t);  // nothing for what is free
  [[nodiscard]] bool covers(shannons balance, const costs& all) const;
  /// The transactions that leave for this one; nullopt when there is no room for it.
  [[nodiscard]] std::optional<std::vector<account_nonce>> leaving_for(const waiting& t,
                                                                      std::uint64_t nonce) const;
  [[nodiscard]] pool_lane lane_with_room(const waiting& t) const;
  void insert(waiting&& t, const account_row& row);
  void remove(const account_nonce& where);
  void drop_below(const address& sender, const account_row& row);
  void drop_unaffordable(const address& sender);
  /// Finds again which transactions of an account can be executed and which lie behind a gap.
  void sort_out(const address& sender);
  void empty_side_room();

  mempool_limits limits_;
  std::uint64_t multiplier_ppm_ = 0;
  std::map<address, account_state> accounts_;
  std::map<transaction_id, account_nonce> by_id_;
  std::set<std::pair<epoch_number, transaction_id>> by_expiry_;
  std::set<place_in_lane> last_of_accounts_;
  std::map<std::uint64_t, account_nonce> side_room_;  // by arrival
  std::size_t side_bytes_ = 0;
  std::array<lane_use, 3> lanes_{};
  std::size_t bytes_ = 0;
  std::uint64_t arrivals_ = 0;
  // Senders and nonces of the latest ancestors' transactions, so that each block is read once.
  mutable std::map<block_id, std::vector<account_nonce>> read_;
  mutable std::deque<block_id> read_order_;
};

}  // namespace soma::consensus
