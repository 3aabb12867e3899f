// A JSON value whose objects keep the order of their members. Every verb with --json prints one, a
// gateway answers with one, and a TOML file becomes one when it is read; then each value knows its
// line. A number is printed in the shortest form that reads back to the same value of its own type:
// a binary32 to the same binary32. JSON from strangers is read within limits.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "messages/values/expected.hpp"

namespace soma::json {

class value {
 public:
  using member = std::pair<std::string, value>;
  using array = std::vector<value>;
  using object = std::vector<member>;

  value() = default;  // null
  value(bool from) : value_(from) {}
  value(float from) : value_(from) {}
  value(double from) : value_(from) {}
  template <std::signed_integral Integer>
  value(Integer from) : value_(static_cast<std::int64_t>(from)) {}
  template <std::unsigned_integral Integer>
  requires(!std::same_as<Integer, bool>) value(Integer from)
      : value_(static_cast<std::uint64_t>(from)) {}
  value(std::string from) : value_(std::move(from)) {}
  value(std::string_view from) : value_(std::string(from)) {}
  value(const char* from) : value_(std::string(from)) {}
  value(array from) : value_(std::move(from)) {}
  value(object from) : value_(std::move(from)) {}

  /// Makes an object from its members, such as {{"loss", 1.5f}, {"engine", "torch"}}.
  [[nodiscard]] static value of(std::initializer_list<member> members) { return object(members); }
  [[nodiscard]] static value list() { return array(); }
  template <class Range>
  [[nodiscard]] static value list_of(const Range& range) {
    array all;
    for (const auto& element : range) all.emplace_back(element);
    return all;
  }

  /// Appends a member to an object; a null value becomes an object first. It does not check whether
  /// the object already has a member of that name.
  value& set(std::string name, value from);
  /// Appends an element to an array.
  value& push(value from);

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  [[nodiscard]] const bool* as_bool() const { return std::get_if<bool>(&value_); }
  [[nodiscard]] const std::string* as_string() const { return std::get_if<std::string>(&value_); }
  [[nodiscard]] const array* as_array() const { return std::get_if<array>(&value_); }
  [[nodiscard]] const object* as_object() const { return std::get_if<object>(&value_); }
  [[nodiscard]] bool is_number() const;
  [[nodiscard]] bool is_integer() const {
    return std::holds_alternative<std::int64_t>(value_) ||
           std::holds_alternative<std::uint64_t>(value_);
  }
  /// The value of any kind of number; 0 if this is no number.
  [[nodiscard]] double number() const;
  /// {true, value} if this is an exact integer from 0 on, else {false, …}.
  [[nodiscard]] std::pair<bool, std::uint64_t> unsigned_integer() const;

  /// The member of that name; nullptr if this is no object or has no such member.
  [[nodiscard]] const value* find(std::string_view name) const;
  /// find() along a path of names separated by dots.
  [[nodiscard]] const value* find_path(std::string_view dotted) const;

  /// The line of the file that the value was read from, counted from 1; 0 if it came from no file.
  [[nodiscard]] std::uint32_t line() const { return line_; }
  value& at_line(std::uint32_t line) {
    line_ = line;
    return *this;
  }

  /// The JSON text in one line. NaN and infinities, which JSON lacks, become null. An integer
  /// beyond ±(2^53 − 1) becomes a string of its digits, since most readers keep numbers as binary64
  /// and would round it. Bytes that are not UTF-8 become U+FFFD; then a member NAME_hex after the
  /// member NAME has all bytes of the string in hex. If NAME is a list, so is NAME_hex, with null
  /// for elements that are UTF-8.
  [[nodiscard]] std::string text() const;
  /// A string without quotes and escapes, a number with all its digits; any other value as text()
  /// writes it.
  [[nodiscard]] std::string plain() const;

 private:
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, float, double, std::string, array,
               object>
      value_;
  std::uint32_t line_ = 0;
};

struct parse_limits {
  std::size_t bytes = 1 << 20;
  std::size_t depth = 16;  // of lists and objects within each other
};

/// In the order of the checks.
enum class parse_refusal : std::uint8_t {
  too_large = 1,  // more bytes than the limit
  not_utf8,
  not_json,  // or something follows the document, or a number is beyond a binary64
  too_deep,
  repeated_name,  // an object has two members of the same name, so that readers could differ
};
[[nodiscard]] std::string_view to_text(parse_refusal reason);

/// Reads one JSON document as RFC 8259 describes it, with blanks around it at most. An integer
/// between -2^63 and 2^64 - 1 keeps its digits; every other number becomes a binary64.
[[nodiscard]] expected<value, parse_refusal> parse(std::string_view text,
                                                   const parse_limits& limits = {});

}  // namespace soma::json
