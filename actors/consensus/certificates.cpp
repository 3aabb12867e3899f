#include "actors/consensus/certificates.hpp"

namespace soma::consensus {

std::string_view to_text(certificate_refusal reason) {
  switch (reason) {
    case certificate_refusal::kind_unknown:
      return "the kind of vote is unknown";
    case certificate_refusal::other_epoch:
      return "it belongs to another epoch";
    case certificate_refusal::view_zero:
      return "view 0 has no votes";
    case certificate_refusal::skip_of_block:
      return "a skipped view names a block";
    case certificate_refusal::block_missing:
      return "it names no block";
    case certificate_refusal::signer_unknown:
      return "a signer is not in the committee";
    case certificate_refusal::signature_count:
      return "it has not one signature for each signer";
    case certificate_refusal::power_too_low:
      return "its signers have less than a quorum's power";
    case certificate_refusal::bad_signature:
      return "a signature does not hold";
  }
  return "unknown";
}

expected<void, certificate_refusal> check_shape(const certificate& c, const committee& members) {
  using enum certificate_refusal;
  const bool is_skip = c.statement.kind == vote_kind::skip;
  if (!is_skip && c.statement.kind != vote_kind::notarize &&
      c.statement.kind != vote_kind::finalize) {
    return make_unexpected(kind_unknown);
  }
  if (c.statement.epoch != members.epoch()) return make_unexpected(other_epoch);
  if (c.statement.view.value == 0) return make_unexpected(view_zero);
  if (is_skip && !c.statement.block.is_zero()) return make_unexpected(skip_of_block);
  if (!is_skip && c.statement.block.is_zero()) return make_unexpected(block_missing);
  for (auto i = static_cast<std::uint16_t>(members.size()); i < signer_set::capacity; ++i) {
    if (c.signers.has({i})) return make_unexpected(signer_unknown);
  }
  if (c.signers.count() != c.signatures.size()) return make_unexpected(signature_count);
  if (!is_quorum(members.power_of(c.signers))) return make_unexpected(power_too_low);
  return {};
}

expected<void, certificate_refusal> check(const certificate& c, const committee& members,
                                          signature_checker& checker) {
  if (auto fine = check_shape(c, members); !fine) return fine;
  std::size_t next = 0;
  for (const auto seat : c.signers.members()) {
    if (!checker.vote_is_signed(members.key_of(seat), c.statement, c.signatures[next])) {
      return make_unexpected(certificate_refusal::bad_signature);
    }
    next += 1;
  }
  return {};
}

}  // namespace soma::consensus
