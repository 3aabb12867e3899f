// The points of peers for misbehaviour, which fade with time, and how long a peer with too many of
// them is refused. It is pure and its size is bounded (security §6.3); the caller gives the time.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace soma::mesh {

struct misbehaviour_rules {
  std::uint32_t refuse_at = 100;     // points
  std::uint32_t forget_ms = 60'000;  // half of the points are forgotten after this long
  std::uint32_t refuse_for_ms = 60'000;
};

class misbehaviour_scores {
 public:
  explicit misbehaviour_scores(misbehaviour_rules rules) : rules_(rules) {}

  /// Adds points. True when they have become too many: then they are set to 0, and the caller
  /// decides what follows.
  [[nodiscard]] bool add(const std::string& who, std::uint32_t points, std::uint64_t now_ms);
  /// Refuses `who` from now on for refuse_for_ms.
  void refuse(const std::string& who, std::uint64_t now_ms);
  [[nodiscard]] bool is_refused(const std::string& who, std::uint64_t now_ms) const;

  [[nodiscard]] std::size_t size() const { return records_.size(); }
  static constexpr std::size_t max_records = 1024;

 private:
  struct record {
    std::uint32_t points = 0;
    std::uint64_t counted_ms = 0;  // when the points were halved last, or when they began
    std::uint64_t refused_until_ms = 0;
  };
  record& record_of(const std::string& who, std::uint64_t now_ms);
  void fade(record& r, std::uint64_t now_ms) const;

  misbehaviour_rules rules_;
  std::map<std::string, record> records_;
};

}  // namespace soma::mesh
