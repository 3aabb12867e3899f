// A JSON value whose objects keep the order of their members. Every verb with --json prints one,
// and a TOML file becomes one when it is read; then each value knows its line. A number is printed
// in the shortest form that reads back to the same value of its own type: a binary32 to the same
// binary32.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace soma::cli {

class json {
 public:
  using member = std::pair<std::string, json>;
  using array = std::vector<json>;
  using object = std::vector<member>;

  json() = default;  // null
  json(bool value) : value_(value) {}
  json(float value) : value_(value) {}
  json(double value) : value_(value) {}
  template <std::signed_integral Integer>
  json(Integer value) : value_(static_cast<std::int64_t>(value)) {}
  template <std::unsigned_integral Integer>
  requires(!std::same_as<Integer, bool>) json(Integer value)
      : value_(static_cast<std::uint64_t>(value)) {}
  json(std::string value) : value_(std::move(value)) {}
  json(std::string_view value) : value_(std::string(value)) {}
  json(const char* value) : value_(std::string(value)) {}
  json(array value) : value_(std::move(value)) {}
  json(object value) : value_(std::move(value)) {}

  /// Makes an object from its members, such as {{"loss", 1.5f}, {"engine", "torch"}}.
  [[nodiscard]] static json of(std::initializer_list<member> members) { return object(members); }
  [[nodiscard]] static json list() { return array(); }
  template <class Range>
  [[nodiscard]] static json list_of(const Range& range) {
    array all;
    for (const auto& element : range) all.emplace_back(element);
    return all;
  }

  /// Appends a member to an object; a null value becomes an object first. It does not check whether
  /// the object already has a member of that name.
  json& set(std::string name, json value);
  /// Appends an element to an array.
  json& push(json value);

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
  [[nodiscard]] const json* find(std::string_view name) const;
  /// find() along a path of names separated by dots.
  [[nodiscard]] const json* find_path(std::string_view dotted) const;

  /// The line of the file that the value was read from, counted from 1; 0 if it came from no file.
  [[nodiscard]] std::uint32_t line() const { return line_; }
  json& at_line(std::uint32_t line) {
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

}  // namespace soma::cli
