#include "actors/blob_exchange/server.hpp"

#include <algorithm>

namespace soma::blob_exchange {
namespace {

/// What a question costs beyond the bytes of a part.
constexpr std::size_t question_bytes = 256;

}  // namespace

void server::begin_second(std::uint64_t second) {
  if (second == second_) return;
  takers_before_ = second == second_ + 1 ? takers_ : 0;
  second_ = second;
  bytes_ = 0;
  takers_ = 0;
}

/// Each peer may have a part in a second, so that none starves, and its limit at most.
std::size_t server::share() const {
  const auto takers = std::max({takers_, takers_before_, std::size_t{1}});
  return std::clamp(options_.all_bytes_per_s / takers, max_part_bytes,
                    std::max(options_.peer_bytes_per_s, max_part_bytes));
}

std::optional<peer_message> server::answer(peer_number peer, const peer_message& question,
                                           std::uint64_t now_ms) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return std::nullopt;
  auto& from = found->second;
  const auto* sought = std::get_if<peer::seek>(&question);
  const bool is_member = members_.contains(from.key);
  if (!is_member && sought == nullptr) return std::nullopt;
  begin_second(now_ms / 1'000);
  if (from.second != second_) {
    from.second = second_;
    from.bytes = 0;
    from.questions = 0;
    from.took = false;
  }
  const auto most = is_member ? options_.peer_questions_per_s : options_.stranger_questions_per_s;
  if (++from.questions > most) return std::nullopt;
  if (sought != nullptr) return have(*sought, is_member);
  if (const auto* asked = std::get_if<peer::get>(&question)) return part(from, asked->wanted);
  return std::nullopt;
}

std::optional<peer_message> server::have(const peer::seek& sought, bool is_member) const {
  peer::have out;
  for (const auto& blob : sought.blobs) {
    if (!is_member && (!is_named_ || !is_named_(blob))) continue;
    if (const auto size = blobs_.size_of_complete(blob)) out.blobs.push_back({blob, *size});
  }
  if (out.blobs.empty()) return std::nullopt;
  return out;
}

peer::part server::part(asker& from, const peer::blob_part& wanted) {
  if (!std::exchange(from.took, true)) ++takers_;
  peer::part out;
  out.answered = wanted;
  if (from.bytes >= share() || bytes_ >= options_.all_bytes_per_s) {
    out.later = true;
    return out;
  }
  if (auto data = blobs_.part(wanted)) out.data = std::move(*data);
  const auto cost = out.data.size() + question_bytes;
  from.bytes += cost;
  bytes_ += cost;
  return out;
}

}  // namespace soma::blob_exchange
