// The verdict of one auditor that fetched the data and scored every assigned version. Protocol
// §8.3.1.
#pragma once

#include <span>

#include "actors/rules/winner.hpp"
#include "messages/values/rows.hpp"

namespace soma::rules {

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
