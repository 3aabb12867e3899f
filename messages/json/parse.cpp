// Boost.JSON reads the text and calls a handler for each part of it. Only this source uses that
// library, which consists of headers alone.
#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/src.hpp>
#include <limits>

#include "messages/json/json.hpp"
#include "messages/values/utf8.hpp"

namespace soma::json {
namespace {

namespace library = boost::json;

/// Builds the value while the text is read. Its functions have the names that the library wants.
class handler {
 public:
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();
  using failure = library::error_code;

  bool on_document_begin(failure&) { return true; }
  bool on_document_end(failure&) { return true; }
  bool on_object_begin(failure&) { return begin(value(value::object())); }
  bool on_array_begin(failure&) { return begin(value::list()); }
  bool on_object_end(std::size_t, failure&) {
    const auto* members = open_.back().made.as_object();
    std::vector<std::string_view> names;
    names.reserve(members->size());
    for (const auto& member : *members) names.emplace_back(member.first);
    std::ranges::sort(names);
    repeats_ = repeats_ || std::ranges::adjacent_find(names) != names.end();
    return end();
  }
  bool on_array_end(std::size_t, failure&) { return end(); }
  bool on_key_part(library::string_view part, std::size_t, failure&) { return add(part); }
  bool on_key(library::string_view part, std::size_t, failure&) {
    add(part);
    open_.back().name = std::exchange(text_, {});
    return true;
  }
  bool on_string_part(library::string_view part, std::size_t, failure&) { return add(part); }
  bool on_string(library::string_view part, std::size_t, failure&) {
    add(part);
    return take(std::exchange(text_, {}));
  }
  bool on_number_part(library::string_view, failure&) { return true; }
  bool on_int64(std::int64_t number, library::string_view, failure&) { return take(number); }
  bool on_uint64(std::uint64_t number, library::string_view, failure&) { return take(number); }
  bool on_double(double number, library::string_view, failure&) { return take(number); }
  bool on_bool(bool truth, failure&) { return take(truth); }
  bool on_null(failure&) { return take(value()); }
  bool on_comment_part(library::string_view, failure&) { return false; }
  bool on_comment(library::string_view, failure&) { return false; }

  [[nodiscard]] bool repeats() const { return repeats_; }
  [[nodiscard]] value result() { return std::move(result_); }

 private:
  struct unfinished {
    value made;
    std::string name;  // of the next member
  };

  bool add(library::string_view part) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool begin(value empty) {
    open_.push_back({std::move(empty), {}});
    return true;
  }
  bool end() {
    auto made = std::move(open_.back().made);
    open_.pop_back();
    return take(std::move(made));
  }
  bool take(value made) {
    if (open_.empty()) {
      result_ = std::move(made);
    } else if (auto& parent = open_.back(); parent.made.as_object() != nullptr) {
      parent.made.set(std::move(parent.name), std::move(made));
    } else {
      parent.made.push(std::move(made));
    }
    return true;
  }

  std::vector<unfinished> open_;
  std::string text_;
  value result_;
  bool repeats_ = false;
};

}  // namespace

std::string_view to_text(parse_refusal reason) {
  switch (reason) {
    case parse_refusal::too_large:
      return "the document has too many bytes";
    case parse_refusal::not_utf8:
      return "the document is not UTF-8";
    case parse_refusal::not_json:
      return "the document is not JSON";
    case parse_refusal::too_deep:
      return "the document has too many lists and objects within each other";
    case parse_refusal::repeated_name:
      return "an object of the document has two members of the same name";
  }
  return "unknown";
}

expected<value, parse_refusal> parse(std::string_view text, const parse_limits& limits) {
  if (text.size() > limits.bytes) return make_unexpected(parse_refusal::too_large);
  if (!is_utf8(text)) return make_unexpected(parse_refusal::not_utf8);
  library::parse_options options;
  options.max_depth = limits.depth;
  library::basic_parser<handler> parser(options);
  library::error_code error;
  const auto read = parser.write_some(false, text.data(), text.size(), error);
  if (error == library::error::too_deep) return make_unexpected(parse_refusal::too_deep);
  if (error || read < text.size()) return make_unexpected(parse_refusal::not_json);
  if (parser.handler().repeats()) return make_unexpected(parse_refusal::repeated_name);
  auto read_value = parser.handler().result();
  return read_value;
}

}  // namespace soma::json
