#include "actors/rules/audit.hpp"

namespace soma::rules {

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
