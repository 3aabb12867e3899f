#include "storage/lmdb/transaction.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "messages/values/assert.hpp"
#include "messages/wire/crc32c.hpp"
#include "storage/lmdb/handles.hpp"
#include "storage/lmdb/write_behind.hpp"

namespace soma::lmdb {
namespace {

constexpr std::size_t checksum_bytes = 4;

// Table and key are part of the checksum, so that a record that ended up in another place is
// refused.
std::uint32_t checksum(database table, byte_view key, byte_view value) {
  const std::array<std::uint8_t, 3> separator{0, static_cast<std::uint8_t>(key.size()),
                                              static_cast<std::uint8_t>(key.size() >> 8)};
  return crc32c(value, crc32c(key, crc32c(separator, crc32c(as_bytes(table.name())))));
}

std::array<std::uint8_t, checksum_bytes> little_endian(std::uint32_t value) {
  return {static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value >> 8),
          static_cast<std::uint8_t>(value >> 16), static_cast<std::uint8_t>(value >> 24)};
}

/// Whether a byte of the mapped file can be read. A byte past the file's end would end the process
/// with SIGBUS; the kernel, asked to read it, only says no.
bool is_readable(const std::uint8_t* at) {
  static const auto ends = [] {
    std::array<int, 2> made{-1, -1};
    if (::pipe2(made.data(), O_CLOEXEC) != 0) made = {-1, -1};
    return made;
  }();
  if (ends[1] < 0) return true;
  std::uint8_t taken_back = 0;
  return ::write(ends[1], at, 1) == 1 && ::read(ends[0], &taken_back, 1) == 1;
}

/// Whether all bytes lie in the file. A torn page can name any length. Pages of a file are mapped
/// one after the other, so the last byte tells for all; a value within one page needs no question.
bool lies_in_the_file(byte_view stored) {
  constexpr std::uintptr_t page = 4'096;
  const auto* last = stored.data() + stored.size() - 1;
  const auto page_of = [](const std::uint8_t* at) {
    return reinterpret_cast<std::uintptr_t>(at) / page;
  };
  return page_of(stored.data()) == page_of(last) || is_readable(last);
}

}  // namespace

byte_view verified(database table, byte_view key, byte_view stored) {
  const bool is_key = !key.empty() && key.size() <= max_key_bytes && lies_in_the_file(key);
  if (is_key && stored.size() >= checksum_bytes && lies_in_the_file(stored)) {
    const byte_view value = stored.first(stored.size() - checksum_bytes);
    const auto wanted = little_endian(checksum(table, key, value));
    if (std::memcmp(wanted.data(), stored.data() + value.size(), checksum_bytes) == 0) return value;
  }
  throw failure(failure_code::corrupt_record, "a record's checksum does not fit",
                std::string(table.name()), is_key ? bytes(key.begin(), key.end()) : bytes{});
}

std::optional<byte_view> find_record(MDB_txn* txn, database table, byte_view key) {
  MDB_val raw_key = as_value(key);
  MDB_val raw_value{};
  const int error = mdb_get(txn, table.handle(), &raw_key, &raw_value);
  if (error == MDB_NOTFOUND) return std::nullopt;
  check(error, "find a record");
  return verified(table, key, as_view(raw_value));
}

int put_record(MDB_txn* txn, database table, byte_view key, byte_view value, unsigned flags) {
  SOMA_ASSERT(!key.empty() && key.size() <= max_key_bytes, "a key has 1..511 bytes");
  const auto check_bytes = little_endian(checksum(table, key, value));
  MDB_val raw_key = as_value(key);
  MDB_val raw_value{value.size() + checksum_bytes, nullptr};
  const int error = mdb_put(txn, table.handle(), &raw_key, &raw_value, MDB_RESERVE | flags);
  if (error != 0) return error;
  auto* to = static_cast<std::uint8_t*>(raw_value.mv_data);
  if (!value.empty()) std::memcpy(to, value.data(), value.size());
  std::memcpy(to + value.size(), check_bytes.data(), checksum_bytes);
  return 0;
}

read_txn::read_txn(std::unique_ptr<state> begun) : state_(std::move(begun)) {}
read_txn::read_txn(read_txn&&) noexcept = default;
read_txn::~read_txn() = default;

read_txn::read_txn(const environment& env) : state_(std::make_unique<state>()) {
  SOMA_ASSERT(env.state_->owner == ::getpid(), "an environment is not used across fork()");
  if (const auto& behind = env.state_->behind) {
    state_->above = behind->begin_read(state_->txn);
  } else {
    check(mdb_txn_begin(env.state_->env, nullptr, MDB_RDONLY, &state_->txn), "begin to read");
  }
}

std::optional<byte_view> read_txn::find(database table, byte_view key) const {
  SOMA_ASSERT(state_->txn != nullptr, "the transaction has not ended");
  SOMA_ASSERT(!key.empty() && key.size() <= max_key_bytes, "a key has 1..511 bytes");
  if (state_->above) {
    if (const auto own = state_->written.find(table.number(), key)) {
      return own->erased ? std::nullopt : std::optional(own->value());
    }
    if (const auto* newer = state_->above->find(table.number(), key)) {
      return newer->erased ? std::nullopt : std::optional(newer->value());
    }
  }
  return find_record(state_->txn, table, key);
}

std::uint64_t read_txn::count(database table) const {
  MDB_stat stat{};
  check(mdb_stat(state_->txn, table.handle(), &stat), "count a table's records");
  if (!state_->above) return stat.ms_entries;
  std::uint64_t all = 0;
  cursor at(*this, table);
  for (bool there = at.first(); there; there = at.next()) ++all;
  return all;
}

namespace {

constexpr off_t room_to_go_on_bytes = 1 << 20;

/// LMDB reports EIO for a short write, which is the first sign of a disk that fills up. This asks
/// for room in the way the write did. The room that fallocate reserves past the file's end is used
/// by the next pages.
bool out_of_room(int fd) {
  struct stat on_disk {};
  if (::fstat(fd, &on_disk) != 0) return false;
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
      on_disk.st_size + room_to_go_on_bytes > static_cast<off_t>(limit.rlim_cur)) {
    return true;
  }
  if (::fallocate(fd, FALLOC_FL_KEEP_SIZE, on_disk.st_size, room_to_go_on_bytes) == 0) return false;
  if (errno != EOPNOTSUPP) return code_of(errno) == failure_code::storage_full;
  struct statvfs room {};
  return ::fstatvfs(fd, &room) == 0 &&
         room.f_bavail * room.f_frsize < static_cast<std::uint64_t>(room_to_go_on_bytes);
}

}  // namespace

// Any failed write stops writing: `full` lasts until room is made, any other failure until the
// environment is opened anew, since after a failed sync it is unknown what the disk holds.
void check_write(int error, const char* doing, std::atomic<write_state>& writing, int fd) {
  if (error == 0) return;
  auto code = code_of(error);
  if (error == EIO && out_of_room(fd)) code = failure_code::storage_full;
  writing = code == failure_code::storage_full ? write_state::full : write_state::failed;
  throw failure(code, std::string(doing) + ": " + text_of(error));
}

write_txn::write_txn(environment& env, write_target into) : read_txn(std::make_unique<state>()) {
  auto& from = *env.state_;
  SOMA_ASSERT(from.owner == ::getpid(), "an environment is not used across fork()");
  SOMA_ASSERT(!from.read_only, "an environment opened for reading is not written");
  const auto refuse_if_stopped = [&] {
    const write_state writing = from.writing;
    if (writing == write_state::full) {
      throw failure(failure_code::storage_full, "no room was left; writing has been stopped");
    }
    if (writing == write_state::failed) {
      throw failure(failure_code::write_stopped, "a write failed; open the environment anew");
    }
  };
  refuse_if_stopped();
  state_->writing = &from.writing;
  state_->watcher = &from.watcher;
  if (from.behind) {
    state_->writer = from.behind->lock_writer();
    refuse_if_stopped();
    from.behind->make_ready();
    if (into == write_target::journal) {
      state_->behind = from.behind.get();
      state_->above = from.behind->begin_read(state_->txn);
      return;
    }
    from.behind->checkpoint();
  }
  check(mdb_txn_begin(from.env, nullptr, 0, &state_->txn), "begin to write");
  // The state is read again once this thread has the lock, since the writer before may have run out
  // of disk in the meantime.
  refuse_if_stopped();
  check(mdb_env_get_fd(from.env, &state_->fd), "begin to write");
}

void write_txn::put(database table, byte_view key, byte_view value) {
  SOMA_ASSERT(state_->txn != nullptr, "the transaction has not ended");
  SOMA_ASSERT(!key.empty() && key.size() <= max_key_bytes, "a key has 1..511 bytes");
  if (state_->behind != nullptr) {
    state_->written.put(table.number(), key, value);
  } else {
    state_->check_write(put_record(state_->txn, table, key, value), "write a record");
  }
  if (*state_->watcher) (*state_->watcher)(table.name(), key, value, false);
}

void write_txn::append(database table, byte_view key, byte_view value) {
  SOMA_ASSERT(state_->txn != nullptr, "the transaction has not ended");
  if (state_->behind != nullptr) {
    auto known = state_->last_keys.find(table.number());
    if (known == state_->last_keys.end()) {
      cursor at(*this, table);
      const bytes last = at.last() ? bytes(at.key().begin(), at.key().end()) : bytes{};
      known = state_->last_keys.emplace(table.number(), last).first;
    }
    SOMA_ASSERT(compare_keys(key, known->second) > 0,
                "what is appended comes behind all that is there");
    known->second.assign(key.begin(), key.end());
    state_->written.put(table.number(), key, value);
  } else {
    const int error = put_record(state_->txn, table, key, value, MDB_APPEND);
    SOMA_ASSERT(error != MDB_KEYEXIST, "what is appended comes behind all that is there");
    state_->check_write(error, "append a record");
  }
  if (*state_->watcher) (*state_->watcher)(table.name(), key, value, true);
}

bool write_txn::erase(database table, byte_view key) {
  SOMA_ASSERT(state_->txn != nullptr, "the transaction has not ended");
  if (state_->behind != nullptr) {
    if (!find(table, key)) return false;
    state_->written.erase(table.number(), key);
    return true;
  }
  MDB_val raw_key = as_value(key);
  const int error = mdb_del(state_->txn, table.handle(), &raw_key, nullptr);
  if (error == MDB_NOTFOUND) return false;
  state_->check_write(error, "erase a record");
  return true;
}

void write_txn::commit() {
  SOMA_ASSERT(state_->txn != nullptr, "a transaction is committed once");
  auto* txn = std::exchange(state_->txn, nullptr);
  if (state_->behind == nullptr) {
    state_->check_write(mdb_txn_commit(txn), "commit");
  } else {
    mdb_txn_abort(txn);
    if (!state_->written.batch().empty()) state_->behind->commit(state_->written.take());
  }
  if (state_->writer) state_->writer.unlock();
}

}  // namespace soma::lmdb
