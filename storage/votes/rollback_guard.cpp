#include "storage/votes/rollback_guard.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include "messages/wire/crc32c.hpp"
#include "storage/lmdb/failure.hpp"
#include "storage/votes/numbers.hpp"

namespace soma::votes {
namespace {

constexpr std::size_t slot_bytes = 44;
constexpr off_t slot_distance = 4'096;

[[noreturn]] void fail(int error, const std::string& doing) {
  const bool full = error == ENOSPC || error == EDQUOT;
  throw lmdb::failure(full ? lmdb::failure_code::storage_full : lmdb::failure_code::machine,
                      doing + " the file witness of the voting record: " + std::strerror(error));
}

bytes slot_of(const rollback_guard::seen& now) {
  bytes made;
  votes::append_little(made, now.sequence, 8);
  made.insert(made.end(), now.head.value.begin(), now.head.value.end());
  votes::append_little(made, crc32c(made), 4);
  return made;
}

/// A write that comes to an end too early means that the disk is full: errno says nothing then.
void write_at(int fd, const bytes& made, off_t at) {
  ssize_t done = 0;
  do {
    done = ::pwrite(fd, made.data(), made.size(), at);
  } while (done < 0 && errno == EINTR);
  if (done < 0) fail(errno, "cannot write");
  if (done != static_cast<ssize_t>(made.size())) fail(ENOSPC, "cannot write");
}

}  // namespace

void rollback_guard::create(const std::filesystem::path& file, const seen& first) {
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) fail(errno, "cannot create");
  try {
    // Both pages get their room on the disk now, so that a full disk can't keep a slot from being
    // written.
    write_at(fd, bytes(2 * slot_distance), 0);
    write_at(fd, slot_of(first), 0);
    if (::fsync(fd) != 0) fail(errno, "cannot sync");
  } catch (...) {
    ::close(fd);
    throw;
  }
  ::close(fd);
}

namespace {

files::direct_file open_guard(const std::filesystem::path& file, bool sync) {
  try {
    return {file, files::direct_file::opening::existing, sync};
  } catch (const std::system_error& why) {
    if (why.code().value() != EWOULDBLOCK) fail(why.code().value(), "cannot open");
    throw lmdb::failure(lmdb::failure_code::already_open,
                        "the voting record is open, here or in another process");
  }
}

}  // namespace

rollback_guard::rollback_guard(const std::filesystem::path& file, bool sync)
    : file_(open_guard(file, sync)) {}

std::optional<rollback_guard::seen> rollback_guard::read() const {
  std::optional<seen> latest;
  for (const std::size_t at : {std::size_t{0}, std::size_t{slot_distance}}) {
    std::array<std::uint8_t, slot_bytes> found{};
    try {
      if (file_.read(found, at) != found.size()) continue;
    } catch (const std::system_error& why) {
      fail(why.code().value(), "cannot read");
    }
    if (votes::little(byte_view(found).subspan(40)) != crc32c(byte_view(found).first(40))) continue;
    const seen read{votes::little(byte_view(found).first(8)),
                    *hash256::from(byte_view(found).subspan(8, 32))};
    if (read.head.is_zero()) continue;  // this slot was never written
    if (!latest || read.sequence > latest->sequence) latest = read;
  }
  return latest;
}

void rollback_guard::write(const seen& now) {
  const auto slot = slot_of(now);
  std::ranges::copy(slot, file_.memory_for(slot.size()));
  try {
    file_.write(slot.size(), now.sequence % 2 == 0 ? 0 : slot_distance);
  } catch (const std::system_error& why) {
    fail(why.code().value(), "cannot write");
  }
}

}  // namespace soma::votes
