#include "actors/consensus/light_client.hpp"

#include <algorithm>

#include "messages/signing/signing.hpp"
#include "messages/values/assert.hpp"

namespace soma::consensus {
namespace {

std::optional<light_refusal> look_at_flags(std::span<const block_header> headers) {
  using enum light_refusal;
  const auto& closing = headers.front();
  if (closing.flags != block_closes_epoch) return not_closing;
  for (const auto& later : headers.subspan(1)) {
    if (later.flags != block_is_filler) return not_filler;
    if (later.height != closing.height || later.transactions != 0 || later.payload_bytes != 0 ||
        later.state_root != closing.state_root || later.next_committee != closing.next_committee) {
      return filler_differs;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_text(light_refusal reason) {
  switch (reason) {
    case light_refusal::header_count:
      return "there are no headers, or too many";
    case light_refusal::other_chain:
      return "a header belongs to another network";
    case light_refusal::other_epoch:
      return "a header belongs to another epoch";
    case light_refusal::filler:
      return "a filler is no block of the ledger";
    case light_refusal::not_closing:
      return "the first header does not close the epoch";
    case light_refusal::not_filler:
      return "a header after the closing one is not a filler";
    case light_refusal::filler_differs:
      return "a filler differs from the closing block";
    case light_refusal::not_linked:
      return "a header is not the parent of the next one";
    case light_refusal::not_final:
      return "the certificate does not finalize";
    case light_refusal::other_block:
      return "the certificate is not of the last header";
    case light_refusal::bad_certificate:
      return "the certificate does not hold";
    case light_refusal::committee_differs:
      return "the committee is not the one that the closing header names";
    case light_refusal::bad_committee:
      return "the committee's powers do not sum up";
    case light_refusal::contradicts_before:
      return "another block of this height was proven before: two committees' quorums lied";
  }
  return "unknown";
}

bool can_be_committee(std::span<const committee_seat> seats) {
  if (seats.empty() || seats.size() > max_seats) return false;
  voting_power sum;
  for (const auto& seat : seats) {
    if (seat.power.value == 0 || seat.power > total_power) return false;
    sum += seat.power;
  }
  return sum == total_power;
}

light_client::light_client(const chain_id& chain, epoch_number epoch,
                           std::vector<committee_seat> seats, std::optional<block_header> proven)
    : chain_(chain),
      members_(chain, epoch, std::move(seats), hash256{}),
      proven_(std::move(proven)) {}

// Checks everything that needs no verification of signatures.
std::optional<light_refusal> light_client::look_at(std::span<const block_header> headers,
                                                   const certificate& final) const {
  using enum light_refusal;
  for (const auto& header : headers) {
    if (header.chain != chain_) return other_chain;
    if (header.epoch != epoch()) return other_epoch;
  }
  block_id parent = signing::id_of(headers.front());
  for (std::size_t i = 1; i < headers.size(); ++i) {
    if (headers[i].parent != parent || headers[i].parent_view != headers[i - 1].view ||
        headers[i].view <= headers[i - 1].view) {
      return not_linked;
    }
    parent = signing::id_of(headers[i]);
  }
  if (final.statement.kind != vote_kind::finalize) return not_final;
  if (final.statement.block != parent || final.statement.view != headers.back().view)
    return other_block;
  return std::nullopt;
}

bool light_client::differs_from_proven(const block_header& header) const {
  return proven_ && proven_->height == header.height && *proven_ != header;
}

expected<void, light_refusal> light_client::next_epoch(const epoch_proof& proof,
                                                       signature_checker& checker) {
  using enum light_refusal;
  const std::span<const block_header> headers = proof.headers;
  if (headers.empty() || headers.size() > max_proof_headers) return make_unexpected(header_count);
  if (const auto no = look_at(headers, proof.final)) return make_unexpected(*no);
  if (const auto no = look_at_flags(headers)) return make_unexpected(*no);
  const auto& closing = headers.front();
  if (!can_be_committee(proof.next_committee)) return make_unexpected(bad_committee);
  if (signing::committee_hash(proof.next_committee) != closing.next_committee) {
    return make_unexpected(committee_differs);
  }
  if (!check(proof.final, members_, checker)) return make_unexpected(bad_certificate);
  if (differs_from_proven(closing)) return make_unexpected(contradicts_before);
  SOMA_ASSERT((closing.flags & block_closes_epoch) != 0, "a closing block ends an epoch");
  proven_ = closing;
  members_ = committee(chain_, epoch().next(), proof.next_committee, hash256{});
  return {};
}

expected<void, light_refusal> light_client::prove(std::span<const block_header> headers,
                                                  const certificate& final,
                                                  signature_checker& checker) {
  using enum light_refusal;
  if (headers.empty() || headers.size() > max_proof_headers) return make_unexpected(header_count);
  if ((headers.front().flags & block_is_filler) != 0) return make_unexpected(filler);
  if (const auto no = look_at(headers, final)) return make_unexpected(*no);
  if (!check(final, members_, checker)) return make_unexpected(bad_certificate);
  if (differs_from_proven(headers.front())) return make_unexpected(contradicts_before);
  if (!proven_ || headers.front().height > proven_->height) proven_ = headers.front();
  return {};
}

}  // namespace soma::consensus
