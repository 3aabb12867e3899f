// What can go wrong with blobs, by name. A refusal is an answer to a request: the request or its
// bytes are not acceptable, or the bytes are not there. A failure is a fault of the machine; only
// the boundary of an actor handles it.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace soma::blobs {

enum class blob_refusal : std::uint8_t {
  /// The store has no such blob.
  unknown,
  /// Bytes on the disk differ from those that were put; the blob has gone to quarantine.
  corrupt_chunk,
  /// With this blob the store would hold more bytes than its quota.
  quota_exceeded,
  /// A blob has at least one byte.
  empty,
  /// The blob is larger than max_blob_bytes, or than the caller allows.
  too_large,
  /// The number of chunk hashes does not fit the size.
  wrong_hashes,
  /// The bytes do not have the announced hash, or there is no chunk of this number.
  wrong_chunk,
  /// Another writer is putting this blob.
  put_in_progress,
  /// Chunks are missing.
  incomplete,
};

[[nodiscard]] std::string_view to_text(blob_refusal refusal);

enum class blob_failure_code : std::uint8_t {
  disk_full,     // finished puts stay whole; the operator has to make room
  already_open,  // another store, in this process or another, uses the directory
  machine,       // any other error of the operating system
};

/// The name of the code. The text of a failure does not have it, since a person reads that text.
[[nodiscard]] std::string_view to_text(blob_failure_code code);

class blob_failure : public std::runtime_error {
 public:
  /// what() says in a sentence what the code means, and in brackets `what` was being done.
  blob_failure(blob_failure_code code, const std::string& what);
  [[nodiscard]] blob_failure_code code() const { return code_; }

 private:
  blob_failure_code code_;
};

}  // namespace soma::blobs
