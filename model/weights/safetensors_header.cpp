#include "model/weights/safetensors_header.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "messages/values/utf8.hpp"

namespace soma::weights {
namespace {

using refusal = weights_refusal;

// The grammar is fixed, so the reader is a cursor with one function for each form, and nesting has
// at most three levels. A step that fails keeps the first reason, and then every later step fails
// too.
class reader {
 public:
  explicit reader(std::string_view text) : text_(text) {}

  [[nodiscard]] bool failed() const { return reason_.has_value(); }
  [[nodiscard]] refusal reason() const { return reason_.value_or(refusal::header_not_json); }
  bool fail(refusal why) {
    if (!reason_) reason_ = why;
    return false;
  }

  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }
  /// Skips white space and takes the character `c`; false if another one follows.
  bool take(char c) {
    skip_space();
    if (failed() || at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool need(char c) { return take(c) || fail(refusal::header_not_json); }
  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  /// Whether only spaces, the padding of the format, are left.
  [[nodiscard]] bool only_spaces_left() const {
    return text_.find_first_not_of(' ', at_) == std::string_view::npos;
  }

  std::string string() {
    std::string result;
    if (!need('"')) return result;
    while (at_ < text_.size() && text_[at_] != '"') {
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (c < 0x20) break;
      if (c == '\\') {
        if (!escape(result)) break;
      } else {
        result += text_[at_++];
      }
    }
    if (at_ == text_.size() || text_[at_] != '"' || !is_utf8(result)) {
      fail(refusal::header_not_json);
    } else {
      ++at_;
    }
    return result;
  }

  /// A JSON number that is an integer of at most 64 bits. A header has no other numbers.
  std::uint64_t number() {
    skip_space();
    const std::size_t first = at_;
    std::uint64_t value = 0;
    while (!failed() && at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      const auto digit = static_cast<std::uint64_t>(text_[at_] - '0');
      if (__builtin_mul_overflow(value, 10u, &value) ||
          __builtin_add_overflow(value, digit, &value)) {
        fail(refusal::size_overflow);
      }
      ++at_;
    }
    if (at_ == first || (text_[first] == '0' && at_ - first > 1)) fail(refusal::header_not_json);
    return value;
  }

 private:
  std::optional<std::uint32_t> hex4() {
    if (text_.size() - at_ < 4) return std::nullopt;
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = text_[at_ + i];
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) return std::nullopt;
      value = value << 4 | static_cast<std::uint32_t>(digit);
    }
    at_ += 4;
    return value;
  }

  static void append_utf8(std::string& out, std::uint32_t code) {
    const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (code < 0x80) return put(code);
    if (code < 0x800) {
      put(0xc0 | code >> 6);
    } else {
      if (code < 0x10000) {
        put(0xe0 | code >> 12);
      } else {
        put(0xf0 | code >> 18);
        put(0x80 | (code >> 12 & 0x3f));
      }
      put(0x80 | (code >> 6 & 0x3f));
    }
    put(0x80 | (code & 0x3f));
  }

  bool escape(std::string& out) {
    if (text_.size() - at_ < 2) return false;
    const char c = text_[at_ + 1];
    at_ += 2;
    constexpr std::string_view names = "\"\\/bfnrt";
    constexpr std::string_view values = "\"\\/\b\f\n\r\t";
    if (const auto i = names.find(c); i != std::string_view::npos) {
      out += values[i];
      return true;
    }
    if (c != 'u') return false;
    auto code = hex4();
    if (!code) return false;
    // A surrogate must be a high half, and a low half must follow it.
    if (*code >= 0xd800 && *code < 0xe000) {
      if (*code >= 0xdc00 || text_.substr(at_, 2) != "\\u") return false;
      at_ += 2;
      const auto low = hex4();
      if (!low || *low < 0xdc00 || *low >= 0xe000) return false;
      code = 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00);
    }
    append_utf8(out, *code);
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::optional<refusal> reason_;
};

/// Reads an object and calls member(key) at each of its values. False once a step has failed.
template <class Member>
bool read_object(reader& in, Member member) {
  if (!in.need('{')) return false;
  if (in.take('}')) return true;
  do {
    const std::string key = in.string();
    if (!in.need(':') || !member(key)) return false;
  } while (in.take(','));
  return in.need('}');
}

std::vector<std::uint64_t> read_numbers(reader& in, std::size_t limit, refusal too_many) {
  std::vector<std::uint64_t> numbers;
  if (!in.need('[') || in.take(']')) return numbers;
  do {
    if (numbers.size() == limit) {
      in.fail(too_many);
      return numbers;
    }
    numbers.push_back(in.number());
  } while (in.take(','));
  in.need(']');
  return numbers;
}

bool read_metadata(reader& in, safetensors_header& header) {
  return read_object(in, [&](const std::string& key) {
    const auto [place, fresh] = header.metadata.emplace(key, in.string());
    if (!fresh) in.fail(refusal::duplicate_key);
    return !in.failed();
  });
}

bool check_size(reader& in, const tensor_entry& entry) {
  std::uint64_t bytes = 4;
  for (const auto extent : entry.shape) {
    if (__builtin_mul_overflow(bytes, extent, &bytes)) return in.fail(refusal::size_overflow);
  }
  if (entry.end < entry.begin || entry.end - entry.begin != bytes) {
    return in.fail(refusal::size_mismatch);
  }
  return true;
}

bool read_tensor(reader& in, tensor_entry& entry) {
  bool dtype = false;
  bool shape = false;
  bool offsets = false;
  const bool read = read_object(in, [&](const std::string& key) {
    if (key == "dtype") {
      if (std::exchange(dtype, true)) return in.fail(refusal::duplicate_key);
      if (in.string() != "F32") return in.fail(refusal::dtype_not_f32);
    } else if (key == "shape") {
      if (std::exchange(shape, true)) return in.fail(refusal::duplicate_key);
      entry.shape = read_numbers(in, max_rank, refusal::rank_too_large);
    } else if (key == "data_offsets") {
      if (std::exchange(offsets, true)) return in.fail(refusal::duplicate_key);
      const auto pair = read_numbers(in, 2, refusal::bad_tensor_entry);
      if (!in.failed() && pair.size() != 2) return in.fail(refusal::bad_tensor_entry);
      if (!in.failed()) entry.begin = pair[0], entry.end = pair[1];
    } else {
      return in.fail(refusal::bad_tensor_entry);
    }
    return !in.failed();
  });
  if (!read) return false;
  if (!dtype || !shape || !offsets) return in.fail(refusal::bad_tensor_entry);
  return check_size(in, entry);
}

std::optional<refusal> check_tiling(const safetensors_header& header, std::uint64_t data_bytes) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> spans;
  for (const auto& [name, entry] : header.tensors) spans.emplace_back(entry.begin, entry.end);
  std::sort(spans.begin(), spans.end());
  std::uint64_t covered = 0;
  for (const auto& [begin, end] : spans) {
    if (begin < covered) return refusal::offsets_overlap;
    if (begin > covered) return refusal::offsets_hole;
    if (end > data_bytes) return refusal::data_past_end;
    covered = end;
  }
  if (covered != data_bytes) return refusal::trailing_bytes;
  return std::nullopt;
}

}  // namespace

expected<safetensors_header, weights_refusal> parse_header(std::string_view text,
                                                           std::uint64_t data_bytes) {
  if (text.empty() || text.front() != '{') return make_unexpected(refusal::header_not_json);
  reader in(text);
  safetensors_header header;
  bool metadata = false;
  const bool read = read_object(in, [&](const std::string& key) {
    if (in.failed()) return false;
    if (key == "__metadata__") {
      if (std::exchange(metadata, true)) return in.fail(refusal::duplicate_key);
      return read_metadata(in, header);
    }
    if (header.tensors.size() == max_tensors) return in.fail(refusal::too_many_tensors);
    const auto [place, fresh] = header.tensors.try_emplace(key);
    if (!fresh) return in.fail(refusal::duplicate_key);
    return read_tensor(in, place->second);
  });
  if (!read || in.failed()) return make_unexpected(in.reason());
  if (!in.only_spaces_left()) return make_unexpected(refusal::header_not_json);
  if (const auto wrong = check_tiling(header, data_bytes)) return make_unexpected(*wrong);
  return header;
}

std::string_view to_text(weights_refusal refusal) {
  switch (refusal) {
    case refusal::cannot_open:
      return "the file cannot be opened, or is not a plain file";
    case refusal::cannot_read:
      return "the file became shorter or unreadable while it was read";
    case refusal::file_changed:
      return "the file was written to while it was read";
    case refusal::too_short:
      return "the file is too short to be a safetensors file";
    case refusal::header_too_long:
      return "the header is longer than 1 MiB";
    case refusal::header_past_end:
      return "the header is longer than the file";
    case refusal::header_not_aligned:
      return "the header's length is not a multiple of 8";
    case refusal::header_not_json:
      return "the header is not well-formed JSON of a safetensors file";
    case refusal::duplicate_key:
      return "the header names something twice";
    case refusal::too_many_tensors:
      return "the header lists more than 4096 tensors";
    case refusal::bad_tensor_entry:
      return "a tensor's entry is incomplete or has unknown fields";
    case refusal::dtype_not_f32:
      return "a tensor is not of type F32";
    case refusal::rank_too_large:
      return "a tensor has more than 4 dimensions";
    case refusal::size_overflow:
      return "a number in the header does not fit 64 bits";
    case refusal::size_mismatch:
      return "a tensor's offsets do not match its shape";
    case refusal::offsets_overlap:
      return "two tensors overlap";
    case refusal::offsets_hole:
      return "there is a hole between two tensors";
    case refusal::data_past_end:
      return "a tensor reaches past the end of the file";
    case refusal::trailing_bytes:
      return "there are bytes behind the last tensor";
    case refusal::bad_metadata:
      return "soma.heads or soma.max_seq is not a number in range";
    case refusal::missing_tensor:
      return "a tensor of the architecture is missing";
    case refusal::unexpected_tensor:
      return "there is a tensor that the architecture does not have";
    case refusal::wrong_shape:
      return "a tensor has not the shape that the architecture asks for";
    case refusal::invalid_architecture:
      return "the tensors and the heads do not make a valid architecture";
    case refusal::value_not_finite:
      return "a weight is not a finite number";
  }
  return "unknown";
}

}  // namespace soma::weights
