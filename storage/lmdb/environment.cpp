#include "storage/lmdb/environment.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <set>
#include <system_error>

#include "messages/values/assert.hpp"
#include "storage/files/durable.hpp"
#include "storage/lmdb/handles.hpp"
#include "storage/lmdb/write_behind.hpp"

namespace soma::lmdb {
namespace {

constexpr unsigned max_readers = 1'024;
constexpr off_t most_room_by_reader = 64 << 20;
constexpr off_t lock_file_bytes = 72 << 10;  // 64 bytes a reader, and a head of some hundred bytes
constexpr long nfs_magic = 0x6969;
constexpr std::string_view meta_table = "meta";
constexpr std::string_view format_key = "format";

std::mutex open_mutex;
std::set<std::pair<dev_t, ino_t>>& open_directories() {
  static std::set<std::pair<dev_t, ino_t>> directories;
  return directories;
}

[[noreturn]] void fail_errno(const std::string& doing) {
  const int error = errno;
  throw failure(code_of(error), doing + ": " + std::strerror(error));
}

/// Offsets within a page have 16 bits, so a torn page can lead LMDB at most so far past its end.
constexpr off_t reach_of_a_page = 1 << 16;

/// A file that was cut short (a bad copy) would end the process with SIGBUS when a page past its
/// end is touched. This extends the file with zeros; LMDB refuses such pages by name. A short file
/// alone is no proof of damage, since LMDB may leave free pages at the end unwritten. A reader may
/// do this while another process writes, so it adds room in a way that never shortens the file.
/// That takes room on the disk, so a reader refuses to add much.
void cover_all_pages(MDB_env* env, const std::filesystem::path& file, bool read_only) {
  MDB_envinfo info{};
  MDB_stat stat{};
  check(mdb_env_info(env, &info), "read the environment's size");
  check(mdb_env_stat(env, &stat), "read the environment's page size");
  const auto needed = static_cast<off_t>((info.me_last_pgno + 1) * stat.ms_psize);
  struct ::stat on_disk {};
  if (::stat(file.c_str(), &on_disk) != 0) fail_errno("stat " + file.string());
  if (on_disk.st_size >= needed) return;
  if (!read_only) {
    if (::truncate(file.c_str(), needed + reach_of_a_page) != 0)
      fail_errno("extend " + file.string());
    return;
  }
  const bool is_little = needed - on_disk.st_size <= most_room_by_reader;
  const int opened = is_little ? ::open(file.c_str(), O_RDWR | O_CLOEXEC) : -1;
  if (opened < 0) {
    throw failure(failure_code::broken_file, file.string() + " was cut short: it has " +
                                                 std::to_string(on_disk.st_size) + " bytes of " +
                                                 std::to_string(needed));
  }
  const int error = ::posix_fallocate(opened, on_disk.st_size, needed - on_disk.st_size);
  ::close(opened);
  if (error != 0) {
    throw failure(code_of(error), "extend " + file.string() + ": " + std::strerror(error));
  }
}

/// LMDB maps the file of its locks without taking room for it, so that a full disk would end the
/// process with SIGBUS at the first use. Where the file cannot be written, LMDB goes without it.
void take_room_for_locks(const std::filesystem::path& file) {
  const int opened = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (opened < 0) return;
  const int error = ::posix_fallocate(opened, 0, lock_file_bytes);
  ::close(opened);
  if (error != 0) {
    throw failure(code_of(error), "make room for " + file.string() + ": " + std::strerror(error));
  }
}

}  // namespace

failure_code code_of(int error) {
  switch (error) {
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return failure_code::storage_full;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_PANIC:
    case MDB_BAD_TXN:  // an earlier error, at a damaged page
    case MDB_CURSOR_FULL:
    case MDB_INCOMPATIBLE:
      return failure_code::broken_file;
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
      return failure_code::wrong_format;
    case ENOENT:
      return failure_code::not_there;
    default:
      return failure_code::machine;
  }
}

std::string text_of(int error) {
  const std::string text = mdb_strerror(error);
  const auto colon = text.find(": ");
  return text.starts_with("MDB_") && colon != std::string::npos ? text.substr(colon + 2) : text;
}

void check(int error, const char* doing) {
  if (error != 0) throw failure(code_of(error), std::string(doing) + ": " + text_of(error));
}

environment::state::state() = default;

environment::state::~state() {
  behind.reset();  // it writes what is left before the environment is closed
  if (env != nullptr) mdb_env_close(env);
  if (registered) {
    const std::lock_guard lock(open_mutex);
    open_directories().erase(identity);
  }
}

environment::environment(const std::filesystem::path& directory, environment_options options)
    : state_(std::make_unique<state>()) {
  state_->directory = directory;
  state_->read_only = options.read_only;
  state_->owner = ::getpid();
  try {
    if (!options.read_only) files::create_directories_durably(directory);
    state_->claim_directory();
    state_->open_files(options);
    if (!options.read_only) files::sync_directory(directory);
  } catch (const std::system_error& why) {
    throw failure(code_of(why.code().value()), why.what());
  }
  reap_dead_readers();
  options.tables.emplace_back(meta_table);
  open_tables(options);
  const read_txn read(*this);
  const auto found = read.find(table(meta_table), as_bytes(format_key));
  const std::string format = found ? std::string(found->begin(), found->end()) : "nothing";
  if (format != options.format) {
    const auto advice =
        options.other_format_advice.empty() ? "" : ": " + options.other_format_advice;
    throw failure(failure_code::wrong_format, directory.string() + " is written as \"" + format +
                                                  "\", wanted \"" + options.format + "\"" + advice);
  }
  if (options.journal) {
    state_->behind = std::make_unique<write_behind>(
        write_behind_ports{directory, options.read_only, options.sync, state_->env,
                           state_->numbered, state_->writing},
        *options.journal);
    if (!options.read_only) files::sync_directory(directory);
  }
}

void environment::state::claim_directory() {
  struct ::stat on_disk {};
  if (::stat(directory.c_str(), &on_disk) != 0) fail_errno("stat " + directory.string());
  struct ::statfs file_system {};
  if (::statfs(directory.c_str(), &file_system) == 0 && file_system.f_type == nfs_magic) {
    throw failure(failure_code::machine,
                  directory.string() + " is on NFS, where locks do not hold");
  }
  identity = {on_disk.st_dev, on_disk.st_ino};
  const std::lock_guard lock(open_mutex);
  registered = open_directories().insert(identity).second;
  if (!registered) {
    throw failure(failure_code::already_open,
                  directory.string() + " is open in this process already; share that environment");
  }
}

void environment::state::open_files(const environment_options& options) {
  check(mdb_env_create(&env), "create an environment");
  check(mdb_env_set_mapsize(env, options.map_bytes), "set the map's size");
  check(mdb_env_set_maxreaders(env, max_readers), "set the number of readers");
  check(mdb_env_set_maxdbs(env, static_cast<unsigned>(options.tables.size() + 1)),
        "set the number of tables");
  const unsigned flags =
      MDB_NOTLS | (read_only ? MDB_RDONLY : 0U) | (options.sync ? 0U : MDB_NOSYNC);
  // LMDB would wait at a named pipe, and calls an empty file a bad descriptor.
  const auto data = directory / "data.mdb";
  for (const auto& file :
       {data, directory / "lock.mdb", directory / "journal.0", directory / "journal.1"}) {
    std::error_code none;
    const auto found = std::filesystem::status(file, none);
    if (std::filesystem::exists(found) && !std::filesystem::is_regular_file(found)) {
      throw failure(failure_code::wrong_format, file.string() + " is no regular file");
    }
  }
  std::error_code none;
  if (read_only && std::filesystem::file_size(data, none) == 0 && !none) {
    throw failure(failure_code::not_there, data.string() + " is empty");
  }
  if (!read_only || std::filesystem::exists(data, none)) {
    take_room_for_locks(directory / "lock.mdb");
  }
  const std::string opening = "open " + directory.string();
  check(mdb_env_open(env, directory.c_str(), flags, 0600), opening.c_str());
  cover_all_pages(env, data, read_only);
}

/// One transaction creates the tables and the format's record, so a file has both or is empty.
void environment::open_tables(const environment_options& options) {
  auto& s = *state_;
  const std::string opening = "open the tables of " + s.directory.string();
  read_txn::state txn;
  check(mdb_txn_begin(s.env, nullptr, s.read_only ? MDB_RDONLY : 0U, &txn.txn), opening.c_str());
  MDB_stat stat{};
  MDB_dbi main = 0;
  check(mdb_dbi_open(txn.txn, nullptr, 0, &main), opening.c_str());
  check(mdb_stat(txn.txn, main, &stat), opening.c_str());
  const bool fresh = stat.ms_entries == 0;
  for (const auto& name : options.tables) {
    unsigned handle = 0;
    const unsigned flags = fresh && !s.read_only ? MDB_CREATE : 0U;
    const int error = mdb_dbi_open(txn.txn, name.c_str(), flags, &handle);
    if (error == MDB_NOTFOUND) {
      throw failure(fresh ? failure_code::not_there : failure_code::wrong_format,
                    s.directory.string() + " has no table " + name);
    }
    check(error, opening.c_str());
    const auto number = static_cast<std::uint8_t>(s.numbered.size());
    const auto known = s.tables.emplace(name, number).first;
    s.numbered.push_back({handle, number, known->first});
  }
  if (fresh) {
    check(put_record(txn.txn, table(meta_table), as_bytes(format_key), as_bytes(options.format)),
          opening.c_str());
  }
  check(mdb_txn_commit(std::exchange(txn.txn, nullptr)), opening.c_str());
}

environment::~environment() = default;

database environment::table(std::string_view name) const {
  const auto found = state_->tables.find(name);
  SOMA_ASSERT(found != state_->tables.end(), "a table is named in the environment's options");
  return state_->numbered[found->second];
}

environment_usage environment::usage() const {
  MDB_envinfo info{};
  MDB_stat stat{};
  check(mdb_env_info(state_->env, &info), "read the environment's size");
  check(mdb_env_stat(state_->env, &stat), "read the environment's page size");
  return {(info.me_last_pgno + 1) * stat.ms_psize, info.me_mapsize};
}

bool environment::write_stopped() const {
  return state_->writing != write_state::going;
}

void environment::resume_writing() {
  auto full = write_state::full;
  state_->writing.compare_exchange_strong(full, write_state::going);
}

void environment::watch_puts(put_watcher watcher) {
  state_->watcher = std::move(watcher);
}

void environment::checkpoint() {
  if (!state_->behind) return;
  const auto lock = state_->behind->lock_writer();
  state_->behind->checkpoint();
}

void environment::reap_dead_readers() {
  int dead = 0;
  check(mdb_reader_check(state_->env, &dead), "look for dead readers");
}

}  // namespace soma::lmdb
