#include "actors/consensus/mempool.hpp"

#include <algorithm>
#include <tuple>

#include "messages/signing/signing.hpp"
#include "messages/values/assert.hpp"

namespace soma::consensus {
namespace {

/// How many ancestors' transactions are remembered. The consensus keeps far fewer blocks of one
/// chain that are executed and not committed.
constexpr std::size_t max_read_blocks = 128;

using wide = unsigned __int128;

/// A higher bid goes first when it is worth an eighth of the base fee: a shannon more should not
/// put a transaction before those that have no way to bid.
std::uint64_t rank_of(const pooled_transaction& t) {
  const wide work = std::max<std::uint64_t>(t.work_fee.value, 1);
  return static_cast<std::uint64_t>(
      std::min<wide>((work + t.value_fee.value) * 8 / work, UINT64_MAX));
}

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
    case pool_refusal::expiry_too_far:
      return "the transaction expires more than two epochs ahead";
    case pool_refusal::fees_unaffordable:
      return "the balance does not cover what all that waits of this account takes from it";
    case pool_refusal::duty_waits:
      return "another transaction of this account for the same duty waits";
  }
  return "unknown";
}

mempool::mempool(mempool_limits limits) : limits_(limits) {}

expected<void, pool_refusal> mempool::add(pooled_transaction t, const account_row& account,
                                          epoch_number epoch) {
  drop_below(t.sender, account);
  empty_side_room();
  if (const auto no = check(t, account, epoch)) return make_unexpected(*no);
  const auto rank = rank_of(t);
  waiting arrived{std::move(t), arrivals_++, rank};
  const auto leaving = leaving_for(arrived, account.nonce);
  if (!leaving) return make_unexpected(pool_refusal::pool_full);
  for (const auto& where : *leaving) remove(where);
  insert(std::move(arrived), account);
  empty_side_room();
  SOMA_ASSERT(by_id_.size() == by_expiry_.size(), "each transaction is found by id and by expiry");
  SOMA_ASSERT(bytes_ <= limits_.bytes && by_id_.size() <= limits_.transactions,
              "the pool is bounded");
  return {};
}

std::optional<pool_refusal> mempool::check(const pooled_transaction& t, const account_row& row,
                                           epoch_number epoch) const {
  if (by_id_.contains(t.id)) return pool_refusal::duplicate;
  if (payload_size(t.transaction) > max_transaction_bytes) return pool_refusal::too_large;
  if (t.expiry < epoch) return pool_refusal::expired;
  if (t.expiry.value - epoch.value > limits_.epochs) return pool_refusal::expiry_too_far;
  if (t.nonce < row.nonce) return pool_refusal::nonce_too_low;
  if (t.nonce - row.nonce >= limits_.nonce_window) return pool_refusal::nonce_too_far;
  costs all;
  if (const auto found = accounts_.find(t.sender); found != accounts_.end()) {
    if (found->second.by_nonce.contains(t.nonce)) return pool_refusal::nonce_taken;
    if (found->second.by_nonce.size() >= limits_.per_account) return pool_refusal::account_full;
    if (!t.duty.empty() && found->second.duties.contains(t.duty)) return pool_refusal::duty_waits;
    all = found->second.all;
  }
  all += costs_of(t);
  if (!covers(row.balance, all)) return pool_refusal::fees_unaffordable;
  return std::nullopt;
}

mempool::costs mempool::costs_of(const pooled_transaction& t) {
  if (t.is_free) return {};
  return {t.work_fee.value, wide{t.moved.value} + t.value_fee.value};
}

bool mempool::covers(shannons balance, const costs& all) const {
  return multiplier_ppm_ * all.work / 1'000'000 + all.other <= balance.value;
}

pool_lane mempool::lane_with_room(const waiting& t) const {
  const auto& used = lanes_[static_cast<std::size_t>(t.pooled.lane)];
  const bool has_room = used.transactions < limits_.transactions / 4 &&
                        used.bytes + payload_size(t.pooled.transaction) <= limits_.bytes / 4;
  return has_room ? t.pooled.lane : pool_lane::rest;
}

std::optional<std::vector<mempool::account_nonce>> mempool::leaving_for(const waiting& t,
                                                                        std::uint64_t nonce) const {
  std::size_t count = by_id_.size();
  std::size_t size = bytes_ + payload_size(t.pooled.transaction);
  std::vector<account_nonce> leaving;
  const auto fits = [&] { return count < limits_.transactions && size <= limits_.bytes; };
  const auto leave = [&](const account_nonce& where) {
    leaving.push_back(where);
    --count;
    size -= payload_size(at(where).transaction);
  };
  for (const auto& [arrival, where] : side_room_) {
    if (fits()) break;
    leave(where);
  }
  if (!fits() && next_free_nonce(t.pooled.sender, nonce) == t.pooled.nonce) {
    const auto lane = lane_with_room(t);
    const auto yields = [&](pool_lane to, std::uint64_t rank) {
      return to < lane || (to == pool_lane::rest && lane == to && rank < t.rank);
    };
    for (const auto& last : last_of_accounts_) {
      if (fits() || !yields(last.lane, last.rank)) break;
      if (last.sender == t.pooled.sender) continue;
      const auto& account = accounts_.at(last.sender);
      // The last one goes first, so that what stays can be executed.
      for (auto nonce_here = last.nonce + 1; nonce_here > account.next_nonce && !fits();) {
        const auto& here = account.by_nonce.at(--nonce_here);
        if (!yields(here.pooled.lane, here.rank)) break;
        leave({last.sender, nonce_here});
      }
    }
  }
  if (!fits()) return std::nullopt;
  return leaving;
}

void mempool::insert(waiting&& t, const account_row& row) {
  const account_nonce where{t.pooled.sender, t.pooled.nonce};
  const auto size = payload_size(t.pooled.transaction);
  auto& account = accounts_[where.first];
  account.next_nonce = row.nonce;
  account.balance = row.balance;
  account.all += costs_of(t.pooled);
  if (!t.pooled.duty.empty()) account.duties.insert(t.pooled.duty);
  bytes_ += size;
  auto& lane = lanes_[static_cast<std::size_t>(t.pooled.lane)];
  ++lane.transactions;
  lane.bytes += size;
  by_id_.emplace(t.pooled.id, where);
  by_expiry_.emplace(t.pooled.expiry, t.pooled.id);
  account.by_nonce.emplace(where.second, std::move(t));
  sort_out(where.first);
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
  // the next transaction of each account: by lane, rank and arrival
  std::map<std::tuple<int, std::uint64_t, std::uint64_t>, std::pair<const account_state*, turn>>
      heads;
  const auto put = [&](const account_state& from, turn head) {
    auto lane = pool_lane::rest;
    auto nonce = head->first;
    for (auto t = head; t != from.by_nonce.end() && t->first == nonce; ++t, ++nonce)
      lane = std::max(lane, t->second.pooled.lane);
    // The higher lanes have no price, and go by arrival.
    const auto rank = lane == pool_lane::rest ? head->second.rank : 0;
    heads.emplace(std::tuple(-static_cast<int>(lane), UINT64_MAX - rank, head->second.arrival),
                  std::pair(&from, head));
  };
  for (const auto& [sender, account] : accounts_) {
    const auto behind = nonces.find(sender);
    const auto next = behind == nonces.end() ? account.next_nonce : behind->second;
    const auto first = account.by_nonce.find(next);
    if (first != account.by_nonce.end()) put(account, first);
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
    if (next != account->by_nonce.end() && next->first == head->first + 1) put(*account, next);
  }
  SOMA_ASSERT(size <= max_bytes && chosen.size() <= max_count, "a payload keeps to its limits");
  return chosen;
}

const pooled_transaction& mempool::at(const account_nonce& where) const {
  return accounts_.at(where.first).by_nonce.at(where.second).pooled;
}

void mempool::remove(const account_nonce& where) {
  const auto [sender, nonce] = where;  // the caller's may lie in what is erased
  const auto account = accounts_.find(sender);
  SOMA_ASSERT(account != accounts_.end(), "what is removed waits here");
  const auto found = account->second.by_nonce.find(nonce);
  SOMA_ASSERT(found != account->second.by_nonce.end(), "what is removed waits here");
  const auto& t = found->second.pooled;
  const auto size = payload_size(t.transaction);
  bytes_ -= size;
  auto& lane = lanes_[static_cast<std::size_t>(t.lane)];
  --lane.transactions;
  lane.bytes -= size;
  account->second.all -= costs_of(t);
  account->second.duties.erase(t.duty);
  if (side_room_.erase(found->second.arrival) > 0) side_bytes_ -= size;
  by_expiry_.erase({t.expiry, t.id});
  by_id_.erase(t.id);
  account->second.by_nonce.erase(found);
  sort_out(sender);
}

void mempool::sort_out(const address& sender) {
  const auto found = accounts_.find(sender);
  SOMA_ASSERT(found != accounts_.end(), "only an account with transactions is sorted out");
  auto& account = found->second;
  if (account.last) last_of_accounts_.erase(*account.last);
  account.last.reset();
  auto next = account.next_nonce;
  for (const auto& [nonce, t] : account.by_nonce) {
    const auto size = payload_size(t.pooled.transaction);
    if (nonce != next) {
      if (side_room_.emplace(t.arrival, account_nonce{sender, nonce}).second) side_bytes_ += size;
      continue;
    }
    if (side_room_.erase(t.arrival) > 0) side_bytes_ -= size;
    account.last = place_in_lane{t.pooled.lane, t.rank, UINT64_MAX - t.arrival, sender, nonce};
    ++next;
  }
  if (account.last) last_of_accounts_.insert(*account.last);
  if (account.by_nonce.empty()) accounts_.erase(found);
}

void mempool::empty_side_room() {
  const auto most = std::max<std::size_t>(limits_.transactions / 16, 1);
  while (side_room_.size() > most || (side_bytes_ > limits_.bytes / 16 && side_room_.size() > 1)) {
    remove(side_room_.begin()->second);
  }
}

void mempool::drop_below(const address& sender, const account_row& row) {
  for (;;) {
    const auto account = accounts_.find(sender);
    if (account == accounts_.end()) return;
    account->second.next_nonce = row.nonce;
    account->second.balance = row.balance;
    const auto first = account->second.by_nonce.begin();
    if (first->first >= row.nonce) break;
    remove({sender, first->first});
  }
  sort_out(sender);
  drop_unaffordable(sender);
}

void mempool::drop_unaffordable(const address& sender) {
  for (;;) {
    const auto account = accounts_.find(sender);
    if (account == accounts_.end()) return;
    const auto& a = account->second;
    if (covers(a.balance, a.all)) return;
    auto last = std::prev(a.by_nonce.end());
    while (last->second.pooled.is_free) --last;
    remove({sender, last->first});
  }
}

void mempool::set_fee_multiplier(std::uint64_t multiplier_ppm) {
  const bool rises = multiplier_ppm > multiplier_ppm_;
  multiplier_ppm_ = multiplier_ppm;
  if (!rises) return;
  std::vector<address> poor;
  for (const auto& [sender, account] : accounts_) {
    if (!covers(account.balance, account.all)) poor.push_back(sender);
  }
  for (const auto& sender : poor) drop_unaffordable(sender);
  empty_side_room();
}

const signed_transaction* mempool::find(const transaction_id& id) const {
  const auto found = by_id_.find(id);
  return found != by_id_.end() ? &at(found->second).transaction : nullptr;
}

void mempool::block_done(std::span<const transaction_id> executed,
                         std::span<const std::pair<address, account_row>> accounts) {
  for (const auto& id : executed) {
    const auto found = by_id_.find(id);
    if (found != by_id_.end()) remove(found->second);
  }
  for (const auto& [sender, row] : accounts) drop_below(sender, row);
  empty_side_room();
}

void mempool::drop_duties(const std::function<bool(const pooled_transaction&)>& is_refused) {
  std::vector<account_nonce> refused;
  for (const auto& [sender, account] : accounts_) {
    if (account.duties.empty()) continue;
    for (const auto& [nonce, t] : account.by_nonce) {
      if (!t.pooled.duty.empty() && is_refused(t.pooled)) refused.emplace_back(sender, nonce);
    }
  }
  for (const auto& where : refused) remove(where);
  empty_side_room();
}

void mempool::expire(epoch_number epoch) {
  while (!by_expiry_.empty() && by_expiry_.begin()->first < epoch) {
    remove(by_id_.at(by_expiry_.begin()->second));
  }
  empty_side_room();
}

std::uint64_t mempool::next_free_nonce(const address& sender, std::uint64_t first_nonce) const {
  const auto account = accounts_.find(sender);
  if (account == accounts_.end()) return first_nonce;
  std::uint64_t nonce = first_nonce;
  while (account->second.by_nonce.contains(nonce)) ++nonce;
  return nonce;
}

}  // namespace soma::consensus
