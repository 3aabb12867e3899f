#include <algorithm>
#include <cstring>

#include "messages/values/architecture.hpp"
#include "model/tokens/tokens.hpp"
#include "tests/fuzz/harness.hpp"

namespace soma::fuzz {
namespace {

using tokens::token;
using tokens::token_batch;

/// The sequences as one endless ribbon of slots: the data, EOS in the slot behind it unless a
/// sequence ends there, PAD from there on.
class ribbon {
 public:
  ribbon(byte_view data, std::uint64_t length) : data_(data), length_(length) {}
  [[nodiscard]] token at(std::uint64_t slot) const {
    if (slot < data_.size()) return data_[slot];
    return slot == data_.size() && slot % length_ != 0 ? tokens::eos_token : tokens::pad_token;
  }
  [[nodiscard]] std::uint32_t position(std::uint64_t slot) const {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(slot, data_.size()));
  }
  [[nodiscard]] token target(std::uint64_t slot) const {
    return slot % length_ == length_ - 1 ? tokens::pad_token : at(slot + 1);
  }

 private:
  byte_view data_;
  std::uint64_t length_;
};

/// Whole sequences that the data begins, counted one by one.
std::uint64_t sequences_begun(std::uint64_t size, std::uint64_t length) {
  std::uint64_t count = 0;
  for (std::uint64_t begin = 0; begin < size; begin += length) ++count;
  return count;
}

std::string check_batch(const token_batch& batch, const ribbon& expected, std::uint64_t length,
                        std::uint64_t first, std::uint64_t sequences) {
  if (batch.sequences != sequences) return "another number of sequences";
  if (batch.length != length) return "another length";
  const std::uint64_t slots = sequences * length;
  if (batch.tokens.size() != slots || batch.positions.size() != slots ||
      batch.targets.size() != slots) {
    return "another number of slots";
  }
  for (std::uint64_t i = 0; i < slots; ++i) {
    const std::uint64_t slot = first * length + i;
    const char* const wrong = batch.tokens[i] != expected.at(slot)            ? "token"
                              : batch.positions[i] != expected.position(slot) ? "position"
                              : batch.targets[i] != expected.target(slot)     ? "target"
                              : batch.tokens[i] >= model_architecture::vocab  ? "vocabulary"
                                                                              : nullptr;
    if (wrong) return wrong + (" differs in slot " + std::to_string(slot));
  }
  return "";
}

/// What many small batches say is what one large batch says, in order.
std::string check_cut(byte_view data, std::uint32_t length, std::uint64_t total,
                      std::uint64_t step) {
  const auto whole = tokens::make_batch(data, length, 0, total);
  token_batch joined;
  for (std::uint64_t first = 0; first < total; first += step) {
    const auto part = tokens::make_batch(data, length, first, step);
    joined.sequences += part.sequences;
    joined.tokens.insert(joined.tokens.end(), part.tokens.begin(), part.tokens.end());
    joined.positions.insert(joined.positions.end(), part.positions.begin(), part.positions.end());
    joined.targets.insert(joined.targets.end(), part.targets.begin(), part.targets.end());
  }
  const bool same = joined.sequences == whole.sequences && joined.tokens == whole.tokens &&
                    joined.positions == whole.positions && joined.targets == whole.targets;
  return same ? "" : "batches of " + std::to_string(step) + " are not the whole";
}

}  // namespace

std::string check_tokens(byte_view input) {
  if (input.size() < 20) return "";
  std::uint32_t length = 0;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::memcpy(&length, input.data(), 4);
  std::memcpy(&first, input.data() + 4, 8);
  std::memcpy(&count, input.data() + 12, 8);
  const auto data = input.subspan(20);
  length = 1 + length % (length >> 28 == 0xf ? max_max_seq : 300);  // the longest cost the most
  const std::uint64_t total = sequences_begun(data.size(), length);
  if (tokens::sequence_count(data.size(), length) != total) return "another count of sequences";
  first %= total + 1;
  const auto batch = tokens::make_batch(data, length, first, count);
  auto wrong = check_batch(batch, ribbon(data, length), length, first,
                           std::min<std::uint64_t>(count, total - first));
  if (!wrong.empty()) return wrong;
  for (const std::uint64_t step : {std::uint64_t{16}, 1 + count % 7}) {
    if (wrong = check_cut(data, length, total, step); !wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace soma::fuzz
