// The audit of a revealed submission: how much data it may have to score, which members it calls,
// and the verdict of one member. Protocol §8.1.1, §8.3.1 and §8.3.5.
#pragma once

#include <span>
#include <vector>

#include "actors/rules/winner.hpp"
#include "messages/values/genesis.hpp"
#include "messages/values/rows.hpp"

namespace soma::rules {

/// The multiplications in the products of a score (arithmetic §2) for one byte of a full sequence.
/// Protocol §8.1.1 names the parts of the network that they belong to.
[[nodiscard]] std::uint64_t products_per_byte(const model_architecture& architecture);
/// The most bytes that the data of a claim may have: max_data_bytes, or fewer where scoring them
/// with all models of a target would cost more than max_audit_products. Everything that limits data
/// uses this number. It is 0 for parameters that no genesis may have.
[[nodiscard]] std::uint64_t largest_data_bytes(const genesis_parameters& p);

/// Whether data may be called unavailable in a block of this time: its submitter had this part of
/// an epoch since the reveal to hand it out. Protocol §8.3.4.
[[nodiscard]] bool data_is_overdue(const genesis_parameters& p, const submission_row& s,
                                   std::uint64_t time_ms);

/// A sample of a committee is drawn with so many draws; a committee without more seats than draws
/// audits as a whole.
inline constexpr std::size_t audit_draws = 16;
/// A sample settles a submission with `ok` in so many draws. With fewer an attacker with a third of
/// the power would settle a lie too often, with more a few silent members would delay nearly every
/// audit: the numbers stand in protocol §8.4.5.
inline constexpr std::size_t settling_draws = 14;

/// Whether the audit calls all members, and not only those that its seed draws. While the
/// submission is undecided this turns from false to true at most once. Protocol §8.3.5.
[[nodiscard]] bool calls_all(const genesis_parameters& p, const submission_row& s,
                             const committee_row& present, const chain_row& chain);
/// How often the seed of the submission draws each seat, in order of seats. It means something in
/// the epoch of the reveal alone, whose committee the seed was made for.
[[nodiscard]] std::vector<std::uint32_t> draws_by_seat(const submission_row& s,
                                                       const committee_row& present);
/// The draws that fell on members who have voted `ok`.
[[nodiscard]] std::uint32_t draws_with_ok(const submission_row& s, const committee_row& present);
/// Whether an undecided audit calls this member, which has no seat if it is not in the committee.
[[nodiscard]] bool is_called(const genesis_parameters& p, const submission_row& s,
                             const committee_row& present, const chain_row& chain,
                             const address& member);
/// Whether a decided audit had called this member of the present committee, so that its late vote
/// still counts as cast.
[[nodiscard]] bool was_called(const submission_row& s, const committee_row& present,
                              const chain_row& chain, const address& member);

struct audited_score {
  contender result;
  std::uint32_t distance_q30 = 0;  // from this model's embedding of the data to the target's point
};

/// The data as the auditor found it; absent when no store had bytes with the revealed hash.
struct audited_data {
  bool available = false;
  std::uint64_t size_bytes = 0;
};

/// The first of unavailable, wrong_size, wrong_winner, wrong_loss, wrong_distance that applies, and
/// ok when none of them does. When no score is valid there is no winner, so any claim names the
/// wrong one.
[[nodiscard]] audit_verdict judge(const submission_row& claim, const audited_data& data,
                                  std::span<const audited_score> scores);

}  // namespace soma::rules
