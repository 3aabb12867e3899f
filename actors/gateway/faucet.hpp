// The faucet of a gateway: who may have a gift, and the transactions that make them. What must
// hold:
//   - An address gets one gift in the time that the options name, and a host so many.
//   - What is remembered is bounded. When there is no room, nobody gets anything, so that nobody
//     can force it to forget.
//   - Each nonce is used once. After a refusal the ledger is asked for the nonce again.
#pragma once

#include <map>
#include <string>

#include "actors/gateway/gateway.hpp"
#include "actors/wallet/wallet.hpp"

namespace soma::gateway {

enum class faucet_refusal : std::uint8_t {
  address_had = 1,  // this address had a gift not long ago
  host_had,         // this host asked for as many gifts as it may
  full,             // more asked than are remembered
};
[[nodiscard]] std::string_view to_text(faucet_refusal reason);

class faucet {
 public:
  explicit faucet(faucet_options options) : options_(std::move(options)) {}

  /// Counts a gift at this time of a steady clock, or says why there is none.
  [[nodiscard]] expected<void, faucet_refusal> take(const address& to, const std::string& host,
                                                    std::uint64_t now_ms);
  /// Takes back what take() counted, since the gift was not made.
  void give_back(const address& to, const std::string& host);

  [[nodiscard]] address owner() const { return crypto::address_of(options_.key.public_half()); }
  [[nodiscard]] shannons amount() const { return options_.amount; }
  [[nodiscard]] bool knows_nonce() const { return next_nonce_.has_value(); }
  void learn_nonce(std::uint64_t of_ledger) { next_nonce_ = of_ledger; }
  void forget_nonce() { next_nonce_.reset(); }
  /// The signed gift. Asserts that the nonce is known, and counts it as used.
  [[nodiscard]] wallet::own_transaction sign(const chain_id& chain, const address& to,
                                             epoch_number expiry);

 private:
  struct host_gifts {
    std::uint64_t since_ms = 0;
    std::size_t count = 0;
  };
  void forget_old(std::uint64_t now_ms);

  faucet_options options_;
  std::map<address, std::uint64_t> given_;  // to the time of the gift
  std::map<std::string, host_gifts> hosts_;
  std::optional<std::uint64_t> next_nonce_;
};

}  // namespace soma::gateway
