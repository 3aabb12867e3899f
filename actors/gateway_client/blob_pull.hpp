// Fetches a blob through several gateways at once, of which any may lie, stall or die. What must
// hold:
//   - Only bytes that are proven by the blob's name are given on: the description by the name, each
//     chunk by the description.
//   - A gateway that gives a wrong description or a wrong chunk is left for good, and named. One
//     that is silent or declines rests for a while, longer each time.
//   - What a gateway keeps to itself for too long is asked elsewhere too, and the first good answer
//     counts. A gateway that dies in the middle costs what it had not given yet, and nothing else.
//   - No more than one chunk for each connection is in memory.
// Each connection has a thread of its own while the call lasts.
#pragma once

#include <span>

#include "actors/gateway_client/blob_port.hpp"
#include "actors/gateway_client/gateway_pool.hpp"

namespace soma::gateway_client {

/// Where the chunks go.
struct chunk_sink {
  /// Is called once, with what the blob consists of. Says which chunks are here already, which are
  /// verified by it.
  std::function<std::vector<bool>(const blob_outline&)> begin;
  /// Takes a verified chunk, each at most once. It is called on several threads at a time.
  std::function<void(std::uint32_t number, byte_view chunk)> put;
  /// Is told now and then how many chunks are here. May be empty.
  std::function<void(std::uint32_t have, std::uint32_t all)> progress;
};

struct pull_options {
  pool_options gateways;
  std::uint32_t hedge_ms = 2'000;   // after which what has not come is asked elsewhere too
  std::uint32_t stall_ms = 30'000;  // without a chunk from anybody; then it is given up
  std::uint32_t chunks_a_read = 16;
  std::function<bool()> is_stopped;  // whether the person wants to stop; may be empty
};

/// Reads a description, and proves it by the name. Refusals: those of read_plain(), declined, and
/// wrong_description.
[[nodiscard]] expected<blob_outline, refusal> read_outline(const fetched& from,
                                                           const blob_id& blob);

/// Fetches all chunks that the sink does not have. A size that is given must be that of the blob.
/// Refuses with the reasons of all gateways. What the sink throws ends it and is thrown again; a
/// stop is a refusal without reasons.
[[nodiscard]] expected<blob_outline, pool_refusal> pull_blob(
    const blob_id& blob, std::optional<std::uint64_t> size_bytes,
    const std::vector<blob_gateway>& gateways, const chunk_sink& sink, pull_options options);

}  // namespace soma::gateway_client
