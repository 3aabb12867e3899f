#include "messages/wire/canonical.hpp"

#include <algorithm>

#include "messages/values/assert.hpp"

namespace soma::inline wire::detail {
namespace {

using word = std::uint64_t;

constexpr std::size_t kept_words = 4'096;

struct thread_memory {
  alignas(8) word draft[kept_words] = {};  // each builder that used it zeroes it again
  std::vector<word> finished;
  bool taken = false;
};

thread_memory& memory_of_thread() {
  thread_local thread_memory memory;
  return memory;
}

/// Appends objects in the order in which a depth-first walk meets them, each without the trailing
/// zeros of its sections. That order and that form are what canonical means.
class writer {
 public:
  writer(std::span<const word> from, std::vector<word>& to)
      : from_(from), to_(to), base_(to.size()) {}

  void root() {
    to_.push_back(0);
    pointer(0, base_);
  }

 private:
  struct sections {
    std::size_t data = 0;  // first word
    std::size_t data_words = 0, pointers = 0;
  };

  static std::size_t target_of(std::size_t at, word pointer) {
    return at + 1 + static_cast<std::size_t>(static_cast<std::int32_t>(pointer) >> 2);
  }
  /// The offset from the pointer at `at` to the next free word, with `kind` in the low bits.
  [[nodiscard]] word lead(std::size_t at, unsigned kind) const {
    const auto offset = static_cast<std::uint32_t>(to_.size() - at - 1);
    return static_cast<std::uint32_t>(offset << 2 | kind);
  }

  void pointer(std::size_t at, std::size_t place) {
    const word p = from_[at];
    if (p == 0) return;
    if ((p & 3) == 0) return structure(at, p, place);
    SOMA_ASSERT((p & 3) == 1, "a draft in one segment has no far pointers");
    list(at, p, place);
  }

  void trim(const sections& it, std::size_t& data_words, std::size_t& pointers) const {
    while (data_words > 0 && from_[it.data + data_words - 1] == 0) --data_words;
    while (pointers > 0 && from_[it.data + it.data_words + pointers - 1] == 0) --pointers;
  }

  void structure(std::size_t at, word p, std::size_t place) {
    const sections it{target_of(at, p), p >> 32 & 0xffff, p >> 48};
    std::size_t data_words = it.data_words, pointers = it.pointers;
    trim(it, data_words, pointers);
    if (data_words + pointers == 0) {
      to_[place] = 0xffff'fffc;  // offset -1: the struct takes no room
      return;
    }
    to_[place] = lead(place, 0) | word{data_words} << 32 | word{pointers} << 48;
    const std::size_t start = to_.size();
    to_.resize(start + data_words + pointers);
    fill(it, start, data_words, pointers);
  }

  /// Writes sections whose room is already there, then the objects to which they point.
  void fill(const sections& it, std::size_t start, std::size_t data_words, std::size_t pointers) {
    std::copy_n(from_.begin() + static_cast<std::ptrdiff_t>(it.data), data_words,
                to_.begin() + static_cast<std::ptrdiff_t>(start));
    for (std::size_t i = 0; i < pointers; ++i) {
      pointer(it.data + it.data_words + i, start + data_words + i);
    }
  }

  void list(std::size_t at, word p, std::size_t place) {
    static constexpr std::size_t bits[] = {0, 1, 8, 16, 32, 64, 64};
    const unsigned size = p >> 32 & 7;
    const std::size_t count = p >> 35;
    const std::size_t start = target_of(at, p);
    if (size == 7) return structures(start, place);
    to_[place] = lead(place, 1) | (p >> 32) << 32;
    const std::size_t words = (count * bits[size] + 63) / 64;
    const std::size_t begin = to_.size();
    to_.resize(begin + words);
    if (size == 6) {
      for (std::size_t i = 0; i < count; ++i) pointer(start + i, begin + i);
    } else {
      std::copy_n(from_.begin() + static_cast<std::ptrdiff_t>(start), words,
                  to_.begin() + static_cast<std::ptrdiff_t>(begin));
    }
  }

  /// Every element of a list gets the size that the largest element needs.
  void structures(std::size_t start, std::size_t place) {
    const word tag = from_[start];
    const std::size_t count = static_cast<std::uint32_t>(tag) >> 2;
    sections it{start + 1, tag >> 32 & 0xffff, tag >> 48};
    const std::size_t step = it.data_words + it.pointers;
    std::size_t data_words = 0, pointers = 0;
    for (std::size_t i = 0; i < count; ++i) {
      std::size_t used_data = it.data_words, used_pointers = it.pointers;
      trim({start + 1 + i * step, it.data_words, it.pointers}, used_data, used_pointers);
      data_words = std::max(data_words, used_data);
      pointers = std::max(pointers, used_pointers);
    }
    const std::size_t width = data_words + pointers;
    to_[place] = lead(place, 1) | word{7} << 32 | word{count * width} << 35;
    to_.push_back((tag & 0xffff'ffff) | word{data_words} << 32 | word{pointers} << 48);
    const std::size_t begin = to_.size();
    to_.resize(begin + count * width);
    for (std::size_t i = 0; i < count; ++i, it.data += step) {
      fill(it, begin + i * width, data_words, pointers);
    }
  }

  std::span<const word> from_;
  std::vector<word>& to_;
  std::size_t base_;
};

}  // namespace

void append_canonical(std::span<const std::uint64_t> segment, std::vector<std::uint64_t>& out) {
  writer(segment, out).root();
}

message_draft::message_draft() {
  auto& memory = memory_of_thread();
  if (memory.taken) {
    builder_.emplace();
    return;
  }
  memory.taken = first_ = true;
  builder_.emplace(kj::arrayPtr(reinterpret_cast<capnp::word*>(memory.draft), kept_words));
}

message_draft::~message_draft() {
  builder_.reset();  // leaves the thread's memory zeroed
  if (first_) memory_of_thread().taken = false;
}

std::span<const std::uint64_t> message_draft::framed(kj::ArrayPtr<const capnp::word> segment) {
  auto& out = memory_of_thread().finished;
  out.assign(1, 0);
  append_canonical({reinterpret_cast<const word*>(segment.begin()), segment.size()}, out);
  out[0] = word{out.size() - 1} << 32;  // one segment, of so many words
  return out;
}

}  // namespace soma::inline wire::detail
