#include "messages/wire/message.hpp"

#include <cstring>

namespace soma::inline wire::detail {

message_words words_of(kj::ArrayPtr<const capnp::word> segment, const structure& kind,
                       std::size_t max_bytes) {
  bytes framed(8 + segment.size() * 8);
  const std::uint32_t table[2] = {0, static_cast<std::uint32_t>(segment.size())};
  std::memcpy(framed.data(), table, sizeof table);
  std::memcpy(framed.data() + 8, segment.begin(), segment.size() * 8);
  auto words = parse_words(framed, kind, max_bytes);
  SOMA_ASSERT(words || words.error() != parse_refusal::too_large,
              "a message within its size limit");
  SOMA_ASSERT(words, "a message of ours that our own parser takes");
  return std::move(*words);
}

const message_words& empty_words() {
  // One segment of one word: a root pointer to a struct that has no data and no pointers.
  static const message_words words = std::make_shared<const std::vector<std::uint64_t>>(
      std::vector<std::uint64_t>{std::uint64_t{1} << 32, 0xffff'fffc});
  return words;
}

}  // namespace soma::inline wire::detail
