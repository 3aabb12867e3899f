// What makes a certificate: votes of one statement by a quorum of one epoch's committee. The one
// place where that is decided, for the core, for a validator that catches up and for light clients.
#pragma once

#include <string_view>

#include "actors/consensus/agreement.hpp"
#include "messages/values/expected.hpp"

namespace soma::consensus {

/// In the order of the checks: the cheap ones first.
enum class certificate_refusal : std::uint8_t {
  kind_unknown = 1,
  other_epoch,
  view_zero,      // nobody votes in view 0: it is where an epoch starts
  skip_of_block,  // a skip names no block
  block_missing,  // anything else does
  signer_unknown,
  signature_count,  // not one signature a signer
  power_too_low,
  bad_signature
};
[[nodiscard]] std::string_view to_text(certificate_refusal reason);

/// Everything but the signatures.
[[nodiscard]] expected<void, certificate_refusal> check_shape(const certificate& c,
                                                              const committee& members);
/// A valid certificate of that committee's epoch. Signatures are looked at last, in order of
/// index, until one does not hold.
[[nodiscard]] expected<void, certificate_refusal> check(const certificate& c,
                                                        const committee& members,
                                                        signature_checker& checker);

}  // namespace soma::consensus
