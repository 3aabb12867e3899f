// What is fuzzed, as plain functions: libFuzzer drives them with inputs of its own (deploy/fuzz),
// the replay test with the seeds and with seeded changes of them. Each returns what went wrong, in
// words; an empty text is the only good answer. Crashes and undefined behaviour are the
// sanitizers' part.
#pragma once

#include <map>
#include <string>

#include "messages/values/bytes.hpp"
#include "model/noise/noise.hpp"

namespace soma::fuzz {

/// Any bytes as a safetensors file: from memory, given away, from disk, mapped and in outline it
/// has one and the same verdict; what is accepted is the file that it came from.
[[nodiscard]] std::string check_safetensors(byte_view input);

/// The first 20 bytes choose length (u32), first (u64) and count (u64), the rest is data: batches
/// against the definition, one slot at a time, and against each other.
[[nodiscard]] std::string check_tokens(byte_view input);

/// Any bytes as what one validator says to another, and as each part of it that is kept alone: what
/// is taken has those bytes and no others, is within its kind's size, and names blocks by their
/// hash.
[[nodiscard]] std::string check_peer_message(byte_view input);

/// The first byte chooses the size of pieces, the rest is what a client sends on one connection:
/// each request is the same however it is cut, has one end, and a path that stays below its root.
[[nodiscard]] std::string check_http_request(byte_view input);

/// A line "VERB target", lines "name: value", an empty line and a body, as a request that a gateway
/// has got: each question in it is read whole, or refused by a name, and the program is not at
/// fault. What is passed on to a role is a message that the role takes.
[[nodiscard]] std::string check_gateway_request(byte_view input);

/// The first byte chooses a kind of answer, the rest is what a gateway has sent: what is read has
/// the form that the readers promise, and a refusal is fit for a terminal.
[[nodiscard]] std::string check_gateway_answer(byte_view input);

/// Inputs to begin with, by name: small valid files of several architectures and near misses.
[[nodiscard]] std::map<std::string, bytes> safetensors_seeds();
[[nodiscard]] std::map<std::string, bytes> tokens_seeds();
[[nodiscard]] std::map<std::string, bytes> peer_message_seeds();
[[nodiscard]] std::map<std::string, bytes> http_request_seeds();
[[nodiscard]] std::map<std::string, bytes> gateway_request_seeds();
[[nodiscard]] std::map<std::string, bytes> gateway_answer_seeds();

/// A few changes that know the format: numbers, names and entries of the header are exchanged,
/// values become infinite, parts move; mostly the header's length is mended afterwards, or nothing
/// behind it would ever be reached.
[[nodiscard]] bytes change_safetensors(bytes input, noise::noise_generator& noise);
[[nodiscard]] bytes change_tokens(bytes input, noise::noise_generator& noise);
/// Words are exchanged and shifted, kinds too; mostly the segment table is mended afterwards.
[[nodiscard]] bytes change_peer_message(bytes input, noise::noise_generator& noise);
/// Words of HTTP are put in and over others, and bytes go.
[[nodiscard]] bytes change_http_request(bytes input, noise::noise_generator& noise);
/// The same with words of paths, parameters and JSON.
[[nodiscard]] bytes change_gateway_request(bytes input, noise::noise_generator& noise);
/// As for the messages of validators. The kind mostly stays.
[[nodiscard]] bytes change_gateway_answer(bytes input, noise::noise_generator& noise);

/// The header's text without its length, empty where there is none, and a file with another.
[[nodiscard]] std::string header_of(byte_view file);
[[nodiscard]] bytes with_header(byte_view file, std::string header);

/// One thing that is fuzzed.
struct target {
  const char* name;
  std::string (*check)(byte_view);
  std::map<std::string, bytes> (*seeds)();
  bytes (*change)(bytes, noise::noise_generator&);
  bool has_header;
};
inline constexpr target targets[] = {
    {"safetensors", check_safetensors, safetensors_seeds, change_safetensors, true},
    {"tokens", check_tokens, tokens_seeds, change_tokens, false},
    {"peer_message", check_peer_message, peer_message_seeds, change_peer_message, false},
    {"http_request", check_http_request, http_request_seeds, change_http_request, false},
    {"gateway_request", check_gateway_request, gateway_request_seeds, change_gateway_request,
     false},
    {"gateway_answer", check_gateway_answer, gateway_answer_seeds, change_gateway_answer, false},
};

}  // namespace soma::fuzz
