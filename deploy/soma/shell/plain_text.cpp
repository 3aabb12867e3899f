#include "deploy/soma/shell/plain_text.hpp"

#include "messages/values/utf8.hpp"

namespace soma::cli {
namespace {

/// The number of bytes of the character that `rest` begins with; 0 if they are not UTF-8.
std::size_t character_bytes(std::string_view rest) {
  for (std::size_t size = 1; size <= 4 && size <= rest.size(); ++size) {
    if (is_utf8(rest.substr(0, size))) return size;
  }
  return 0;
}

/// U+0000 to U+001F, U+007F, and U+0080 to U+009F, which some terminals obey, too.
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  return character.size() == 2 && first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
}

std::string plain(std::string_view text, std::string_view kept) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto size = character_bytes(text.substr(at));
    const auto character = text.substr(at, size == 0 ? 1 : size);
    if (size == 0) {
      out += "\xef\xbf\xbd";
    } else if (is_control(character) && kept.find(character) == std::string_view::npos) {
      out += ' ';
    } else {
      out += character;
    }
    at += character.size();
  }
  return out;
}

}  // namespace

std::string plain_line(std::string_view text) {
  return plain(text, "");
}

std::string plain_lines(std::string_view text) {
  return plain(text, "\n\t");
}

}  // namespace soma::cli
