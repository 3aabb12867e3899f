#include "messages/wire/parse.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "messages/values/assert.hpp"
#include "messages/values/utf8.hpp"
#include "messages/wire/structure.hpp"

namespace soma::inline wire {
namespace {

static_assert(std::endian::native == std::endian::little, "words are read as they lie in memory");

using verdict = expected<void, parse_refusal>;
using word = std::uint64_t;

constexpr std::uint32_t max_free_elements = 4'096;

#define SOMA_REFUSE_IF(condition, why) \
  if (condition) return make_unexpected(parse_refusal::why)
#define SOMA_TRY(step) \
  if (auto done = (step); !done) return done

// A pointer in the encoding of Cap'n Proto:
//   bits 0-1    the kind: 0 struct, 1 list, 2 far, 3 other
//   bits 2-31   a signed offset in words
std::int64_t offset_of(word pointer) {
  return static_cast<std::int32_t>(pointer) >> 2;
}
std::uint16_t data_words_of(word pointer) {
  return static_cast<std::uint16_t>(pointer >> 32);
}
std::uint16_t pointers_of(word pointer) {
  return static_cast<std::uint16_t>(pointer >> 48);
}
std::uint8_t element_size_of(word pointer) {
  return (pointer >> 32) & 7;
}
std::uint32_t count_of(word pointer) {
  return static_cast<std::uint32_t>(pointer >> 35);
}

constexpr std::uint8_t composite = 7;
// Its offset is -1: an empty struct lies at the pointer itself.
constexpr word empty_struct_pointer = 0xffff'fffc;
constexpr std::array<std::uint64_t, 7> bits_of_element{0, 1, 8, 16, 32, 64, 64};

/// Visits a segment in canonical order. `next_` is the first word that does not belong to an object
/// yet, and each object must lie exactly there. This is why no word can belong to two objects and
/// why the walk ends after at most one visit to each word.
class walk {
 public:
  explicit walk(std::span<const word> segment) : segment_(segment) {}

  verdict root(const structure& rule) {
    SOMA_REFUSE_IF(segment_.empty(), wrong_length);
    next_ = 1;
    SOMA_REFUSE_IF(segment_[0] == 0, not_canonical);
    SOMA_TRY(struct_at(0, rule, 1));
    SOMA_REFUSE_IF(next_ != segment_.size(), not_canonical);
    return {};
  }

 private:
  struct body {
    std::size_t data = 0;
    std::uint16_t data_words = 0;
    std::uint16_t pointers = 0;
    [[nodiscard]] std::size_t first_pointer() const { return data + data_words; }
    [[nodiscard]] std::size_t end() const { return first_pointer() + pointers; }
  };
  using expectations = std::array<const pointer_rule*, 64>;

  /// Assigns `words` words to the object to which the pointer at `at` leads.
  verdict claim(std::size_t at, std::uint64_t words) {
    const std::int64_t target = static_cast<std::int64_t>(at) + 1 + offset_of(segment_[at]);
    SOMA_REFUSE_IF(target < 0 || static_cast<std::uint64_t>(target) > segment_.size() ||
                       words > segment_.size() - static_cast<std::uint64_t>(target),
                   out_of_bounds);
    SOMA_REFUSE_IF(static_cast<std::size_t>(target) != next_, not_canonical);
    next_ += words;
    return {};
  }

  verdict pointer(std::size_t at, const pointer_rule& rule, unsigned depth) {
    SOMA_REFUSE_IF(depth > max_message_depth, too_deep);
    SOMA_REFUSE_IF((segment_[at] & 3) >= 2, far_pointer);
    if (rule.kind == pointee::structure) return struct_at(at, *rule.body, depth);
    SOMA_REFUSE_IF((segment_[at] & 3) != 1, wrong_kind);
    switch (rule.kind) {
      case pointee::text:
        return text_at(at);
      case pointee::data:
        return scalars_at(at, 2);
      case pointee::scalars:
        return scalars_at(at, rule.element_size);
      case pointee::enums:
        return enums_at(at, rule.enum_values);
      case pointee::pointers:
        return pointers_at(at, rule.element.front(), depth);
      case pointee::structs:
        return structs_at(at, *rule.body, depth);
      case pointee::structure:
        break;
    }
    SOMA_ASSERT(false, "every kind of pointer has a case");
    return {};
  }

  verdict struct_at(std::size_t at, const structure& rule, unsigned depth) {
    const word pointer = segment_[at];
    SOMA_REFUSE_IF((pointer & 3) >= 2, far_pointer);
    SOMA_REFUSE_IF((pointer & 3) != 0, wrong_kind);
    body it{next_, data_words_of(pointer), pointers_of(pointer)};
    if (it.data_words == 0 && it.pointers == 0) {
      SOMA_REFUSE_IF(pointer != empty_struct_pointer, not_canonical);
    } else {
      SOMA_TRY(claim(at, std::uint64_t{it.data_words} + it.pointers));
      SOMA_REFUSE_IF(it.data_words > 0 && segment_[it.first_pointer() - 1] == 0, not_canonical);
      SOMA_REFUSE_IF(it.pointers > 0 && segment_[it.end() - 1] == 0, not_canonical);
    }
    return contents(it, rule, depth);
  }

  /// Checks the fields of a struct whose sections are assigned already, then everything to which it
  /// points.
  verdict contents(const body& it, const structure& rule, unsigned depth) {
    SOMA_REFUSE_IF(it.data_words > rule.data_words || it.pointers > rule.pointers, unknown_field);
    expectations expected_at;  // one for each pointer of the struct
    std::fill_n(expected_at.begin(), it.pointers, nullptr);
    SOMA_TRY(fields(it, rule, expected_at));
    for (std::uint16_t i = 0; i < it.pointers; ++i) {
      const std::size_t at = it.first_pointer() + i;
      if (segment_[at] == 0) continue;
      SOMA_REFUSE_IF(expected_at[i] == nullptr, unknown_field);
      SOMA_TRY(pointer(at, *expected_at[i], depth + 1));
    }
    return {};
  }

  /// Checks enums and union members, and notes for each pointer in use what it has to lead to.
  /// Groups share the sections of their struct.
  verdict fields(const body& it, const structure& rule, expectations& expected_at) {
    const std::uint16_t member = rule.union_members == 0 ? 0 : u16_of(it, rule.union_offset);
    SOMA_REFUSE_IF(rule.union_members != 0 && member >= rule.union_members, unknown_union_member);
    for (const auto& field : rule.fields) {
      if (field.discriminant != field_rule::always && field.discriminant != member) continue;
      switch (field.type) {
        case field_rule::kind::enumeration:
          SOMA_REFUSE_IF((u16_of(it, field.offset) ^ field.enum_default) >= field.enum_values,
                         unknown_enum_value);
          break;
        case field_rule::kind::pointer:
          if (field.offset < it.pointers) expected_at[field.offset] = &field.pointer;
          break;
        case field_rule::kind::group:
          SOMA_TRY(fields(it, *field.group, expected_at));
          break;
      }
    }
    return {};
  }

  /// Data beyond the end of the section is zero, since trailing zeros are never sent.
  [[nodiscard]] std::uint16_t u16_of(const body& it, std::uint32_t offset) const {
    if (offset / 4 >= it.data_words) return 0;
    return static_cast<std::uint16_t>(segment_[it.data + offset / 4] >> (offset % 4 * 16));
  }

  verdict scalars_at(std::size_t at, std::uint8_t element_size) {
    const word pointer = segment_[at];
    SOMA_REFUSE_IF(element_size_of(pointer) != element_size, wrong_kind);
    const std::uint32_t count = count_of(pointer);
    if (element_size == 0) SOMA_TRY(count_free(count));
    const std::uint64_t bits = count * bits_of_element[element_size];
    SOMA_TRY(claim(at, (bits + 63) / 64));
    SOMA_REFUSE_IF(bits % 64 != 0 && segment_[next_ - 1] >> (bits % 64) != 0, not_canonical);
    return {};
  }

  verdict text_at(std::size_t at) {
    const std::size_t start = next_;
    SOMA_TRY(scalars_at(at, 2));
    const std::uint32_t count = count_of(segment_[at]);
    SOMA_REFUSE_IF(count == 0, text_not_terminated);
    const std::string_view text(reinterpret_cast<const char*>(segment_.data() + start), count);
    SOMA_REFUSE_IF(text.back() != '\0', text_not_terminated);
    SOMA_REFUSE_IF(!is_utf8(text.substr(0, count - 1)), text_not_utf8);
    return {};
  }

  verdict enums_at(std::size_t at, std::uint16_t values) {
    const std::size_t start = next_;
    SOMA_TRY(scalars_at(at, 3));
    for (std::uint32_t i = 0; i < count_of(segment_[at]); ++i) {
      const auto value = static_cast<std::uint16_t>(segment_[start + i / 4] >> (i % 4 * 16));
      SOMA_REFUSE_IF(value >= values, unknown_enum_value);
    }
    return {};
  }

  verdict pointers_at(std::size_t at, const pointer_rule& element, unsigned depth) {
    SOMA_REFUSE_IF(element_size_of(segment_[at]) != 6, wrong_kind);
    const std::size_t start = next_;
    const std::uint32_t count = count_of(segment_[at]);
    SOMA_TRY(claim(at, count));
    for (std::uint32_t i = 0; i < count; ++i) {
      if (segment_[start + i] != 0) SOMA_TRY(pointer(start + i, element, depth + 1));
    }
    return {};
  }

  /// A list of structs: a tag word in the form of a struct pointer (its offset is the number of
  /// elements), followed by the elements.
  verdict structs_at(std::size_t at, const structure& rule, unsigned depth) {
    SOMA_REFUSE_IF(element_size_of(segment_[at]) != composite, wrong_kind);
    const std::uint64_t words = count_of(segment_[at]);
    const std::size_t start = next_;
    SOMA_TRY(claim(at, words + 1));
    const word tag = segment_[start];
    SOMA_REFUSE_IF((tag & 3) != 0, wrong_kind);
    const std::uint32_t count = static_cast<std::uint32_t>(tag) >> 2;
    const std::uint64_t step = std::uint64_t{data_words_of(tag)} + pointers_of(tag);
    SOMA_REFUSE_IF(count * step != words, out_of_bounds);
    if (step == 0) SOMA_TRY(count_free(count));
    bool data_needed = data_words_of(tag) == 0;
    bool pointers_needed = pointers_of(tag) == 0;
    body it{start + 1, data_words_of(tag), pointers_of(tag)};
    for (std::uint32_t i = 0; i < count; ++i, it.data += step) {
      data_needed = data_needed || segment_[it.first_pointer() - 1] != 0;
      pointers_needed = pointers_needed || segment_[it.end() - 1] != 0;
      SOMA_TRY(contents(it, rule, depth));
    }
    SOMA_REFUSE_IF(!data_needed || !pointers_needed, not_canonical);
    return {};
  }

  /// Elements without a size cost the sender no bytes, so their number is bounded for the whole
  /// message.
  verdict count_free(std::uint32_t count) {
    SOMA_REFUSE_IF(count > max_free_elements - free_elements_, too_many_elements);
    free_elements_ += count;
    return {};
  }

  std::span<const word> segment_;
  std::size_t next_ = 0;
  std::uint32_t free_elements_ = 0;
};

}  // namespace

expected<void, parse_refusal> check_size(byte_view data, std::size_t max_bytes) {
  SOMA_REFUSE_IF(data.size() > max_bytes, too_large);
  SOMA_REFUSE_IF(data.size() < 8 || data.size() % 8 != 0, not_whole_words);
  return {};
}

expected<void, parse_refusal> check_words(std::span<const std::uint64_t> words,
                                          const structure& kind) {
  const auto segments_less_one = static_cast<std::uint32_t>(words[0]);
  SOMA_REFUSE_IF(segments_less_one != 0, not_one_segment);
  SOMA_REFUSE_IF(words[0] >> 32 != words.size() - 1, wrong_length);
  return walk(words.subspan(1)).root(kind);
}

expected<message_words, parse_refusal> parse_words(byte_view data, const structure& kind,
                                                   std::size_t max_bytes) {
  if (auto fits = check_size(data, max_bytes); !fits) return make_unexpected(fits.error());
  auto words = std::make_shared<std::vector<word>>(data.size() / 8);
  std::memcpy(words->data(), data.data(), data.size());
  if (auto checked = check_words(*words, kind); !checked) return make_unexpected(checked.error());
  return words;
}

std::string_view to_text(parse_refusal refusal) {
  switch (refusal) {
    case parse_refusal::too_large:
      return "larger than a message of this type may be";
    case parse_refusal::not_whole_words:
      return "not a whole number of 8-byte words";
    case parse_refusal::not_one_segment:
      return "more than one segment";
    case parse_refusal::wrong_length:
      return "the length differs from that in the segment table";
    case parse_refusal::out_of_bounds:
      return "a pointer leads outside the message";
    case parse_refusal::far_pointer:
      return "a far pointer or capability";
    case parse_refusal::wrong_kind:
      return "a pointer leads to something of another kind";
    case parse_refusal::not_canonical:
      return "not in canonical form";
    case parse_refusal::too_deep:
      return "nested too deeply";
    case parse_refusal::too_many_elements:
      return "too many elements without content";
    case parse_refusal::unknown_field:
      return "a field that the schema does not have";
    case parse_refusal::unknown_enum_value:
      return "an unknown enum value";
    case parse_refusal::unknown_union_member:
      return "an unknown union member";
    case parse_refusal::text_not_terminated:
      return "a text that is not terminated";
    case parse_refusal::text_not_utf8:
      return "a text that is not UTF-8";
    case parse_refusal::wrong_size:
      return "a field of fixed size has another size";
    case parse_refusal::list_too_long:
      return "a list is longer than allowed";
    case parse_refusal::out_of_range:
      return "a value outside its range";
    case parse_refusal::another_kind:
      return "another kind of message than its frame announced";
  }
  return "unknown refusal";
}

}  // namespace soma::inline wire
