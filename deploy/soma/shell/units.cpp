#include "deploy/soma/shell/units.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <ctime>

namespace soma::cli {
namespace {

struct unit {
  std::string_view name;  // lower case
  double bytes;
};

constexpr double kib = 1024.0;
constexpr std::array<unit, 16> units{{{"", 1},
                                      {"b", 1},
                                      {"k", kib},
                                      {"m", kib* kib},
                                      {"g", kib* kib* kib},
                                      {"t", kib* kib* kib* kib},
                                      {"kib", kib},
                                      {"mib", kib* kib},
                                      {"gib", kib* kib* kib},
                                      {"tib", kib* kib* kib* kib},
                                      {"kb", 1e3},
                                      {"mb", 1e6},
                                      {"gb", 1e9},
                                      {"tb", 1e12},
                                      {"byte", 1},
                                      {"bytes", 1}}};

}  // namespace

std::optional<byte_count> parse_size(std::string_view text) {
  std::uint64_t whole = 0;
  const auto* end = text.data() + text.size();
  if (const auto read = std::from_chars(text.data(), end, whole);
      read.ec == std::errc() && read.ptr == end) {
    return byte_count{whole};
  }
  double number = 0;
  const auto read = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (read.ec != std::errc() || !std::isfinite(number) || std::signbit(number)) return {};
  std::string name;
  for (const auto* at = read.ptr; at != end; ++at) {
    if (*at == ' ' && name.empty()) continue;
    name += *at >= 'A' && *at <= 'Z' ? static_cast<char>(*at - 'A' + 'a') : *at;
  }
  for (const auto& unit : units) {
    if (unit.name != name || name.empty()) continue;
    const double bytes = number * unit.bytes;
    if (bytes >= 18446744073709551616.0) return {};
    return byte_count{static_cast<std::uint64_t>(bytes)};
  }
  return {};
}

std::optional<shannons> parse_amount(std::string_view text) {
  const auto* at = text.data();
  const auto* end = at + text.size();
  // Reads digits from `at` on, up to the first other character. nullopt if there is no digit, or if
  // the number is too large.
  const auto digits = [&]() -> std::optional<std::uint64_t> {
    std::uint64_t number = 0;
    const auto read = std::from_chars(at, end, number);
    if (read.ec != std::errc()) return {};
    at = read.ptr;
    return number;
  };
  const auto whole = digits();
  if (!whole) return {};
  std::uint64_t fraction = 0;
  bool has_point = false;
  if (at != end && *at == '.') {
    has_point = true;
    const auto* first = ++at;
    const auto decimals = digits();
    const auto count = at - first;
    if (!decimals || count > 9) return {};
    fraction = *decimals;
    for (auto i = count; i < 9; ++i) fraction *= 10;
  }
  std::string unit;
  for (; at != end; ++at) {
    if (*at == ' ' && unit.empty()) continue;
    unit += *at >= 'A' && *at <= 'Z' ? static_cast<char>(*at - 'A' + 'a') : *at;
  }
  std::uint64_t total = *whole;
  if (unit == "sh" || unit == "shannon" || unit == "shannons") {
    if (has_point) return {};
  } else if (unit.empty() || unit == "soma") {
    if (__builtin_mul_overflow(*whole, shannons_per_soma, &total) ||
        __builtin_add_overflow(total, fraction, &total)) {
      return {};
    }
  } else {
    return {};
  }
  if (total > supply_cap.value) return {};
  return shannons{total};
}

std::string decimal_text(double value, int digits) {
  std::array<char, 400> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::fixed, digits);
  return {buffer.data(), end.ptr};
}

std::string to_text(byte_count size) {
  constexpr std::array<std::string_view, 5> names{"B", "KiB", "MiB", "GiB", "TiB"};
  auto number = static_cast<double>(size.value);
  std::size_t step = 0;
  while (number >= 1023.95 && step + 1 < names.size()) {
    number /= kib;
    ++step;
  }
  return decimal_text(number, step == 0 ? 0 : 1) + " " + std::string(names[step]);
}

std::string duration_text(double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) return "?";
  if (seconds < 0.9995) return decimal_text(seconds * 1000, 0) + " ms";
  if (seconds < 59.95) return decimal_text(seconds, 1) + " s";
  const auto whole = static_cast<std::uint64_t>(seconds + 0.5);
  const auto padded = [](std::uint64_t n) {
    return std::string(n < 10 ? "0" : "").append(std::to_string(n));
  };
  if (whole < 3600) return std::to_string(whole / 60) + " min " + padded(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + padded(whole % 3600 / 60) + " min";
}

std::uint64_t unix_now_ms() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(
      duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
}

std::string time_text(std::uint64_t unix_ms) {
  const auto seconds = static_cast<std::time_t>(unix_ms / 1'000);
  std::tm parts{};
  char text[64] = {};
  if (::gmtime_r(&seconds, &parts) == nullptr ||
      std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0) {
    return std::to_string(unix_ms) + " ms";
  }
  return text;
}

std::string count_text(std::uint64_t value) {
  const auto digits = std::to_string(value);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

}  // namespace soma::cli
