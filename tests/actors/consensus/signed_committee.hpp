// Committees with their private keys, and what they sign, for tests that need real signatures.
#pragma once

#include <algorithm>
#include <map>

#include "actors/consensus/certificates.hpp"
#include "messages/signing/signing.hpp"

namespace soma::consensus::testing {

/// Verifies with the real keys, and counts, so that tests see how much a refusal costs.
class real_checker final : public signature_checker {
 public:
  explicit real_checker(const chain_id& chain) : chain_(chain) {}
  bool block_is_signed(const public_key& by, const block_id& block, const signature& s) override {
    checks += 1;
    return signing::verify_block(by, block, s);
  }
  bool vote_is_signed(const public_key& by, const vote_statement& vote,
                      const signature& s) override {
    checks += 1;
    return signing::verify_vote(by, chain_, vote, s);
  }
  std::uint64_t checks = 0;

 private:
  chain_id chain_;
};

/// The certificate by which these seats make a block final; `keys` has the key of each seat.
inline certificate final_certificate(const block_header& header,
                                     const std::vector<committee_seat>& seats,
                                     const std::vector<crypto::key_pair>& keys) {
  certificate made{
      {vote_kind::finalize, header.epoch, header.view, signing::id_of(header)}, {}, {}};
  for (std::uint16_t i = 0; i < seats.size(); ++i) {
    const auto key = std::ranges::find(keys, seats[i].consensus_key,
                                       [](const auto& one) { return one.public_half(); });
    made.signers.add({i});
    made.signatures.push_back(signing::sign_vote(*key, header.chain, made.statement));
  }
  return made;
}

/// One committee with the private keys of its members.
class signed_committee {
 public:
  signed_committee(const chain_id& chain, epoch_number epoch,
                   const std::vector<std::uint32_t>& powers, std::uint8_t salt = 0)
      : chain_(chain) {
    std::vector<committee_seat> seats(powers.size());
    for (std::size_t i = 0; i < powers.size(); ++i) {
      std::array<std::uint8_t, 32> seed{};
      seed[0] = static_cast<std::uint8_t>(i + 1);
      seed[1] = salt;
      keys_.push_back(crypto::key_pair::from_seed(seed));
      seats[i].member = crypto::address_of(keys_.back().public_half());
      seats[i].consensus_key = keys_.back().public_half();
      seats[i].power = {powers[i]};
    }
    members_ = committee(chain, epoch, std::move(seats), hash256{});
  }

  [[nodiscard]] const committee& members() const { return members_; }
  [[nodiscard]] const crypto::key_pair& key(seat_index seat) const { return keys_[seat.value]; }

  [[nodiscard]] certificate certify(const vote_statement& statement,
                                    const std::vector<std::uint16_t>& signers) const {
    certificate c{statement, {}, {}};
    for (const auto seat : signers) {
      c.signers.add({seat});
      c.signatures.push_back(signing::sign_vote(keys_[seat], chain_, statement));
    }
    return c;
  }
  [[nodiscard]] certificate finalize(const block_header& header,
                                     const std::vector<std::uint16_t>& signers) const {
    return certify({vote_kind::finalize, members_.epoch(), header.view, signing::id_of(header)},
                   signers);
  }

 private:
  chain_id chain_;
  committee members_;
  std::vector<crypto::key_pair> keys_;
};

}  // namespace soma::consensus::testing
