// A verifier of the chain that holds no blocks: from one committee it trusts, through the proof of
// each epoch's end, to the present one; and from there to any header under a certificate. A row of
// the ledger is then proven against the header's state root (rules::state_proof). What must hold:
//   - The source of what it is told may lie; nothing is believed that a quorum of the right
//     committee has not signed. A refusal changes nothing.
//   - It has to come back before the stake of a committee it trusts can have been paid out: keys
//     with nothing to lose can sign anything (protocol §5, unbonding).
#pragma once

#include <span>
#include <string_view>

#include "actors/consensus/certificates.hpp"

namespace soma::consensus {

/// In the order of the checks.
enum class light_refusal : std::uint8_t {
  header_count = 1,   // none, or more than max_proof_headers
  other_chain,        // a header of another network
  other_epoch,        // of headers: not the epoch whose committee is known
  filler,             // asked to prove what is in no ledger
  not_closing,        // the first header of an epoch's proof does not close it
  not_filler,         // and a later one is not a filler
  filler_differs,     // from the block that it confirms
  not_linked,         // a header is not the next one's parent
  not_final,          // the certificate does not finalize
  other_block,        // the certificate is not of the last header
  bad_certificate,    // certificates.hpp says why
  committee_differs,  // from the one that the closing header names
  bad_committee,      // no seats, too many, or powers that do not sum up
  contradicts_before  // what was proven before: two final blocks of one height
};
[[nodiscard]] std::string_view to_text(light_refusal reason);

class light_client {
 public:
  /// Trusts these seats for this epoch. Asserted to be a committee.
  light_client(const chain_id& chain, epoch_number epoch, std::vector<committee_seat> seats);

  /// The known epoch is over; the next one's committee is known from here on.
  expected<void, light_refusal> next_epoch(const epoch_proof& proof, signature_checker& checker);
  /// The first header is final: the last one is under this certificate, and each is the next one's
  /// parent. All of the known epoch.
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
