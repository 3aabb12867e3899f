// A verifier of the chain that holds no blocks. It starts from one committee that it trusts, and
// the proof of each epoch's end takes it to the committee of the next epoch, up to the present one.
// A certificate of that committee proves a header, and the header's state root proves a row of the
// ledger (rules::state_proof). What must hold:
//   - The source of its data may lie. The client believes only what a quorum of the right committee
//     has signed. A refusal does not change its state.
//   - It has to be brought up to date before the stake of the committee that it trusts can have
//     been paid out, because keys without stake can sign anything at no cost (protocol §5,
//     unbonding).
#pragma once

#include <span>
#include <string_view>

#include "actors/consensus/certificates.hpp"

namespace soma::consensus {

/// In the order of the checks.
enum class light_refusal : std::uint8_t {
  header_count = 1,   // there is no header, or more than max_proof_headers
  other_chain,        // a header belongs to another network
  other_epoch,        // a header does not belong to the epoch whose committee is known
  filler,             // the header to prove is a filler, which is in no ledger
  not_closing,        // the first header of an epoch's proof does not close the epoch
  not_filler,         // a later header of an epoch's proof is not a filler
  filler_differs,     // a filler differs from the closing block that it confirms
  not_linked,         // a header is not the parent of the next one
  not_final,          // the certificate does not finalize
  other_block,        // the certificate does not name the last header
  bad_certificate,    // check() in certificates.hpp refuses the certificate
  committee_differs,  // the committee is not the one that the closing header names
  bad_committee,      // it has no seats, too many, or powers that do not sum to total_power
  contradicts_before  // another header of this height was proven before
};
[[nodiscard]] std::string_view to_text(light_refusal reason);

/// Whether these seats can be a committee: not too many, each with power, and the powers sum to
/// total_power.
[[nodiscard]] bool can_be_committee(std::span<const committee_seat> seats);

class light_client {
 public:
  /// Trusts these seats for this epoch. Asserts that they are a committee. `proven` is the highest
  /// header that an earlier light client has proven.
  light_client(const chain_id& chain, epoch_number epoch, std::vector<committee_seat> seats,
               std::optional<block_header> proven = {});

  /// Takes the proof that the known epoch is over. From then on the next epoch is the known one.
  expected<void, light_refusal> next_epoch(const epoch_proof& proof, signature_checker& checker);
  /// Proves that the first header is final. The certificate finalizes the last header, each header
  /// is the parent of the next one, and all belong to the known epoch.
  expected<void, light_refusal> prove(std::span<const block_header> headers,
                                      const certificate& final, signature_checker& checker);

  [[nodiscard]] epoch_number epoch() const { return members_.epoch(); }
  [[nodiscard]] const committee& members() const { return members_; }
  /// The highest header proven so far.
  [[nodiscard]] const std::optional<block_header>& proven() const { return proven_; }

 private:
  [[nodiscard]] std::optional<light_refusal> look_at(std::span<const block_header> headers,
                                                     const certificate& final) const;
  [[nodiscard]] bool differs_from_proven(const block_header& header) const;

  chain_id chain_;
  committee members_;
  std::optional<block_header> proven_;
};

}  // namespace soma::consensus
