#include "tests/support/json_reader.hpp"

#include <charconv>
#include <stdexcept>

namespace soma::support {
namespace {

struct malformed : std::runtime_error {
  malformed() : std::runtime_error("no JSON") {}
};

class reader {
 public:
  explicit reader(std::string_view text) : rest_(text) {}

  parsed_json document() {
    auto value = read_value(0);
    skip_blanks();
    if (!rest_.empty()) throw malformed();
    return value;
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() &&
           std::string_view(" \t\r\n").find(rest_.front()) != std::string_view::npos)
      rest_.remove_prefix(1);
  }
  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  void demand(std::string_view word) {
    skip_blanks();
    if (!take(word)) throw malformed();
  }

  parsed_json read_value(int depth) {
    if (depth > 64) throw malformed();
    skip_blanks();
    parsed_json value;
    if (take("null")) return value;
    for (const auto* word : {"true", "false"}) {
      if (!take(word)) continue;
      value.type = parsed_json::kind::boolean;
      value.text = word;
      return value;
    }
    if (rest_.starts_with('"')) {
      value.type = parsed_json::kind::string;
      value.text = read_string();
    } else if (take("[")) {
      value.type = parsed_json::kind::array;
      read_elements(value, depth);
    } else if (take("{")) {
      value.type = parsed_json::kind::object;
      read_members(value, depth);
    } else {
      value.type = parsed_json::kind::number;
      value.text = read_number();
    }
    return value;
  }

  void read_elements(parsed_json& into, int depth) {
    skip_blanks();
    if (take("]")) return;
    for (;;) {
      into.elements.push_back(read_value(depth + 1));
      skip_blanks();
      if (take("]")) return;
      demand(",");
    }
  }

  void read_members(parsed_json& into, int depth) {
    skip_blanks();
    if (take("}")) return;
    for (;;) {
      skip_blanks();
      auto name = read_string();
      demand(":");
      if (!into.members.emplace(std::move(name), read_value(depth + 1)).second) throw malformed();
      skip_blanks();
      if (take("}")) return;
      demand(",");
    }
  }

  std::string read_string() {
    demand("\"");
    std::string text;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return text;
      if (static_cast<unsigned char>(c) < 0x20) throw malformed();
      text += c == '\\' ? read_escape() : std::string(1, c);
    }
    throw malformed();
  }

  std::string read_escape() {
    if (take("n")) return "\n";
    if (take("\"")) return "\"";
    if (take("\\")) return "\\";
    if (!take("u") || rest_.size() < 4) throw malformed();
    unsigned point = 0;
    if (std::from_chars(rest_.data(), rest_.data() + 4, point, 16).ptr != rest_.data() + 4)
      throw malformed();
    rest_.remove_prefix(4);
    if (point < 0x80) return std::string(1, static_cast<char>(point));
    if (point < 0x800) {
      return {static_cast<char>(0xc0U | (point >> 6U)), static_cast<char>(0x80U | (point & 63U))};
    }
    return {static_cast<char>(0xe0U | (point >> 12U)),
            static_cast<char>(0x80U | ((point >> 6U) & 63U)),
            static_cast<char>(0x80U | (point & 63U))};
  }

  std::string read_number() {
    double value = 0;
    const auto end = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value).ptr;
    const std::string text(rest_.data(), end);
    if (text.empty() || text.find_first_not_of("0123456789+-.eE") != std::string::npos)
      throw malformed();
    rest_.remove_prefix(text.size());
    return text;
  }

  std::string_view rest_;
};

template <class Float>
Float read_float(const std::string& text) {
  Float value = 0;
  const auto* end = text.data() + text.size();
  if (text.empty() || std::from_chars(text.data(), end, value).ptr != end) throw malformed();
  return value;
}

}  // namespace

double parsed_json::number() const {
  return read_float<double>(text);
}
float parsed_json::binary32() const {
  return read_float<float>(text);
}

std::optional<parsed_json> parse_json(std::string_view text) {
  try {
    return reader(text).document();
  } catch (const malformed&) {
    return {};
  }
}

}  // namespace soma::support
