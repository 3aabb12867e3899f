// Decides whether a certificate is valid: it must hold the votes of a quorum of one epoch's
// committee for one statement. The core, state sync and light clients all decide it here.
#pragma once

#include <string_view>

#include "actors/consensus/agreement.hpp"
#include "messages/values/expected.hpp"

namespace soma::consensus {

/// In the order of the checks: the cheap ones first.
enum class certificate_refusal : std::uint8_t {
  kind_unknown = 1,
  other_epoch,
  view_zero,      // an epoch starts in view 0, and no vote belongs to it
  skip_of_block,  // a skip must not name a block
  block_missing,  // every other kind must name one
  signer_unknown,
  signature_count,  // there must be one signature per signer
  power_too_low,
  bad_signature
};
[[nodiscard]] std::string_view to_text(certificate_refusal reason);

/// Checks everything except the signatures.
[[nodiscard]] expected<void, certificate_refusal> check_shape(const certificate& c,
                                                              const committee& members);
/// Checks a certificate of that committee's epoch. The signatures are verified last, in the order
/// of the seats, until one is not valid.
[[nodiscard]] expected<void, certificate_refusal> check(const certificate& c,
                                                        const committee& members,
                                                        signature_checker& checker);

}  // namespace soma::consensus
