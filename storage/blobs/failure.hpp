// What can go wrong with blobs, by name. A refusal is an answer: the request or the bytes do not
// do, or are not there. A failure is the machine's: only the boundary of an actor meets it.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace soma::blobs {

enum class blob_refusal : std::uint8_t {
  unknown,         // no such blob is here
  corrupt_chunk,   // bytes on the disk are no longer those that were put; the blob is in quarantine
                   // now
  quota_exceeded,  // with it, more bytes would lie here than may
  empty,           // a blob has at least one byte
  too_large,       // larger than any blob may be
  wrong_hashes,    // the number of chunk hashes does not fit the size
  wrong_chunk,     // not the bytes that the chunk's hash announced, or no such chunk
  put_in_progress,  // another writer is putting this blob
  incomplete,       // chunks are missing
};

[[nodiscard]] std::string_view to_text(blob_refusal refusal);

enum class blob_failure_code : std::uint8_t {
  disk_full,     // what was put stays whole; room has to be made
  already_open,  // another store, in this process or another, has the directory
  machine,       // any other error of the operating system
};

[[nodiscard]] std::string_view to_text(blob_failure_code code);

class blob_failure : public std::runtime_error {
 public:
  blob_failure(blob_failure_code code, const std::string& what)
      : std::runtime_error(std::string(to_text(code)) + ": " + what), code_(code) {}
  [[nodiscard]] blob_failure_code code() const { return code_; }

 private:
  blob_failure_code code_;
};

}  // namespace soma::blobs
