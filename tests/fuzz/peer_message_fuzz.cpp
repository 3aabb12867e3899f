#include <algorithm>
#include <cstring>

#include "messages/codec/codec_consensus.hpp"
#include "messages/signing/signing.hpp"
#include "tests/fuzz/harness.hpp"
#include "tests/messages/codec/consensus_samples.hpp"

namespace soma::fuzz {
namespace {

std::string check_block(const block_ptr& held) {
  if (held == nullptr) return "a message without its block";
  return held->id == signing::id_of(held->block.header) ? "" : "a block under another's id";
}

std::string check_blocks(const peer_message& message) {
  if (const auto* it = std::get_if<peer::proposal>(&message)) return check_block(it->block);
  if (const auto* it = std::get_if<peer::response>(&message)) {
    for (const auto& held : it->blocks) {
      if (auto wrong = check_block(held); !wrong.empty()) return wrong;
    }
  }
  return "";
}

/// Taken bytes are the one encoding of what they were taken for.
template <class X>
std::string check_as(byte_view input) {
  const auto taken = decode<X>(input);
  if (!taken) return "";
  const bytes again = encode(*taken);
  return std::ranges::equal(again, input) ? "" : "bytes that are not those of their value";
}

std::uint64_t word_at(const bytes& input, std::size_t word) {
  std::uint64_t value = 0;
  std::memcpy(&value, input.data() + 8 * word, 8);
  return value;
}
void set_word(bytes& input, std::size_t word, std::uint64_t value) {
  std::memcpy(input.data() + 8 * word, &value, 8);
}

void change_words(bytes& input, noise::noise_generator& noise) {
  const auto words = input.size() / 8;
  const auto at = noise.below(words);
  switch (noise.below(5)) {
    case 0:  // a word in another's place
      return set_word(input, at, word_at(input, noise.below(words)));
    case 1: {  // one of its halves a little more or less: an offset, a size, a number
      const auto step = std::uint64_t{1}
                        << (noise.below(2) == 0 ? 2 + noise.below(4) : 32 + noise.below(20));
      const auto old = word_at(input, at);
      return set_word(input, at, noise.below(2) == 0 ? old + step : old - step);
    }
    case 2:
      return set_word(input, at, 0);
    case 3:  // another member of the union, which follows the root's pointer
      return set_word(input, std::min<std::size_t>(2, words - 1), noise.below(18));
    default:
      input[noise.below(input.size())] ^= static_cast<std::uint8_t>(1u << noise.below(8));
  }
}

/// The segment table says what is there, or nothing behind it would ever be reached.
void mend_table(bytes& input) {
  input.resize(input.size() / 8 * 8);
  if (input.size() >= 8) set_word(input, 0, std::uint64_t{input.size() / 8 - 1} << 32);
}

}  // namespace

std::string check_peer_message(byte_view input) {
  if (const auto taken = decode<peer_message>(input)) {
    if (input.size() > max_peer_message_bytes(taken->index())) return "larger than its kind may be";
    if (auto wrong = check_blocks(*taken); !wrong.empty()) return wrong;
  }
  for (const auto check : {check_as<peer_message>, check_as<certificate>, check_as<epoch_proof>,
                           check_as<member_vote>, check_as<block>}) {
    if (auto wrong = check(input); !wrong.empty()) return wrong;
  }
  return "";
}

std::map<std::string, bytes> peer_message_seeds() {
  std::map<std::string, bytes> seeds;
  for (std::size_t kind = 0; kind < peer_message_kinds; ++kind) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      const auto name = "kind_" + std::to_string(kind) + "_" + std::to_string(seed);
      seeds[name] = encode(test::sample_message(seed, kind));
    }
  }
  seeds["certificate"] = encode(test::sample<certificate>(4));
  seeds["epoch_proof"] = encode(test::sample<epoch_proof>(4));
  seeds["member_vote"] = encode(test::sample<member_vote>(4));
  seeds["no_bytes"] = {};
  seeds["table_alone"] = bytes(8);
  seeds["cut"] = seeds["kind_1_1"];
  seeds["cut"].pop_back();
  return seeds;
}

bytes change_peer_message(bytes input, noise::noise_generator& noise) {
  if (input.size() < 16) input.resize(16 + 8 * noise.below(8));
  for (std::uint64_t changes = 1 + noise.below(3); changes > 0; --changes) {
    if (noise.below(6) == 0) {
      input.resize(16 + 8 * noise.below(input.size() / 8 + 4));
    } else {
      change_words(input, noise);
    }
  }
  if (noise.below(8) != 0) mend_table(input);
  return input;
}

}  // namespace soma::fuzz
