#include "actors/mesh/misbehaviour_scores.hpp"

#include <algorithm>
#include <tuple>

namespace soma::mesh {

void misbehaviour_scores::fade(record& r, std::uint64_t now_ms) const {
  while (r.points > 0 && now_ms - r.counted_ms >= rules_.forget_ms) {
    r.points /= 2;
    r.counted_ms += rules_.forget_ms;
  }
}

misbehaviour_scores::record& misbehaviour_scores::record_of(const std::string& who,
                                                            std::uint64_t now_ms) {
  if (const auto found = records_.find(who); found != records_.end()) return found->second;
  if (records_.size() >= max_records) {
    for (auto entry = records_.begin(); entry != records_.end();) {
      fade(entry->second, now_ms);
      const bool over = entry->second.points == 0 && entry->second.refused_until_ms <= now_ms;
      entry = over ? records_.erase(entry) : std::next(entry);
    }
  }
  if (records_.size() >= max_records) {
    // The record with the least against its peer goes. So a flood of new peers drives out new
    // peers.
    records_.erase(std::ranges::min_element(records_, {}, [](const auto& entry) {
      return std::tuple(entry.second.refused_until_ms, entry.second.points);
    }));
  }
  record fresh;
  fresh.counted_ms = now_ms;
  return records_.emplace(who, fresh).first->second;
}

bool misbehaviour_scores::add(const std::string& who, std::uint32_t points, std::uint64_t now_ms) {
  record& r = record_of(who, now_ms);
  fade(r, now_ms);
  if (r.points == 0) r.counted_ms = now_ms;
  r.points += std::min(points, rules_.refuse_at);  // less than twice refuse_at, so no overflow
  if (r.points < rules_.refuse_at) return false;
  r.points = 0;
  return true;
}

void misbehaviour_scores::refuse(const std::string& who, std::uint64_t now_ms) {
  record_of(who, now_ms).refused_until_ms = now_ms + rules_.refuse_for_ms;
}

bool misbehaviour_scores::is_refused(const std::string& who, std::uint64_t now_ms) const {
  const auto found = records_.find(who);
  return found != records_.end() && now_ms < found->second.refused_until_ms;
}

}  // namespace soma::mesh
