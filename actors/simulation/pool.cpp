#include "actors/simulation/pool.hpp"

namespace soma::simulation {

pool::account_nonce pool::account_nonce_of(const signed_transaction& t) {
  if (const auto transfer = decode_toy(t)) return {transfer->from, transfer->nonce};
  return {evidence_lane, name_of(t)};
}

bool pool::add(const signed_transaction& t) {
  const auto& state = *chain_.tip_state();
  if (const auto transfer = decode_toy(t)) {
    if (transfer->nonce < state.nonces[transfer->from] || transfer->expiry < state.epoch) {
      return false;
    }
  }
  return waiting_.emplace(account_nonce_of(t), t).second;
}

void pool::drop_dead() {
  const auto& state = *chain_.tip_state();
  std::erase_if(waiting_, [&](const auto& item) {
    const auto transfer = decode_toy(item.second);
    return transfer &&
           (transfer->nonce < state.nonces[transfer->from] || transfer->expiry < state.epoch);
  });
}

void pool::clean(const block& committed) {
  for (const auto& t : committed.payload) {
    if (const auto it = waiting_.find(account_nonce_of(t));
        it != waiting_.end() && it->second == t) {
      waiting_.erase(it);
    }
  }
  if (!waiting_.empty()) drop_dead();
}

std::vector<signed_transaction> pool::all() const {
  std::vector<signed_transaction> out;
  for (const auto& [where, t] : waiting_) out.push_back(t);
  return out;
}

std::uint32_t pool::next_nonce(std::uint8_t account) const {
  auto nonce = chain_.tip_state()->nonces[account];
  while (waiting_.contains({account, nonce})) ++nonce;
  return nonce;
}

std::vector<signed_transaction> pool::next_payload(const std::vector<block_ptr>& ancestors,
                                                   std::size_t max_bytes,
                                                   std::size_t max_count) const {
  if (waiting_.empty()) return {};
  auto nonces = chain_.tip_state()->nonces;
  std::set<std::uint64_t> contained;
  for (const auto& ancestor : ancestors) {
    for (const auto& t : ancestor->block.payload) {
      contained.insert(name_of(t));
      if (const auto transfer = decode_toy(t)) ++nonces[transfer->from];
    }
  }
  std::vector<signed_transaction> out;
  std::size_t bytes = 0;
  for (const auto& [where, t] : waiting_) {
    if (contained.contains(name_of(t)) || out.size() == max_count) continue;
    if (where.first != evidence_lane && where.second != nonces[where.first]) continue;
    if (bytes + consensus::payload_size(t) > max_bytes) continue;
    bytes += consensus::payload_size(t);
    out.push_back(t);
    if (where.first != evidence_lane) ++nonces[where.first];
  }
  return out;
}

}  // namespace soma::simulation
