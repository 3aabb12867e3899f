// The ports through which the consensus signs and verifies with real Ed25519 keys.
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

/// Verifies Ed25519 signatures. Most votes arrive twice, alone and in a certificate, so the checker
/// remembers the latest `most` votes that were valid, by a hash of key, statement and signature.
class vote_checker final : public consensus::signature_checker {
 public:
  static constexpr std::size_t most = 16'384;  // 2 MiB

  explicit vote_checker(const chain_id& chain) : chain_(chain) {}
  [[nodiscard]] bool block_is_signed(const public_key& by, const block_id& block,
                                     const signature& s) override;
  [[nodiscard]] bool vote_is_signed(const public_key& by, const vote_statement& vote,
                                    const signature& s) override;
  /// The number of signatures that were verified and not answered from memory.
  [[nodiscard]] std::uint64_t verified() const { return verified_; }

 private:
  chain_id chain_;
  std::set<hash256> good_;
  std::deque<hash256> order_;
  std::uint64_t verified_ = 0;
};

}  // namespace soma::validator
