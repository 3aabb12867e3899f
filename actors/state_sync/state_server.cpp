#include "actors/state_sync/state_server.hpp"

#include <algorithm>

#include "messages/codec/codec_consensus.hpp"

namespace soma::state_sync {

state_server::state_server(const tables::ledger_store& ledger, const std::filesystem::path& folder,
                           state_server_options options)
    : ledger_(ledger), options_(options) {
  if (folder.empty()) return;
  folder_.emplace(folder, true);
  look();
}

void state_server::look() {
  read_.clear();
  asked_ms_.reset();
  is_provable_ = folder_->height() && ledger_.view().epoch_end(epoch_number{}).has_value();
}

bool state_server::wants_snapshot(std::uint64_t now_ms) const {
  if (!folder_) return false;
  const bool is_taken = asked_ms_ && now_ms < *asked_ms_ + options_.keep_asked_ms;
  return !is_taken || now_ms >= made_ms_ + options_.keep_most_ms;
}

void state_server::snapshot_made(std::uint64_t now_ms) {
  folder_->look();
  made_ms_ = now_ms;
  look();
}

std::optional<peer::state_part> state_server::answer(peer_number peer, const peer::ask_state& asked,
                                                     std::uint64_t now_ms) {
  auto& mine = spent_[peer];
  for (auto* spent : {&mine, &all_}) {
    if (spent->number != now_ms / 1'000) *spent = {now_ms / 1'000, 0, 0};
  }
  if (++mine.questions > options_.peer_questions_per_s) return std::nullopt;
  if (mine.bytes >= options_.peer_bytes_per_s || all_.bytes >= options_.all_bytes_per_s) {
    peer::state_part later;
    later.later = true;
    later.epoch = asked.epoch;
    later.chunk = asked.chunk;
    later.from = asked.from;
    return later;
  }
  auto part = asked.height.value == 0 ? end_of(asked) : piece(asked, now_ms);
  part.epoch = asked.epoch;
  part.chunk = asked.chunk;
  part.from = asked.from;
  if (is_provable_) {
    part.height = *folder_->height();
    part.chunks = folder_->chunks();
  }
  const auto cost = part.data.size() + (part.end ? encode(*part.end).size() : 0) + 256;
  mine.bytes += cost;
  all_.bytes += cost;
  return part;
}

peer::state_part state_server::end_of(const peer::ask_state& asked) {
  peer::state_part part;
  part.end = ledger_.view().epoch_end(asked.epoch);
  return part;
}

peer::state_part state_server::piece(const peer::ask_state& asked, std::uint64_t now_ms) {
  peer::state_part part;
  if (!is_provable_ || asked.height != folder_->height()) return part;
  const auto* data = chunk(asked.chunk);
  if (data == nullptr || asked.from >= data->size()) return part;
  asked_ms_ = now_ms;
  const auto size = std::min(max_state_data_bytes, data->size() - asked.from);
  const auto begin = data->begin() + asked.from;
  part.data.assign(begin, begin + static_cast<std::ptrdiff_t>(size));
  part.chunk_bytes = static_cast<std::uint32_t>(data->size());
  return part;
}

/// The bytes of a chunk, until the next call; nullptr when there is no such chunk.
const bytes* state_server::chunk(std::uint32_t number) {
  const auto at = std::ranges::find(read_, number, &cached::number);
  if (at != read_.end()) {
    std::rotate(read_.begin(), at, at + 1);
    return &read_.front().data;
  }
  auto data = folder_->chunk(number);
  if (!data) return nullptr;
  ++reads_;
  if (read_.size() == most_read) read_.pop_back();
  read_.push_front({number, std::move(*data)});
  return &read_.front().data;
}

}  // namespace soma::state_sync
