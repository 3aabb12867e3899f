#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "tests/fuzz/harness.hpp"

namespace soma::fuzz {
namespace {

using noise_source = noise::noise_generator;

struct part {
  std::size_t begin = 0;
  std::size_t size = 0;
};

/// Every run of characters that `belongs` accepts.
template <class Belongs>
std::vector<part> runs(std::string_view text, Belongs belongs) {
  std::vector<part> found;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!belongs(text[i])) continue;
    if (found.empty() || found.back().begin + found.back().size != i) found.push_back({i, 0});
    ++found.back().size;
  }
  return found;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_inside_name(char c) {
  return c != '"' && c != ':' && c != ',' && c != '{' && c != '}' && c != '[' && c != ']';
}

part pick(const std::vector<part>& parts, noise_source& noise) {
  return parts.empty() ? part{} : parts[noise.below(parts.size())];
}

std::string text_of(const std::string& text, part p) {
  return text.substr(p.begin, p.size);
}

std::string number(const std::string& text, part old, noise_source& noise) {
  static constexpr std::array<std::string_view, 16> odd{"0",
                                                        "1",
                                                        "2",
                                                        "4",
                                                        "8",
                                                        "264",
                                                        "4294967295",
                                                        "4294967296",
                                                        "2147483648",
                                                        "-1",
                                                        "1.0",
                                                        "1e3",
                                                        "00",
                                                        "4611686018427387905",
                                                        "18446744073709551615",
                                                        "18446744073709551616"};
  if (noise.below(3) == 0) return std::string(odd[noise.below(odd.size())]);
  if (noise.below(2) == 0) return text_of(text, pick(runs(text, is_digit), noise));
  std::uint64_t value = 0;
  for (const char digit : text_of(text, old)) value = 10 * value + (digit - '0');
  constexpr std::array<std::uint64_t, 6> steps{1, 2, 4, 8, 264, 1056};
  const auto step = steps[noise.below(steps.size())];
  return std::to_string(noise.below(2) == 0 ? value + step : value - step);
}

/// The entries of the header's outer object, as far as commas between braces tell them.
std::vector<part> entries(std::string_view text) {
  std::vector<part> found;
  int depth = 0;
  std::size_t begin = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}') --depth;
    const bool ends = depth == 0 && text[i] == '}';
    if (ends || (depth == 1 && text[i] == ',')) {
      if (i > begin) found.push_back({begin, i - begin});
      begin = i + 1;
    }
  }
  return found;
}

void change_entries(std::string& text, noise_source& noise) {
  const auto all = entries(text);
  const part one = pick(all, noise);
  const part other = pick(all, noise);
  const auto first = text_of(text, one);
  const auto second = text_of(text, other);
  switch (noise.below(3)) {
    case 0:  // change places
      if (one.begin == other.begin) return;
      text.replace(std::max(one.begin, other.begin),
                   one.begin > other.begin ? one.size : other.size,
                   one.begin > other.begin ? second : first);
      text.replace(std::min(one.begin, other.begin),
                   one.begin > other.begin ? other.size : one.size,
                   one.begin > other.begin ? first : second);
      return;
    case 1:  // once more
      text.insert(other.begin, first + ",");
      return;
    default:  // gone
      text.erase(one.begin, std::min(one.size + 1, text.size() - one.begin));
  }
}

void change_characters(std::string& text, noise_source& noise) {
  static constexpr std::string_view signs = "{}[]:,\"\\ \t\n0129.-eu\x7f\xc3\xff";
  const auto at = noise.below(text.size() + 1);
  switch (noise.below(3)) {
    case 0:
      text.insert(at, 1, signs[noise.below(signs.size())]);
      return;
    case 1:
      text.erase(at, noise.below(12));
      return;
    default:
      text.insert(at, text.substr(noise.below(text.size() + 1), noise.below(40)));
  }
}

/// Exchanges the two numbers of a pair: a shape transposed, offsets turned.
void turn_pair(std::string& text, noise_source& noise) {
  const auto numbers = runs(text, is_digit);
  std::vector<std::size_t> pairs;
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    const auto& before = numbers[i - 1];
    if (numbers[i].begin == before.begin + before.size + 1) pairs.push_back(i);
  }
  if (pairs.empty()) return;
  const auto i = pairs[noise.below(pairs.size())];
  const auto turned = text_of(text, numbers[i]) + "," + text_of(text, numbers[i - 1]);
  text.replace(numbers[i - 1].begin, turned.size(), turned);
}

void change_header(std::string& text, noise_source& noise) {
  const auto swap_in = [&](part old, const std::string& fresh) {
    text.replace(old.begin, old.size, fresh);
  };
  switch (noise.below(5)) {
    case 0: {
      const part old = pick(runs(text, is_digit), noise);
      return swap_in(old, number(text, old, noise));
    }
    case 1: {
      const auto names = runs(text, is_inside_name);
      return swap_in(pick(names, noise), text_of(text, pick(names, noise)));
    }
    case 2:
      return change_entries(text, noise);
    case 3:
      return turn_pair(text, noise);
    default:
      return change_characters(text, noise);
  }
}

void change_bytes(bytes& input, noise_source& noise) {
  if (input.empty()) return input.push_back(static_cast<std::uint8_t>(noise.below(256)));
  const auto at = noise.below(input.size());
  switch (noise.below(4)) {
    case 0:
      input[at] ^= static_cast<std::uint8_t>(1u << noise.below(8));
      return;
    case 1:
      input[at] = static_cast<std::uint8_t>(noise.below(256));
      return;
    case 2:
      input.resize(at);
      return;
    default:
      input.resize(input.size() + noise.below(64));
  }
}

/// Infinity, not a number, the least subnormal, minus zero.
void change_value(bytes& input, noise_source& noise) {
  constexpr std::array<std::uint32_t, 5> odd{0x7f80'0000, 0xff80'0000, 0x7fc0'0001, 1, 0x8000'0000};
  const auto words = input.size() / 4;
  if (words == 0) return;
  std::memcpy(input.data() + 4 * noise.below(words), &odd[noise.below(odd.size())], 4);
}

}  // namespace

std::string header_of(byte_view file) {
  std::uint64_t size = 0;
  if (file.size() < 8) return "";
  std::memcpy(&size, file.data(), 8);
  if (size > file.size() - 8) return "";
  return {reinterpret_cast<const char*>(file.data()) + 8, size};
}

bytes with_header(byte_view file, std::string header) {
  const auto old = header_of(file).size();
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const std::uint64_t size = header.size();
  bytes changed(8 + size);
  std::memcpy(changed.data(), &size, 8);
  std::memcpy(changed.data() + 8, header.data(), size);
  if (file.size() > 8 + old) changed.insert(changed.end(), file.begin() + 8 + old, file.end());
  return changed;
}

bytes change_safetensors(bytes input, noise_source& noise) {
  for (std::uint64_t changes = 1 + noise.below(3); changes > 0; --changes) {
    const auto kind = noise.below(8);
    if (kind == 0) {
      change_bytes(input, noise);
    } else if (kind == 1) {
      change_value(input, noise);
    } else {
      auto header = header_of(input);
      header.erase(header.find_last_not_of(' ') + 1);
      change_header(header, noise);
      input = with_header(input, header);
    }
  }
  return input;
}

bytes change_tokens(bytes input, noise_source& noise) {
  for (std::uint64_t changes = 1 + noise.below(3); changes > 0; --changes) {
    if (noise.below(2) == 0 && input.size() >= 20) {
      input[noise.below(20)] = static_cast<std::uint8_t>(noise.below(256));
    } else {
      change_bytes(input, noise);
    }
  }
  return input;
}

}  // namespace soma::fuzz
