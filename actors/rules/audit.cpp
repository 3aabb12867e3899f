#include "actors/rules/audit.hpp"

#include <algorithm>

#include "actors/ledger/vote_tally.hpp"
#include "actors/rules/claims.hpp"
#include "messages/signing/signing.hpp"
#include "messages/values/seat_draw.hpp"

namespace soma::rules {
namespace {

/// The columns of the two last products of a score for each position: the tokens that can follow
/// (arithmetic §5.6), and the slices of SIGReg (arithmetic §5.8).
constexpr std::uint64_t output_columns = model_architecture::vocab + 256;

bool is_dissent(const cast_vote<audit_verdict>& vote) {
  return vote.verdict != audit_verdict::ok;
}

/// One seed in sixteen calls all members, so that nobody knows a submission that few will look at.
bool is_picked_for_all(const hash256& seed) {
  return (seed.value.back() & 0x0f) == 0;
}

bool was_revealed_in_present_epoch(const submission_row& s, const chain_row& chain) {
  SOMA_ASSERT(s.revealed_at.has_value(), "an audit begins with the reveal");
  return *s.revealed_at >= chain.epoch_first_block;
}

bool is_drawn(const submission_row& s, const committee_row& present, const address& member) {
  const auto draws = draws_by_seat(s, present);
  for (std::size_t i = 0; i < draws.size(); ++i) {
    if (present.seats[i].member == member) return draws[i] > 0;
  }
  return false;
}

}  // namespace

std::uint64_t products_per_byte(const model_architecture& a) {
  SOMA_ASSERT(is_valid(a), "a genesis has a valid architecture");
  const std::uint64_t d = a.dim, f = a.ffn, s = a.max_seq;
  // Of a layer: queries, keys, values and the output of the attention; the two matrices of the
  // feed-forward network; and for the query at position i the i + 1 keys and values that it looks
  // at, which over a full sequence are (s + 1) / 2 of each. The bounds of an architecture keep all
  // of it below 2^41.
  const std::uint64_t layer = 4 * d * d + 2 * d * f + d * (s + 1);
  return a.layers * layer + output_columns * d;
}

std::uint64_t largest_data_bytes(const genesis_parameters& p) {
  SOMA_ASSERT(p.models_per_target >= 1 && p.models_per_target <= max_assigned_models,
              "the models of a target are within their bounds");
  const auto of_one_byte = p.models_per_target * products_per_byte(p.architecture);
  return std::min(p.max_data_bytes, p.max_audit_products / of_one_byte);
}

bool data_is_overdue(const genesis_parameters& p, const submission_row& s, std::uint64_t time_ms) {
  SOMA_ASSERT(time_ms >= s.revealed_ms, "a block is not earlier than one before it");
  return time_ms - s.revealed_ms >= p.epoch_ms / short_wait_part;
}

bool calls_all(const genesis_parameters& p, const submission_row& s, const committee_row& present,
               const chain_row& chain) {
  return present.seats.size() <= audit_draws || is_picked_for_all(s.audit_seed) ||
         std::ranges::any_of(s.votes, is_dissent) || data_is_overdue(p, s, chain.time_ms) ||
         !was_revealed_in_present_epoch(s, chain);
}

std::vector<std::uint32_t> draws_by_seat(const submission_row& s, const committee_row& present) {
  std::vector<std::uint32_t> draws(present.seats.size());
  for (std::size_t i = 0; i < audit_draws; ++i)
    ++draws[seat_of_draw(present.seats, signing::audit_draw(s.audit_seed, i)).value];
  return draws;
}

std::uint32_t draws_with_ok(const submission_row& s, const committee_row& present) {
  const auto draws = draws_by_seat(s, present);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < draws.size(); ++i) {
    if (draws[i] == 0) continue;
    const auto said_ok = [&](const auto& vote) {
      return !is_dissent(vote) && vote.voter == present.seats[i].member;
    };
    if (std::ranges::any_of(s.votes, said_ok)) sum += draws[i];
  }
  return sum;
}

bool is_called(const genesis_parameters& p, const submission_row& s, const committee_row& present,
               const chain_row& chain, const address& member) {
  if (ledger::power_of(present, member).value == 0) return false;
  return calls_all(p, s, present, chain) || is_drawn(s, present, member);
}

bool was_called(const submission_row& s, const committee_row& present, const chain_row& chain,
                const address& member) {
  if (!s.sampled) return true;
  return was_revealed_in_present_epoch(s, chain) && is_drawn(s, present, member);
}

audit_verdict judge(const submission_row& claim, const audited_data& data,
                    std::span<const audited_score> scores) {
  if (!data.available) return audit_verdict::unavailable;
  if (data.size_bytes != claim.size_bytes) return audit_verdict::wrong_size;
  std::vector<contender> contenders;
  contenders.reserve(scores.size());
  for (const auto& score : scores) contenders.push_back(score.result);
  const auto winner = winner_of(contenders);
  if (!winner || contenders[*winner].model != claim.winner) return audit_verdict::wrong_winner;
  if (contenders[*winner].loss_bits != claim.loss_bits) return audit_verdict::wrong_loss;
  if (scores[*winner].distance_q30 != claim.distance_q30) return audit_verdict::wrong_distance;
  return audit_verdict::ok;
}

}  // namespace soma::rules
