// Private to storage/blobs: the directories of a store, the layout of a blob's file, and reads and
// writes that move all their bytes or fail.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "storage/blobs/blob_store.hpp"

namespace soma::blobs {

/// Throws the blob_failure that errno stands for.
[[noreturn]] void fail(const std::string& doing);

/// An open file or directory; the destructor closes it.
class descriptor {
 public:
  explicit descriptor(int fd = -1) : fd_(fd) {}
  ~descriptor();
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool open() const { return fd_ >= 0; }

 private:
  int fd_;
};

/// Where each part of a blob's file lies: chunks, their hashes, trailer.
struct blob_layout {
  std::uint64_t size_bytes = 0;

  static constexpr std::uint64_t hash_bytes = 32;
  static constexpr std::uint64_t trailer_bytes = 16;
  [[nodiscard]] std::uint32_t chunks() const;
  [[nodiscard]] std::uint64_t chunk_offset(std::uint32_t number) const;
  [[nodiscard]] std::size_t chunk_size(std::uint32_t number) const;
  [[nodiscard]] std::uint64_t hashes_offset() const { return size_bytes; }
  [[nodiscard]] std::uint64_t trailer_offset() const { return size_bytes + hash_bytes * chunks(); }
  [[nodiscard]] std::uint64_t file_bytes() const { return trailer_offset() + trailer_bytes; }
  [[nodiscard]] bytes trailer() const;
  /// The layout that a file's trailer states, if the file has exactly the size that this layout
  /// needs.
  [[nodiscard]] static std::optional<blob_layout> of_file(int fd);
};

/// Returns false if the disk does not give all of the bytes.
[[nodiscard]] bool read_at(int fd, std::uint64_t offset, std::span<std::uint8_t> to);
/// Throws blob_failure.
void write_at(int fd, std::uint64_t offset, byte_view data);

/// One of the three directories that hold blobs.
class blob_directory {
 public:
  blob_directory(const descriptor& root, const std::filesystem::path& root_path, const char* name,
                 bool read_only);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] std::filesystem::path path_of(const blob_id& id) const;
  /// The size in bytes of the regular file of this id, if there is one.
  [[nodiscard]] std::optional<std::uint64_t> file_bytes(const blob_id& id) const;
  /// Opens the file of this id. The descriptor is not open if there is no such regular file.
  [[nodiscard]] descriptor open(const blob_id& id, int flags) const;
  /// Removes the file of this id and returns the bytes freed, which are 0 if there was no file.
  std::uint64_t remove(const blob_id& id) const;
  /// Moves the file into `other`, replaces a file of the same id there, and returns the bytes of
  /// the replaced file.
  std::uint64_t move_to(const blob_directory& other, const blob_id& id) const;
  /// Sets the time from which the age of the file counts.
  void touch(const blob_id& id, std::uint64_t now_ms) const;
  void sync() const;
  /// Visits every regular file that has an id as its name, in ascending order.
  void each(const std::function<void(const blob_id&, const struct stat&)>& visit) const;
  /// Removes every entry whose name is not an id.
  void remove_strangers() const;

 private:
  std::filesystem::path path_;
  descriptor fd_;
};

struct blob_store_state {
  blob_store_state(const std::filesystem::path& directory, blob_options chosen);

  blob_options options;
  descriptor root;
  descriptor lock;
  blob_directory complete;
  blob_directory incoming;
  blob_directory quarantined;

  // Guards the fields below, and the moving and removing of files.
  mutable std::mutex mutex;
  std::set<blob_id> active;  // puts under way; their blobs are not visible until they are durable
  std::uint64_t used_bytes = 0;
  /// What a file in incoming/ counts for in used_bytes, and what is known of its chunks.
  struct incoming_file {
    std::uint64_t counted_bytes = 0;
    /// Empty when nothing is known, as after a start.
    std::vector<bool> present, unread;
  };
  std::map<blob_id, incoming_file> unfinished;

  [[nodiscard]] std::uint64_t now_ms() const;
  [[nodiscard]] std::uint64_t age_ms(const struct stat& file) const;
  [[nodiscard]] bool have(const blob_id& id) const;  // takes the mutex
  /// Moves a blob whose bytes have changed to quarantine, if its file is still the one that `fd`
  /// reads.
  void quarantine(const blob_id& id, int fd);
  /// Ends a put. If `drop` is true, its file in incoming/ is removed.
  void release(const blob_id& id, bool drop);
  // The following are called with the mutex held.
  /// Removes a file in incoming/ and returns the bytes that it counted for.
  std::uint64_t drop_incoming(const blob_id& id);
  /// Counts a file in incoming/ for at least so many bytes. False when the quota has no room.
  [[nodiscard]] bool count_incoming(const blob_id& id, std::uint64_t bytes,
                                    std::uint64_t leaves_free_bytes);
};

struct blob_writer::state {
  std::shared_ptr<blob_store_state> store;
  blob_id id;
  blob_layout layout;
  std::vector<hash256> hashes;
  put_terms terms;
  std::vector<bool> present;
  std::vector<bool> unread;         // may be present; only when the put is piecemeal
  std::uint64_t present_bytes = 0;  // of the chunks, if the put is piecemeal
  descriptor file;                  // open in incoming/ while the put is active
  bool active = false;

  ~state();
  /// Creates or reopens the file in incoming/. Of a reopened file it hashes every chunk to learn
  /// which ones are good, or leaves that to read_again.
  void open_file(const blob_store_state::incoming_file& known);
  [[nodiscard]] bool is_good(std::uint32_t number) const;
  void mark_present(std::uint32_t number);
};

struct blob_reader::state {
  std::shared_ptr<blob_store_state> store;
  blob_id id;
  blob_layout layout;
  std::vector<hash256> hashes;
  descriptor file;
  /// How often each chunk was given as a part of the file since it was verified.
  std::vector<std::uint8_t> parts_given;
};

}  // namespace soma::blobs
