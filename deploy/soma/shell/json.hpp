// A JSON value whose objects keep their order. What every `--json` prints, and what a TOML file
// becomes once it is read. Numbers print in the shortest form that reads back to the same value of
// their own type: a binary32 as a binary32.
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

  /// {{"loss", 1.5f}, {"engine", "torch"}}
  [[nodiscard]] static json of(std::initializer_list<member> members) { return object(members); }
  [[nodiscard]] static json list() { return array(); }
  template <class Range>
  [[nodiscard]] static json list_of(const Range& range) {
    array all;
    for (const auto& element : range) all.emplace_back(element);
    return all;
  }

  /// Appends a member to an object (null becomes one), an element to an array. Names are not
  /// checked for being new.
  json& set(std::string name, json value);
  json& push(json value);

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  [[nodiscard]] const bool* as_bool() const { return std::get_if<bool>(&value_); }
  [[nodiscard]] const std::string* as_string() const { return std::get_if<std::string>(&value_); }
  [[nodiscard]] const array* as_array() const { return std::get_if<array>(&value_); }
  [[nodiscard]] const object* as_object() const { return std::get_if<object>(&value_); }
  [[nodiscard]] bool is_number() const;
  /// Any kind of number; 0 for anything else.
  [[nodiscard]] double number() const;
  /// The value as an exact integer: nullptr-like `false` first if it is none, or below 0.
  [[nodiscard]] std::pair<bool, std::uint64_t> unsigned_integer() const;

  /// The member of that name; nullptr if this is no object or has none.
  [[nodiscard]] const json* find(std::string_view name) const;
  /// find() along a path of names separated by dots.
  [[nodiscard]] const json* find_path(std::string_view dotted) const;

  /// One line. NaN and infinities, which JSON lacks, are null; bytes that are no UTF-8 become
  /// U+FFFD.
  [[nodiscard]] std::string text() const;
  /// A string as its characters, anything else as text().
  [[nodiscard]] std::string plain() const;

 private:
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, float, double, std::string, array,
               object>
      value_;
};

}  // namespace soma::cli
