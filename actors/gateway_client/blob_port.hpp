// The seam to the blobs of one gateway, for one thread. Production gives it an HTTPS connection
// (http_blobs.hpp), tests give it bytes and lies.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "actors/gateway_client/fetch_port.hpp"
#include "messages/values/ids.hpp"

namespace soma::gateway_client {

/// Takes the next bytes of an answer. False ends it.
using byte_taker = std::function<bool(byte_view)>;

/// Each call blocks until the answer is there, or a limit of time is over. It checks nothing but
/// the number of the bytes.
struct blob_port {
  std::function<fetched(const blob_id&)> describe;  // the canonical bytes of a BlobDescription
  /// The bytes of the blob from this place on, so many of them at most.
  std::function<fetched(const blob_id&, std::uint64_t from, std::uint64_t size,
                        const byte_taker& take)>
      read;
  /// Announces an upload: the canonical bytes of a BeginPut. PutProgress comes back. A reservation
  /// is that of an account, in hex.
  std::function<fetched(const blob_id&, byte_view begin_put, const std::string& reservation)> begin;
  std::function<fetched(const blob_id&, std::uint32_t number, byte_view chunk,
                        const std::string& reservation)>
      put;  // PutProgress
  /// Ends the present call and all later ones. Any thread may call it.
  std::function<void()> cancel;
};

/// One gateway, and its connections.
struct blob_gateway {
  std::string name;
  std::vector<blob_port> connections;  // at least one
};

/// What proves the chunks of a blob.
struct blob_outline {
  std::uint64_t size_bytes = 0;
  std::vector<hash256> chunk_hashes;
};

}  // namespace soma::gateway_client
