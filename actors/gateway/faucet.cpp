#include "actors/gateway/faucet.hpp"

#include <algorithm>

namespace soma::gateway {

std::string_view to_text(faucet_refusal reason) {
  switch (reason) {
    case faucet_refusal::address_had:
      return "this address had a gift not long ago; it can have the next one a day after it";
    case faucet_refusal::host_had:
      return "as many gifts as a host may have in a day went to this one";
    case faucet_refusal::full:
      return "too many have asked today; ask again tomorrow";
  }
  return "refused";
}

void faucet::forget_old(std::uint64_t now_ms) {
  const auto is_old = [&](std::uint64_t then) { return now_ms - then >= options_.address_ms; };
  std::erase_if(given_, [&](const auto& one) { return is_old(one.second); });
  std::erase_if(hosts_, [&](const auto& one) { return is_old(one.second.since_ms); });
}

expected<void, faucet_refusal> faucet::take(const address& to, const std::string& host,
                                            std::uint64_t now_ms) {
  if (given_.size() >= options_.remembered || hosts_.size() >= options_.remembered) {
    forget_old(now_ms);
  }
  const auto before = given_.find(to);
  if (before != given_.end() && now_ms - before->second < options_.address_ms) {
    return make_unexpected(faucet_refusal::address_had);
  }
  const auto known = hosts_.find(host);
  const bool counts =
      known != hosts_.end() && now_ms - known->second.since_ms < options_.address_ms;
  if (counts && known->second.count >= options_.gifts_per_host) {
    return make_unexpected(faucet_refusal::host_had);
  }
  if ((before == given_.end() && given_.size() >= options_.remembered) ||
      (known == hosts_.end() && hosts_.size() >= options_.remembered)) {
    return make_unexpected(faucet_refusal::full);
  }
  given_[to] = now_ms;
  if (!counts) hosts_[host] = {now_ms, 0};
  ++hosts_[host].count;
  return {};
}

void faucet::give_back(const address& to, const std::string& host) {
  given_.erase(to);
  const auto known = hosts_.find(host);
  if (known != hosts_.end() && --known->second.count == 0) hosts_.erase(known);
}

wallet::own_transaction faucet::sign(const chain_id& chain, const address& to,
                                     epoch_number expiry) {
  SOMA_ASSERT(next_nonce_, "the ledger has told the nonce");
  return wallet::make_signed_transaction(options_.key, chain, (*next_nonce_)++, expiry,
                                         tx::transfer{to, options_.amount});
}

}  // namespace soma::gateway
