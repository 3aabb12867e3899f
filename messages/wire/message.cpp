#include "messages/wire/message.hpp"

#include <cstring>

namespace soma::inline wire::detail {

message_words words_of(kj::ArrayPtr<const capnp::word> segment, const structure& kind,
                       std::size_t max_bytes) {
  auto words = std::make_shared<std::vector<std::uint64_t>>();
  words->reserve(1 + segment.size());
  words->push_back(std::uint64_t{segment.size()} << 32);  // the segment table
  const auto* const first = reinterpret_cast<const std::uint64_t*>(segment.begin());
  words->insert(words->end(), first, first + segment.size());
  const auto size = check_size(
      {reinterpret_cast<const std::uint8_t*>(words->data()), words->size() * sizeof(std::uint64_t)},
      max_bytes);
  SOMA_ASSERT(size || size.error() != parse_refusal::too_large, "a message within its size limit");
  SOMA_ASSERT(size && check_words(*words, kind), "a message of ours that our own parser takes");
  return words;
}

const message_words& empty_words() {
  // One segment of one word: a root pointer to a struct that has no data and no pointers.
  static const message_words words = std::make_shared<const std::vector<std::uint64_t>>(
      std::vector<std::uint64_t>{std::uint64_t{1} << 32, 0xffff'fffc});
  return words;
}

}  // namespace soma::inline wire::detail
