// The agreement's ports to the real keys: what signs, what verifies.
#pragma once

#include <deque>
#include <set>

#include "actors/consensus/agreement.hpp"
#include "messages/crypto/ed25519.hpp"

namespace soma::validator {

class key_signer final : public consensus::signer {
 public:
  key_signer(crypto::key_pair key, const chain_id& chain) : key_(std::move(key)), chain_(chain) {}
  [[nodiscard]] const public_key& key() const override { return key_.public_half(); }
  [[nodiscard]] signature sign_block(const block_id& block) override;
  [[nodiscard]] signature sign_vote(const vote_statement& vote) override;
  [[nodiscard]] const crypto::key_pair& pair() const { return key_; }

 private:
  crypto::key_pair key_;
  chain_id chain_;
};

/// Ed25519. Most votes come twice, alone and in a certificate: those that were good are remembered,
/// the latest `most` of them, by a hash of key, statement and signature.
class vote_checker final : public consensus::signature_checker {
 public:
  static constexpr std::size_t most = 16'384;  // 2 MiB

  explicit vote_checker(const chain_id& chain) : chain_(chain) {}
  [[nodiscard]] bool block_is_signed(const public_key& by, const block_id& block,
                                     const signature& s) override;
  [[nodiscard]] bool vote_is_signed(const public_key& by, const vote_statement& vote,
                                    const signature& s) override;
  /// Signatures that were really verified.
  [[nodiscard]] std::uint64_t verified() const { return verified_; }

 private:
  chain_id chain_;
  std::set<hash256> good_;
  std::deque<hash256> order_;
  std::uint64_t verified_ = 0;
};

}  // namespace soma::validator
