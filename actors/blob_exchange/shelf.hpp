// The blobs of this home, as the exchange sees them. What must hold:
//   - A blob is whole or it is not here. Only blobs that are whole are given to peers.
//   - A chunk is kept only if it has the hash that the list of its blob says.
//   - A failure of the disk is an answer, never an exception: a home whose disk is full still
//     answers its peers and still votes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "messages/values/bytes.hpp"
#include "messages/values/ids.hpp"
#include "messages/values/votes.hpp"

namespace soma::blob_exchange {

enum class put_result : std::uint8_t {
  kept,
  wrong,   // these are not the bytes of this chunk
  failed,  // the disk has failed or has no room
};

/// What is known of the chunks of a blob that has been begun. Others are here.
struct begun_blob {
  std::vector<std::uint32_t> missing;  // ascending
  /// Those that may be here from before a restart. They have to be read to know.
  std::vector<std::uint32_t> unread;
};

class shelf {
 public:
  shelf() = default;
  shelf(const shelf&) = delete;
  shelf& operator=(const shelf&) = delete;
  virtual ~shelf() = default;

  /// The size in bytes of a blob that is whole; nullopt for any other blob. It must be cheap.
  [[nodiscard]] virtual std::optional<std::uint64_t> size_of_complete(
      const blob_id& blob) const = 0;
  /// The bytes of a part of a blob that is whole, verified; nullopt when it is not here.
  [[nodiscard]] virtual std::optional<bytes> part(const peer::blob_part& which) = 0;

  /// Begins a blob or goes on with one of which some chunks are here. It reads none of them, so
  /// that its time does not depend on the size. `list` has been proven to be that of the blob.
  /// nullopt when there is no room, when the disk fails, or when another put of this blob is under
  /// way.
  [[nodiscard]] virtual std::optional<begun_blob> begin(std::uint64_t size_bytes,
                                                        std::span<const hash256> list) = 0;
  /// Reads an unread chunk of a blob that was begun, and returns whether it is here.
  [[nodiscard]] virtual bool read_again(const blob_id& blob, std::uint32_t number) = 0;
  /// Keeps a chunk of a blob that was begun.
  [[nodiscard]] virtual put_result put(const blob_id& blob, std::uint32_t number,
                                       byte_view data) = 0;
  /// Makes a blob whole that misses no chunk. False when the disk fails. It is not begun any more.
  [[nodiscard]] virtual bool finish(const blob_id& blob) = 0;
  /// The blob is not begun any more. Its chunks stay for the next time.
  virtual void put_aside(const blob_id& blob) = 0;
};

}  // namespace soma::blob_exchange
