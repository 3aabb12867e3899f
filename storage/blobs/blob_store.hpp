// Content-addressed bytes on disk: weights, data. A blob's id is the Merkle root of the hashes of
// its chunks of 1 MiB (the last may be shorter). What must hold (security §9.2):
//  - Nothing is had that was not verified: chunks are hashed on the way in and again on every way
//  out.
//  - A blob is seen whole or not at all, also after a kill at any instruction; a finished put
//  survives a power cut.
//  - File names are made by us of the id's hex digits; no foreign text touches the file system, no
//  link is followed.
//  - A store has its directory alone (a lock says so). Readers in other processes open it with
//  read_only.
//
// On disk:  <directory>/lock        flock
//           whole/<64 hex>          chunks ‖ their hashes (32 bytes each) ‖ "SOMABLB1" ‖ size (u64
//           LE) incoming/<64 hex>       the same, some chunks not there yet quarantine/<64 hex> was
//           whole, then a chunk's bytes changed; its good chunks are used by the next put
// Order of a put: chunks, hashes and trailer into incoming/; fsync of the file; rename into whole/;
// fsync of whole/; only then is it had and acknowledged. A kill before the rename leaves an
// incoming file from which the next put of the same blob resumes; which of its chunks hold is found
// out by hashing them, never believed. Thread-safe; a writer and a reader are each used by one
// thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "messages/values/bytes.hpp"
#include "messages/values/expected.hpp"
#include "messages/values/ids.hpp"
#include "storage/blobs/failure.hpp"

namespace soma::blobs {

inline constexpr std::uint64_t max_blob_bytes = std::uint64_t{64} << 30;

struct blob_options {
  std::uint64_t quota_bytes = std::uint64_t{64}
                              << 30;  // of files, incoming ones at their full size
  std::uint64_t incoming_max_age_ms = 24 * 3'600 * 1'000;  // older unfinished puts are given up
  std::function<std::uint64_t()> now_ms{};  // Unix time; the system's clock when empty
  bool read_only = false;
};

struct blob_store_state;

/// A put under way. Dropped without finish, it leaves what has come for the next put of the same
/// blob.
class blob_writer {
 public:
  ~blob_writer();
  blob_writer(blob_writer&&) noexcept;
  blob_writer& operator=(blob_writer&&) noexcept;

  [[nodiscard]] const blob_id& id() const;
  [[nodiscard]] std::uint32_t chunks() const;
  /// Numbers of the chunks that have not come yet, ascending.
  [[nodiscard]] std::vector<std::uint32_t> missing() const;
  /// Bytes that chunk `number` has.
  [[nodiscard]] std::size_t chunk_size(std::uint32_t number) const;

  /// Refuses: wrong_chunk. A chunk that is there already is verified and left as it is.
  [[nodiscard]] expected<void, blob_refusal> put_chunk(std::uint32_t number, byte_view data);
  /// Makes the blob durable, then visible. Refuses: incomplete. Once it is there, finishing again
  /// changes nothing.
  [[nodiscard]] expected<blob_id, blob_refusal> finish();
  /// Gives the put up and its bytes back. The writer is done.
  void abandon();

 private:
  friend class blob_store;
  struct state;
  explicit blob_writer(std::unique_ptr<state> begun);
  std::unique_ptr<state> state_;
};

/// An open blob: its bytes stay readable while it lives, even if the blob is collected meanwhile.
class blob_reader {
 public:
  ~blob_reader();
  blob_reader(blob_reader&&) noexcept;
  blob_reader& operator=(blob_reader&&) noexcept;

  [[nodiscard]] std::uint64_t size_bytes() const;
  [[nodiscard]] std::uint32_t chunks() const;
  /// Verified against the id.
  [[nodiscard]] std::span<const hash256> chunk_hashes() const;
  /// Refuses: corrupt_chunk (the blob goes to quarantine), wrong_chunk (there is no such number).
  [[nodiscard]] expected<bytes, blob_refusal> chunk(std::uint32_t number) const;

 private:
  friend class blob_store;
  struct state;
  explicit blob_reader(std::unique_ptr<state> opened);
  std::unique_ptr<state> state_;
};

struct blob_collection {
  std::uint64_t blobs = 0;
  std::uint64_t freed_bytes = 0;
};

class blob_store {
 public:
  /// Creates the directory when missing, clears away what a kill left behind. Throws blob_failure.
  explicit blob_store(const std::filesystem::path& directory, blob_options options = {});
  ~blob_store();
  blob_store(const blob_store&) = delete;
  blob_store& operator=(const blob_store&) = delete;

  /// A blob in memory; durable when it returns. One that is here already is verified and counts as
  /// put just now. Refuses: quota_exceeded, empty, too_large, put_in_progress.
  [[nodiscard]] expected<blob_id, blob_refusal> put(byte_view data);
  /// Announces a blob by its size and the hashes of its chunks (messages/crypto/merkle.hpp),
  /// resumes where an earlier put ended. For a blob that is here, the writer misses nothing.
  /// Refuses: quota_exceeded, empty, too_large, wrong_hashes, put_in_progress.
  [[nodiscard]] expected<blob_writer, blob_refusal> begin_put(
      std::uint64_t size_bytes, std::span<const hash256> chunk_hashes);

  [[nodiscard]] bool have(const blob_id& id) const;
  [[nodiscard]] std::optional<std::uint64_t> size_of(const blob_id& id) const;
  /// Refuses: unknown, corrupt_chunk.
  [[nodiscard]] expected<blob_reader, blob_refusal> open(const blob_id& id) const;
  /// All bytes of a blob, every chunk verified. Refuses: unknown, corrupt_chunk, too_large (more
  /// than max_bytes).
  [[nodiscard]] expected<bytes, blob_refusal> get(const blob_id& id,
                                                  std::uint64_t max_bytes = max_blob_bytes) const;
  /// Ids of all whole blobs, ascending.
  [[nodiscard]] std::vector<blob_id> list() const;

  [[nodiscard]] std::uint64_t used_bytes() const;
  [[nodiscard]] std::uint64_t quota_bytes() const;
  /// Removes whole and quarantined blobs that `live` does not name and that were put at least
  /// min_age_ms ago, and unfinished puts past their age. A put that is under way, or a blob put
  /// just now, is left alone.
  blob_collection collect(std::span<const blob_id> live, std::uint64_t min_age_ms);

 private:
  std::shared_ptr<blob_store_state> state_;
};

}  // namespace soma::blobs
