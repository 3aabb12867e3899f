// Uploads a blob to a gateway, for an account that reserves it. What must hold:
//   - An upload that breaks goes on where it was, at the same gateway; at another one with what is
//     missing there. A gateway that is left is named.
//   - It ends when a gateway says that it has the blob as a whole. That it has it is its own word.
//   - No more than one chunk is in memory here.
#pragma once

#include "actors/gateway_client/blob_port.hpp"
#include "actors/gateway_client/gateway_pool.hpp"
#include "messages/crypto/ed25519.hpp"

namespace soma::gateway_client {

/// What is uploaded.
struct push_source {
  blob_outline outline;
  std::function<bytes(std::uint32_t number)> chunk;
  std::function<void(std::uint32_t have, std::uint32_t all)> progress;  // may be empty
  /// Is given the name of the gateway that says that it has the blob as a whole. May be empty.
  std::function<void(const std::string& gateway)> on_taken;
};

/// The outline of a blob that is in memory.
[[nodiscard]] blob_outline outline_of(byte_view data);

/// A reservation as the header of an upload has it: an UploadReservation in hex. The expiry is Unix
/// time in milliseconds, at most 24 hours ahead.
[[nodiscard]] std::string make_reservation(const crypto::key_pair& key, const chain_id& chain,
                                           const blob_id& blob, std::uint64_t size_bytes,
                                           std::uint64_t expiry_ms);

/// Uploads the blob, and returns its name. Refuses with the reasons of all gateways, each of which
/// may have declined for a reason of its own.
[[nodiscard]] expected<blob_id, pool_refusal> push_blob(const push_source& source,
                                                        const std::string& reservation,
                                                        const std::vector<blob_gateway>& gateways,
                                                        pool_options options);

}  // namespace soma::gateway_client
