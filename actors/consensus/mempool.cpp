#include "actors/consensus/mempool.hpp"

#include "messages/signing/signing.hpp"
#include "messages/values/assert.hpp"

namespace soma::consensus {
namespace {

/// How many ancestors' transactions are remembered. The consensus keeps far fewer blocks of one
/// chain that are executed and not committed.
constexpr std::size_t max_read_blocks = 128;

}  // namespace

std::string_view to_text(pool_refusal reason) {
  switch (reason) {
    case pool_refusal::duplicate:
      return "the transaction waits already";
    case pool_refusal::too_large:
      return "the transaction is larger than 256 KiB";
    case pool_refusal::expired:
      return "the transaction expired in an earlier epoch";
    case pool_refusal::nonce_too_low:
      return "the nonce was used before";
    case pool_refusal::nonce_too_far:
      return "the nonce is too far ahead";
    case pool_refusal::nonce_taken:
      return "another transaction with this nonce waits";
    case pool_refusal::account_full:
      return "too many transactions of this account wait";
    case pool_refusal::pool_full:
      return "too many transactions wait";
  }
  return "unknown";
}

mempool::mempool(mempool_limits limits) : limits_(limits) {}

expected<void, pool_refusal> mempool::add(pooled_transaction t, std::uint64_t next_nonce,
                                          epoch_number epoch) {
  const std::size_t size = payload_size(t.transaction);
  const auto refuse = [](pool_refusal reason) { return make_unexpected(reason); };
  if (by_id_.contains(t.id)) return refuse(pool_refusal::duplicate);
  if (size > max_transaction_bytes) return refuse(pool_refusal::too_large);
  if (t.expiry < epoch) return refuse(pool_refusal::expired);
  if (t.nonce < next_nonce) return refuse(pool_refusal::nonce_too_low);
  if (t.nonce - next_nonce >= limits_.nonce_window) return refuse(pool_refusal::nonce_too_far);
  drop_below(t.sender, next_nonce);
  if (const auto found = accounts_.find(t.sender); found != accounts_.end()) {
    if (found->second.by_nonce.contains(t.nonce)) return refuse(pool_refusal::nonce_taken);
    if (found->second.by_nonce.size() >= limits_.per_account)
      return refuse(pool_refusal::account_full);
  }
  if (by_id_.size() >= limits_.transactions || bytes_ + size > limits_.bytes) {
    return refuse(pool_refusal::pool_full);
  }
  auto& account = accounts_[t.sender];
  account.next_nonce = next_nonce;
  bytes_ += size;
  by_id_.emplace(t.id, account_nonce{t.sender, t.nonce});
  by_expiry_.emplace(t.expiry, t.id);
  const auto nonce = t.nonce;
  account.by_nonce.emplace(nonce, waiting{std::move(t), arrivals_++});
  SOMA_ASSERT(by_id_.size() == by_expiry_.size(), "each transaction is found by id and by expiry");
  SOMA_ASSERT(bytes_ <= limits_.bytes, "the pool is bounded");
  return {};
}

/// Senders and nonces of a block's transactions. A transaction with a wrong signature is left out,
/// so that a proposer cannot delay another sender's transactions with forged ones.
const std::vector<mempool::account_nonce>& mempool::account_nonces_of(
    const block_ptr& block) const {
  const auto known = read_.find(block->id);
  if (known != read_.end()) return known->second;
  std::vector<account_nonce> account_nonces;
  for (const auto& sent : block->block.payload) {
    const auto here = by_id_.find(signing::id_of(sent));
    if (here != by_id_.end() && at(here->second).transaction.by_sender == sent.by_sender) {
      account_nonces.push_back(here->second);
    } else if (const auto body = signing::verify(sent)) {
      account_nonces.emplace_back(crypto::address_of(body->sender), body->nonce);
    }
  }
  if (read_order_.size() >= max_read_blocks) {
    read_.erase(read_order_.front());
    read_order_.pop_front();
  }
  read_order_.push_back(block->id);
  return read_.emplace(block->id, std::move(account_nonces)).first->second;
}

/// The next nonces, after `ancestors`, of the accounts with transactions both there and here.
std::map<address, std::uint64_t> mempool::nonces_after(
    const std::vector<block_ptr>& ancestors) const {
  std::map<address, std::uint64_t> nonces;
  for (const auto& ancestor : ancestors) {
    for (const auto& [sender, nonce] : account_nonces_of(ancestor)) {
      const auto account = accounts_.find(sender);
      if (account == accounts_.end()) continue;
      auto& next = nonces.try_emplace(sender, account->second.next_nonce).first->second;
      if (next == nonce) ++next;
    }
  }
  return nonces;
}

std::vector<signed_transaction> mempool::next_payload(const std::vector<block_ptr>& ancestors,
                                                      std::size_t max_bytes,
                                                      std::size_t max_count) const {
  using turn = std::map<std::uint64_t, waiting>::const_iterator;
  const auto nonces = nonces_after(ancestors);
  // the next transaction of each account, by arrival
  std::map<std::uint64_t, std::pair<const lane*, turn>> heads;
  for (const auto& [sender, account] : accounts_) {
    const auto behind = nonces.find(sender);
    const auto next = behind == nonces.end() ? account.next_nonce : behind->second;
    const auto first = account.by_nonce.find(next);
    if (first != account.by_nonce.end())
      heads.emplace(first->second.arrival, std::pair(&account, first));
  }
  std::vector<signed_transaction> chosen;
  std::size_t size = 0;
  while (!heads.empty() && chosen.size() < max_count) {
    const auto [account, head] = heads.begin()->second;
    heads.erase(heads.begin());
    const auto& t = head->second.pooled.transaction;
    const std::size_t more = payload_size(t);
    if (size + more > max_bytes) continue;
    size += more;
    chosen.push_back(t);
    const auto next = std::next(head);
    if (next != account->by_nonce.end() && next->first == head->first + 1) {
      heads.emplace(next->second.arrival, std::pair(account, next));
    }
  }
  SOMA_ASSERT(size <= max_bytes && chosen.size() <= max_count, "a payload keeps to its limits");
  return chosen;
}

const pooled_transaction& mempool::at(const account_nonce& where) const {
  return accounts_.at(where.first).by_nonce.at(where.second).pooled;
}

void mempool::remove(const account_nonce& where) {
  const auto account = accounts_.find(where.first);
  SOMA_ASSERT(account != accounts_.end(), "what is removed waits here");
  const auto found = account->second.by_nonce.find(where.second);
  SOMA_ASSERT(found != account->second.by_nonce.end(), "what is removed waits here");
  const auto& t = found->second.pooled;
  bytes_ -= payload_size(t.transaction);
  by_expiry_.erase({t.expiry, t.id});
  by_id_.erase(t.id);
  account->second.by_nonce.erase(found);
  if (account->second.by_nonce.empty()) accounts_.erase(account);
}

void mempool::drop_below(const address& sender, std::uint64_t nonce) {
  for (;;) {
    const auto account = accounts_.find(sender);
    if (account == accounts_.end()) return;
    account->second.next_nonce = nonce;
    const auto first = account->second.by_nonce.begin();
    if (first->first >= nonce) return;
    remove({sender, first->first});
  }
}

void mempool::block_done(std::span<const transaction_id> contained,
                         std::span<const std::pair<address, std::uint64_t>> nonces) {
  for (const auto& id : contained) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) continue;
    const account_nonce where = found->second;  // remove() takes the original away
    remove(where);
  }
  for (const auto& [sender, nonce] : nonces) drop_below(sender, nonce);
}

void mempool::expire(epoch_number epoch) {
  while (!by_expiry_.empty() && by_expiry_.begin()->first < epoch) {
    remove(by_id_.at(by_expiry_.begin()->second));
  }
}

std::uint64_t mempool::next_free_nonce(const address& sender, std::uint64_t first_nonce) const {
  const auto account = accounts_.find(sender);
  if (account == accounts_.end()) return first_nonce;
  std::uint64_t nonce = first_nonce;
  while (account->second.by_nonce.contains(nonce)) ++nonce;
  return nonce;
}

}  // namespace soma::consensus
