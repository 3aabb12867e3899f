#include "deploy/soma/localnet/character_stream.hpp"

#include <string_view>
#include <utility>

#include "messages/values/utf8.hpp"

namespace soma::cli {
namespace {

constexpr std::string_view stand_in = "·";

/// The number of bytes of a character with this first byte; 0 if no character begins with it.
std::size_t size_of_character(unsigned char first) {
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/// True for U+0000 to U+001F but newline and tab, for U+007F, and for U+0080 to U+009F.
bool is_hidden_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) {
    return (first < 0x20 && first != '\n' && first != '\t') || first == 0x7f;
  }
  return character.size() == 2 && first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
}

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U;
}

}  // namespace

std::string character_stream::take(std::uint8_t byte) {
  std::string shown;
  // A byte that cannot continue the pending character ends it.
  if (!pending_.empty() && !is_continuation(static_cast<char>(byte))) shown = finish();
  pending_ += static_cast<char>(byte);
  const auto size = size_of_character(static_cast<unsigned char>(pending_[0]));
  if (pending_.size() < size) return shown;
  // Some sequences of the right size are no character, such as the halves of a surrogate pair.
  if (size == 0 || !is_utf8(pending_)) return shown + finish();
  const auto character = std::exchange(pending_, {});
  return shown + (is_hidden_control(character) ? std::string(stand_in) : character);
}

std::string character_stream::finish() {
  std::string shown;
  for (std::size_t i = 0; i < pending_.size(); ++i) shown += stand_in;
  pending_.clear();
  return shown;
}

}  // namespace soma::cli
