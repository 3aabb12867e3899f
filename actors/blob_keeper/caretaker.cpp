#include "actors/blob_keeper/caretaker.hpp"

#include <algorithm>

namespace soma::blob_keeper {
namespace {

constexpr std::uint64_t chunk_bytes = std::uint64_t{1} << 20U;

}  // namespace

caretaker::caretaker(std::shared_ptr<blobs::blob_store> disk, caretaker_options options)
    : disk_(std::move(disk)), options_(options) {}

caretaker::findings caretaker::step(std::uint64_t now_ms,
                                    const std::function<bool(const blob_id&)>& is_needed) {
  findings found;
  if (!collected_ms_) collected_ms_ = now_ms;
  if (now_ms >= *collected_ms_ + options_.collect_every_ms) {
    collected_ms_ = now_ms;
    collect(now_ms, is_needed, found);
  }
  const auto passed_ms = std::min<std::uint64_t>(now_ms - last_ms_.value_or(now_ms), 1'000);
  last_ms_ = now_ms;
  // At least a chunk is saved up for, or a low rate would never read one.
  may_read_bytes_ = std::min(may_read_bytes_ + passed_ms * options_.scrub_bytes_per_s / 1'000,
                             std::max(options_.scrub_bytes_per_s, chunk_bytes));
  scrub(now_ms, found);
  return found;
}

void caretaker::collect(std::uint64_t now_ms, const std::function<bool(const blob_id&)>& is_needed,
                        findings& found) {
  const auto all = disk_->list();
  std::map<blob_id, std::uint64_t> unneeded;
  std::vector<blob_id> live;
  std::vector<blob_id> expired;
  for (const auto& blob : all) {
    if (is_needed(blob)) {
      live.push_back(blob);
      continue;
    }
    const auto known = unneeded_since_ms_.find(blob);
    const auto since_ms = known == unneeded_since_ms_.end() ? now_ms : known->second;
    unneeded.emplace(blob, since_ms);
    (now_ms >= since_ms + options_.unneeded_ms ? expired : live).push_back(blob);
  }
  unneeded_since_ms_ = std::move(unneeded);
  found.freed_bytes = disk_->collect(live, options_.unneeded_ms).freed_bytes;
  std::ranges::copy_if(expired, std::back_inserter(found.removed),
                       [&](const blob_id& blob) { return !disk_->have(blob); });
}

void caretaker::scrub(std::uint64_t now_ms, findings& found) {
  while (may_read_bytes_ >= chunk_bytes) {
    if (!reading_) {
      if (to_read_.empty()) {
        if (pass_ms_ && now_ms < *pass_ms_ + options_.scrub_every_ms) return;
        pass_ms_ = now_ms;
        to_read_ = disk_->list();
        if (to_read_.empty()) return;
      }
      read_ = to_read_.back();
      to_read_.pop_back();
      next_chunk_ = 0;
      auto opened = disk_->open(read_);
      if (opened) {
        reading_ = std::move(*opened);
      } else if (opened.error() == blobs::blob_refusal::corrupt_chunk) {
        found.damaged.push_back(read_);
      }
      continue;
    }
    may_read_bytes_ -= chunk_bytes;
    const auto chunk = reading_->chunk(next_chunk_);
    if (!chunk) found.damaged.push_back(read_);
    if (!chunk || ++next_chunk_ == reading_->chunks()) reading_.reset();
  }
}

}  // namespace soma::blob_keeper
