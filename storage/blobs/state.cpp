#include "storage/blobs/state.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>

#include "messages/crypto/merkle.hpp"
#include "messages/values/assert.hpp"
#include "storage/files/durable.hpp"

namespace soma::blobs {
namespace {

constexpr std::string_view magic = "SOMABLB1";

std::string name_of(const blob_id& id) {
  return to_hex(id.value);
}

std::optional<blob_id> id_of(const std::string& name) {
  const auto id = blob_id::parse(name);
  if (!id || name_of(*id) != name) return std::nullopt;
  return id;
}

blob_failure failure_of(int error, const std::string& doing) {
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return {full ? blob_failure_code::disk_full : blob_failure_code::machine,
          doing + ": " + std::strerror(error)};
}

descriptor open_root(const std::filesystem::path& directory, bool read_only) {
  try {
    if (!read_only) files::create_directories_durably(directory);
  } catch (const std::system_error& why) {
    throw failure_of(why.code().value(), why.what());
  }
  descriptor root(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.open()) fail("open " + directory.string());
  return root;
}

descriptor take_lock(const descriptor& root, const std::filesystem::path& directory,
                     bool read_only) {
  if (read_only) return descriptor();
  descriptor lock(::openat(root.get(), "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock.open()) fail("open the lock of " + directory.string());
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) fail("lock " + directory.string());
    throw blob_failure(blob_failure_code::already_open,
                       directory.string() + " is in use by another store");
  }
  return lock;
}

}  // namespace

void fail(const std::string& doing) {
  throw failure_of(errno, doing);
}

descriptor::~descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

std::uint32_t blob_layout::chunks() const {
  return static_cast<std::uint32_t>(crypto::chunk_count(size_bytes));
}

std::uint64_t blob_layout::chunk_offset(std::uint32_t number) const {
  return std::uint64_t{number} * crypto::blob_chunk_bytes;
}

std::size_t blob_layout::chunk_size(std::uint32_t number) const {
  SOMA_ASSERT(number < chunks(), "a blob has this chunk");
  return static_cast<std::size_t>(
      std::min<std::uint64_t>(crypto::blob_chunk_bytes, size_bytes - chunk_offset(number)));
}

bytes blob_layout::trailer() const {
  bytes written(magic.begin(), magic.end());
  for (int i = 0; i < 8; ++i) written.push_back(static_cast<std::uint8_t>(size_bytes >> (8 * i)));
  return written;
}

std::optional<blob_layout> blob_layout::of_file(int fd) {
  struct stat on_disk {};
  if (::fstat(fd, &on_disk) != 0) fail("stat a blob");
  const auto file_bytes = static_cast<std::uint64_t>(on_disk.st_size);
  bytes found(trailer_bytes);
  if (file_bytes < trailer_bytes || !read_at(fd, file_bytes - trailer_bytes, found)) {
    return std::nullopt;
  }
  blob_layout layout;
  for (int i = 7; i >= 0; --i) layout.size_bytes = layout.size_bytes << 8 | found[8 + i];
  if (layout.size_bytes == 0 || layout.size_bytes > max_blob_bytes) return std::nullopt;
  if (layout.trailer() != found || layout.file_bytes() != file_bytes) return std::nullopt;
  return layout;
}

bool read_at(int fd, std::uint64_t offset, std::span<std::uint8_t> to) {
  while (!to.empty()) {
    const auto got = ::pread(fd, to.data(), to.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno != EIO) fail("read a blob");
    if (got <= 0) return false;
    offset += static_cast<std::uint64_t>(got);
    to = to.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

void write_at(int fd, std::uint64_t offset, byte_view data) {
  while (!data.empty()) {
    const auto put = ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail("write a blob");
    offset += static_cast<std::uint64_t>(put);
    data = data.subspan(static_cast<std::size_t>(put));
  }
}

blob_directory::blob_directory(const descriptor& root, const std::filesystem::path& root_path,
                               const char* name, bool read_only)
    : path_(root_path / name) {
  if (!read_only && ::mkdirat(root.get(), name, 0700) != 0 && errno != EEXIST) {
    fail("mkdir " + path_.string());
  }
  fd_ = descriptor(::openat(root.get(), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd_.open()) fail("open " + path_.string());
}

std::optional<std::uint64_t> blob_directory::file_bytes(const blob_id& id) const {
  struct stat on_disk {};
  if (::fstatat(fd(), name_of(id).c_str(), &on_disk, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return std::nullopt;
    fail("stat a blob");
  }
  if (!S_ISREG(on_disk.st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(on_disk.st_size);
}

descriptor blob_directory::open(const blob_id& id, int flags) const {
  // O_NONBLOCK: a foreign process might have put a pipe under this name, and opening it would
  // block.
  descriptor file(::openat(fd(), name_of(id).c_str(), flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file.open()) {
    if (errno == ENOENT || errno == ELOOP) return file;
    fail("open a blob");
  }
  struct stat on_disk {};
  if (::fstat(file.get(), &on_disk) != 0) fail("stat a blob");
  return S_ISREG(on_disk.st_mode) ? std::move(file) : descriptor();
}

std::filesystem::path blob_directory::path_of(const blob_id& id) const {
  return path_ / name_of(id);
}

std::uint64_t blob_directory::remove(const blob_id& id) const {
  const auto freed = file_bytes(id);
  if (::unlinkat(fd(), name_of(id).c_str(), 0) != 0 && errno != ENOENT) fail("remove a blob");
  return freed.value_or(0);
}

std::uint64_t blob_directory::move_to(const blob_directory& other, const blob_id& id) const {
  const auto freed = other.file_bytes(id);
  const std::string name = name_of(id);
  if (::renameat(fd(), name.c_str(), other.fd(), name.c_str()) != 0) fail("move a blob");
  return freed.value_or(0);
}

void blob_directory::touch(const blob_id& id, std::uint64_t now_ms) const {
  const timespec now{static_cast<time_t>(now_ms / 1'000),
                     static_cast<long>(now_ms % 1'000 * 1'000'000)};
  const timespec times[2] = {now, now};
  if (::utimensat(fd(), name_of(id).c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) fail("date a blob");
}

void blob_directory::sync() const {
  if (::fsync(fd()) != 0) fail("fsync " + path_.string());
}

void blob_directory::each(
    const std::function<void(const blob_id&, const struct stat&)>& visit) const {
  std::vector<blob_id> ids;
  for (const auto& entry : std::filesystem::directory_iterator(path_)) {
    if (const auto id = id_of(entry.path().filename().string())) ids.push_back(*id);
  }
  std::ranges::sort(ids);
  for (const auto& id : ids) {
    struct stat on_disk {};
    if (::fstatat(fd(), name_of(id).c_str(), &on_disk, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISREG(on_disk.st_mode)) visit(id, on_disk);
  }
}

void blob_directory::remove_strangers() const {
  std::vector<std::filesystem::path> strangers;
  for (const auto& entry : std::filesystem::directory_iterator(path_)) {
    if (!id_of(entry.path().filename().string()) || !entry.is_regular_file()) {
      strangers.push_back(entry.path());
    }
  }
  for (const auto& path : strangers) std::filesystem::remove_all(path);
}

blob_store_state::blob_store_state(const std::filesystem::path& directory, blob_options chosen)
    : options(std::move(chosen)),
      root(open_root(directory, options.read_only)),
      lock(take_lock(root, directory, options.read_only)),
      complete(root, directory, "whole", options.read_only),
      incoming(root, directory, "incoming", options.read_only),
      quarantined(root, directory, "quarantine", options.read_only) {
  if (options.read_only) return;
  if (::fsync(root.get()) != 0) fail("fsync " + directory.string());
  complete.sync();  // a kill may have come between the rename and the sync of a put
  incoming.remove_strangers();
  incoming.each([&](const blob_id& id, const struct stat& file) {
    const descriptor opened = incoming.open(id, O_RDONLY);
    const bool usable = opened.open() && blob_layout::of_file(opened.get());
    if (!usable || age_ms(file) >= options.incoming_max_age_ms) incoming.remove(id);
  });
  for (const auto* place : {&complete, &quarantined}) {
    place->each([&](const blob_id&, const struct stat& file) {
      used_bytes += static_cast<std::uint64_t>(file.st_size);
    });
  }
  incoming.each([&](const blob_id& id, const struct stat& file) {
    // Chunks that have not come are holes in the file, which take no room.
    constexpr std::uint64_t stat_block_bytes = 512;
    const auto taken = std::min(static_cast<std::uint64_t>(file.st_size),
                                stat_block_bytes * static_cast<std::uint64_t>(file.st_blocks));
    unfinished[id].counted_bytes = taken;
    used_bytes += taken;
  });
}

std::uint64_t blob_store_state::now_ms() const {
  if (options.now_ms) return options.now_ms();
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

std::uint64_t blob_store_state::age_ms(const struct stat& file) const {
  const auto put_ms = static_cast<std::uint64_t>(file.st_mtim.tv_sec) * 1'000 +
                      static_cast<std::uint64_t>(file.st_mtim.tv_nsec) / 1'000'000;
  const std::uint64_t now = now_ms();
  return now > put_ms ? now - put_ms : 0;
}

bool blob_store_state::have(const blob_id& id) const {
  const std::lock_guard guard(mutex);
  return !active.contains(id) && complete.file_bytes(id).has_value();
}

void blob_store_state::quarantine(const blob_id& id, int fd) {
  if (options.read_only) return;
  const std::lock_guard guard(mutex);
  struct stat read {};
  struct stat named {};
  if (::fstat(fd, &read) != 0) fail("stat a blob");
  if (::fstatat(complete.fd(), name_of(id).c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0) return;
  if (read.st_ino != named.st_ino || active.contains(id)) return;
  used_bytes -= complete.move_to(quarantined, id);
  quarantined.touch(id, now_ms());
}

void blob_store_state::release(const blob_id& id, bool drop) {
  const std::lock_guard guard(mutex);
  if (drop) (void)drop_incoming(id);
  active.erase(id);
}

std::uint64_t blob_store_state::drop_incoming(const blob_id& id) {
  (void)incoming.remove(id);
  const auto known = unfinished.find(id);
  if (known == unfinished.end()) return 0;
  const auto freed = known->second.counted_bytes;
  SOMA_ASSERT(used_bytes >= freed, "the file was counted");
  used_bytes -= freed;
  unfinished.erase(known);
  return freed;
}

bool blob_store_state::count_incoming(const blob_id& id, std::uint64_t bytes,
                                      std::uint64_t leaves_free_bytes) {
  auto& counted = unfinished[id].counted_bytes;
  if (counted >= bytes) return true;
  const auto more = bytes - counted;
  const auto limit = options.quota_bytes - std::min(options.quota_bytes, leaves_free_bytes);
  if (more > limit || used_bytes > limit - more) {
    if (counted == 0) unfinished.erase(id);
    return false;
  }
  counted = bytes;
  used_bytes += more;
  return true;
}

}  // namespace soma::blobs
