// Content-addressed bytes on disk, for weights and data. A blob's id is the Merkle root of the
// hashes of its chunks of 1 MiB (the last chunk may be shorter). What must hold (security §9.2):
//  - The store never hands out bytes that it has not verified: it hashes chunks on the way in and
//    again on every way out. Only who checks the hash anyway may take a chunk from the file itself
//    (blob_reader::part), and then it is not hashed each time.
//  - A blob is visible as a whole or not at all, also after a kill at any instruction. A finished
//    put survives a power cut.
//  - The store makes file names itself, of the hex digits of the id. No foreign text reaches the
//    file system, and the store follows no link.
//  - One store at a time uses a directory, which a lock ensures. Readers in other processes open
//    it with read_only.
//
// On disk, below the store's directory:
//   lock                   held with flock by the store that is open
//   whole/<64 hex>         chunks ‖ their hashes (32 bytes each) ‖ "SOMABLB1" ‖ size (u64 LE)
//   incoming/<64 hex>      the same layout; some chunks have not come yet
//   quarantine/<64 hex>    a blob that was whole until bytes of a chunk changed; the next put of
//                          the same blob uses its good chunks
//
// A put writes chunks, hashes and trailer into incoming/, calls fsync on the file, renames it into
// whole/ and calls fsync on whole/. Only then is the blob visible and acknowledged. A kill before
// the rename leaves a file in incoming/, from which the next put of the same blob resumes. The
// first such put of a process hashes every chunk of the file to learn which ones are good; it
// believes no record of them. While the process runs, the store remembers which ones are.
// The store is thread-safe; a writer or a reader is used by one thread at a time.
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
  /// Counts whole files. An incoming file counts with its full size, or with what has come of it
  /// (put_terms).
  std::uint64_t quota_bytes = std::uint64_t{64} << 30;
  std::uint64_t incoming_max_age_ms = 24 * 3'600 * 1'000;  // an older unfinished put is given up
  std::function<std::uint64_t()> now_ms{};  // Unix time; when empty, the system's clock
  bool read_only = false;
};

struct blob_store_state;

/// How a put takes room and goes on with what an earlier one left.
struct put_terms {
  /// False: the room for the whole blob is taken at the beginning, and the chunks that are here are
  /// read at once. So a put that has begun does not run out of room halfway.
  /// True: only bytes that have come take room, so that who announces blobs and does not give them
  /// takes nothing from others. What is here is read when the caller says so, piece by piece.
  bool is_piecemeal = false;
  /// The put leaves so many bytes of the quota free. Only for a put that is piecemeal.
  std::uint64_t leaves_free_bytes = 0;
};

/// A put under way. If it is destroyed without finish, the chunks that have come stay for the next
/// put of the same blob.
class blob_writer {
 public:
  ~blob_writer();
  blob_writer(blob_writer&&) noexcept;
  blob_writer& operator=(blob_writer&&) noexcept;

  [[nodiscard]] const blob_id& id() const;
  [[nodiscard]] std::uint32_t chunks() const;
  /// The numbers of the chunks that have not come yet, ascending.
  [[nodiscard]] std::vector<std::uint32_t> missing() const;
  /// The numbers of the chunks that may have come before and have to be read to know, ascending.
  /// Only a put that is piecemeal has such chunks.
  [[nodiscard]] std::vector<std::uint32_t> unread() const;
  /// Reads such a chunk, and returns whether it is here. Otherwise it is missing.
  [[nodiscard]] bool read_again(std::uint32_t number);
  /// The size of chunk `number` in bytes.
  [[nodiscard]] std::size_t chunk_size(std::uint32_t number) const;

  /// Refuses: wrong_chunk, and quota_exceeded if the put is piecemeal. A chunk that is present
  /// already is verified and left as it is.
  [[nodiscard]] expected<void, blob_refusal> put_chunk(std::uint32_t number, byte_view data);
  /// Makes the blob durable, then visible. Refuses: incomplete. Once the blob is there, calling
  /// finish again changes nothing.
  [[nodiscard]] expected<blob_id, blob_refusal> finish();
  /// Gives up the put and frees its bytes. The writer takes no more chunks.
  void abandon();

 private:
  friend class blob_store;
  struct state;
  explicit blob_writer(std::unique_ptr<state> begun);
  std::unique_ptr<state> state_;
};

/// Bytes of a file.
struct blob_part {
  std::filesystem::path file;
  std::uint64_t offset = 0;
  std::size_t size = 0;
};

/// An open blob. Its bytes stay readable while the reader lives, even if the blob is collected
/// meanwhile.
class blob_reader {
 public:
  ~blob_reader();
  blob_reader(blob_reader&&) noexcept;
  blob_reader& operator=(blob_reader&&) noexcept;

  [[nodiscard]] std::uint64_t size_bytes() const;
  [[nodiscard]] std::uint32_t chunks() const;
  /// The hashes were verified against the id when the blob was opened.
  [[nodiscard]] std::span<const hash256> chunk_hashes() const;
  /// Refuses: corrupt_chunk (the blob then goes to quarantine), wrong_chunk (the blob has no chunk
  /// of this number).
  [[nodiscard]] expected<bytes, blob_refusal> chunk(std::uint32_t number) const;
  /// Where the bytes of a chunk lie, for bytes that go to somebody who checks their hash, too. The
  /// chunk is verified when it is asked for the first time, and then every parts_a_check times. The
  /// file may be gone when it is opened, if the blob was collected. Refuses as chunk does.
  [[nodiscard]] expected<blob_part, blob_refusal> part(std::uint32_t number);
  static constexpr std::uint32_t parts_a_check = 64;

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
  /// Creates the directory if it is missing and clears away what a kill left behind. Throws
  /// blob_failure.
  explicit blob_store(const std::filesystem::path& directory, blob_options options = {});
  ~blob_store();
  blob_store(const blob_store&) = delete;
  blob_store& operator=(const blob_store&) = delete;

  /// Stores a blob that is in memory; the blob is durable when put returns. A blob that is here
  /// already is verified, and its age counts anew from now. Refuses: quota_exceeded, empty,
  /// too_large, put_in_progress.
  [[nodiscard]] expected<blob_id, blob_refusal> put(byte_view data);
  /// Announces a blob by its size and the hashes of its chunks (messages/crypto/merkle.hpp) and
  /// resumes where an earlier put ended. If the blob is here already, the writer misses no chunk.
  /// Refuses: quota_exceeded, empty, too_large, wrong_hashes, put_in_progress.
  [[nodiscard]] expected<blob_writer, blob_refusal> begin_put(std::uint64_t size_bytes,
                                                              std::span<const hash256> chunk_hashes,
                                                              put_terms terms = {});

  [[nodiscard]] bool have(const blob_id& id) const;
  [[nodiscard]] std::optional<std::uint64_t> size_of(const blob_id& id) const;
  /// The size that the file of a whole blob states. It is as cheap as have(): the hashes are not
  /// read, so damage of the file is found only by open().
  [[nodiscard]] std::optional<std::uint64_t> stated_size(const blob_id& id) const;
  /// Refuses: unknown, corrupt_chunk.
  [[nodiscard]] expected<blob_reader, blob_refusal> open(const blob_id& id) const;
  /// Returns all bytes of a blob after verifying every chunk. Refuses: unknown, corrupt_chunk,
  /// too_large (the blob has more than max_bytes).
  [[nodiscard]] expected<bytes, blob_refusal> get(const blob_id& id,
                                                  std::uint64_t max_bytes = max_blob_bytes) const;
  /// The ids of all whole blobs, ascending.
  [[nodiscard]] std::vector<blob_id> list() const;

  [[nodiscard]] std::uint64_t used_bytes() const;
  [[nodiscard]] std::uint64_t quota_bytes() const;
  /// Removes whole and quarantined blobs that `live` does not name and that were put at least
  /// min_age_ms ago, and unfinished puts that are past their age. It leaves alone a put that is
  /// under way and a blob that was put just now.
  blob_collection collect(std::span<const blob_id> live, std::uint64_t min_age_ms);

 private:
  std::shared_ptr<blob_store_state> state_;
};

}  // namespace soma::blobs
