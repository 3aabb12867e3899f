#include "actors/state_sync/snapshot_chunk.hpp"

#include "messages/codec/codec_proofs.hpp"

namespace soma::state_sync {
namespace {

template <class Number>
void put(bytes& to, Number number) {
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    to.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
  }
}
void put_sized(bytes& to, byte_view data) {
  put(to, static_cast<std::uint32_t>(data.size()));
  to.insert(to.end(), data.begin(), data.end());
}

/// Reads numbers and bytes in turn. After the first one that is missing, all later ones are
/// missing.
class reader {
 public:
  explicit reader(byte_view data) : left_(data) {}
  template <class Number>
  Number number() {
    const auto from = take(sizeof(Number));
    Number read = 0;
    for (std::size_t i = 0; i < from.size(); ++i) read |= static_cast<Number>(from[i]) << (8 * i);
    return read;
  }
  byte_view sized() { return take(number<std::uint32_t>()); }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool at_end() const { return !failed_ && left_.empty(); }

 private:
  byte_view take(std::size_t size) {
    if (failed_ || size > left_.size()) {
      failed_ = true;
      return {};
    }
    const auto taken = left_.first(size);
    left_ = left_.subspan(size);
    return taken;
  }
  byte_view left_;
  bool failed_ = false;
};

bytes copied(byte_view data) {
  return {data.begin(), data.end()};
}

}  // namespace

std::string_view to_text(chunk_refusal reason) {
  switch (reason) {
    case chunk_refusal::malformed:
      return "the bytes are no chunk";
    case chunk_refusal::not_next:
      return "the chunk is not the next one";
    case chunk_refusal::not_of_ledger:
      return "the chunk is not of the ledger with this state root";
  }
  return "unknown";
}

bytes encode_chunk(const snapshot_chunk& chunk) {
  bytes out;
  put(out, chunk.range.depth);
  put(out, chunk.range.first);
  put(out, chunk.range.end);
  put_sized(out, encode(chunk.proof));
  put(out, static_cast<std::uint32_t>(chunk.rows.size()));
  for (const auto& row : chunk.rows) {
    put_sized(out, row.key);
    put_sized(out, row.value);
  }
  return out;
}

expected<snapshot_chunk, chunk_refusal> decode_chunk(byte_view data) {
  if (data.size() > max_chunk_bytes) return make_unexpected(chunk_refusal::malformed);
  reader from(data);
  snapshot_chunk chunk;
  chunk.range.depth = from.number<std::uint32_t>();
  chunk.range.first = from.number<std::uint64_t>();
  chunk.range.end = from.number<std::uint64_t>();
  auto proof = decode<chunk_proof>(from.sized());
  if (!proof) return make_unexpected(chunk_refusal::malformed);
  chunk.proof = std::move(*proof);
  for (auto rows = from.number<std::uint32_t>(); rows > 0 && !from.failed(); --rows) {
    const auto key = from.sized();
    chunk.rows.push_back({copied(key), copied(from.sized())});
  }
  if (!from.at_end()) return make_unexpected(chunk_refusal::malformed);
  return chunk;
}

expected<void, chunk_refusal> chunk_position::step(const snapshot_chunk& chunk,
                                                   const state_root& root) {
  const auto& range = chunk.range;
  if (complete_ || !state_tree::is_range(range)) return make_unexpected(chunk_refusal::not_next);
  const auto shift = state_tree::deepest_range - range.depth;
  if (range.first << shift != next_) return make_unexpected(chunk_refusal::not_next);
  std::vector<state_tree::row_view> rows;
  rows.reserve(chunk.rows.size());
  for (const auto& row : chunk.rows) rows.push_back({row.key, row.value});
  if (!state_tree::verify_chunk(rows, range, chunk.proof, root)) {
    return make_unexpected(chunk_refusal::not_of_ledger);
  }
  totals_ = chunk.proof.totals;
  next_ = range.end << shift;
  complete_ = next_ == std::uint64_t{1} << state_tree::deepest_range;
  return {};
}

}  // namespace soma::state_sync
