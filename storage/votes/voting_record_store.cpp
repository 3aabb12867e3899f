#include "storage/votes/voting_record_store.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <map>
#include <system_error>

#include "storage/files/durable.hpp"
#include "storage/lmdb/transaction.hpp"
#include "storage/votes/record_rows.hpp"
#include "storage/votes/rollback_guard.hpp"

namespace soma::votes {
namespace {

namespace fs = std::filesystem;
using lmdb::failure;
using lmdb::failure_code;
using votes::head;

constexpr const char* head_name = "head";
constexpr const char* witness_name = "witness";
constexpr const char* reserve_name = "reserve";
constexpr const char* data_name = "data.mdb";
// At three batches a second the tables are written every few minutes.
constexpr std::size_t journal_bytes = std::size_t{8} << 20;
constexpr std::uint32_t journal_batches = 1'024;

lmdb::environment_options environment_options(const voting_record_options& options) {
  lmdb::environment_options made{.map_bytes = options.map_bytes, .format = "soma-votes 2"};
  made.sync = options.sync;
  made.journal = {.checkpoint_bytes = journal_bytes, .checkpoint_batches = journal_batches};
  made.tables.assign(votes::tables.begin(), votes::tables.end());
  made.tables.emplace_back(head_name);
  return made;
}

bool is_damage(const failure& why) {
  return why.code() == failure_code::corrupt_record || why.code() == failure_code::broken_file ||
         why.code() == failure_code::wrong_format || why.code() == failure_code::not_there;
}

template <class Act>
void as_failure(const Act& act) {
  try {
    act();
  } catch (const std::system_error& why) {
    const bool full = why.code() == std::errc::no_space_on_device;
    throw failure(full ? failure_code::storage_full : failure_code::machine, why.what());
  }
}

/// Makes a folder whose name nothing else beside `directory` has.
fs::path new_folder_beside(const fs::path& directory) {
  for (int n = 1;; ++n) {
    const fs::path beside = directory.string() + ".new-" + std::to_string(n);
    if (fs::exists(fs::symlink_status(beside))) continue;
    if (!fs::create_directory(beside)) continue;  // another process was faster
    fs::permissions(beside, fs::perms::owner_all);
    return beside;
  }
}

/// Creates the record beside its place and moves it there as a whole. On failure, such as a full
/// disk, nothing of it is left.
void create_at(const fs::path& directory, const head& first, const voting_record_options& options) {
  as_failure([&] {
    const auto beside = new_folder_beside(directory);
    try {
      {
        lmdb::environment env(beside, environment_options(options));
        lmdb::write_txn txn(env);
        txn.put(env.table(head_name), as_bytes(head_name), first.layout());
        txn.commit();
      }
      rollback_guard::create(beside / witness_name, {first.sequence, first.hash()});
      files::sync_directory(beside);
      fs::rename(beside, directory);  // fails if there is anything but an empty folder
    } catch (...) {
      std::error_code ignored;
      fs::remove_all(beside, ignored);
      throw;
    }
    files::sync_directory(fs::absolute(directory).parent_path());
  });
}

}  // namespace

struct voting_record_store::inside {
  fs::path directory;
  voting_record_options options;
  rollback_guard beside;
  lmdb::environment env;
  head now;
  std::uint64_t witnessed = 0;
  voting_record record;
  std::map<votes::row_name, hash256> rows;
  bool dead = false;  // a sync failed: only opening anew shows what the disk holds

  inside(const fs::path& at, const voting_record_options& with)
      : directory(at),
        options(with),
        beside(at / witness_name, with.sync),
        env(at, environment_options(with)) {}

  [[nodiscard]] lmdb::database table(std::uint8_t letter) const {
    for (const char* name : votes::tables) {
      if (static_cast<std::uint8_t>(*name) == letter) return env.table(name);
    }
    SOMA_ASSERT(false, "a row's name begins with its table");
    return env.table(head_name);
  }

  /// Loads the record. Returns why this is not the record of this key on this chain; empty if it
  /// is.
  [[nodiscard]] std::string load(const chain_id& chain, const public_key& key) {
    const lmdb::read_txn txn(env);
    const auto kept = txn.find(env.table(head_name), as_bytes(head_name));
    const auto found = kept ? head::parse(*kept) : std::nullopt;
    if (!found) return "there is no head";
    now = *found;
    if (now.chain != chain) return "it belongs to chain " + now.chain.text();
    if (now.key != key) return "it belongs to key " + to_hex(now.key);
    votes::content_sum content;
    for (const char* name : votes::tables) {
      lmdb::cursor at(txn, env.table(name));
      for (bool there = at.first(); there; there = at.next()) {
        const auto row = votes::row_called(*name, at.key());
        if (!votes::take_row(record, row, at.value())) {
          return std::string("a row of ") + name + " is not one that a record can have";
        }
        content.add(rows[row] = votes::row_hash(row, at.value()));
      }
    }
    if (content.value() != now.content) return "rows were lost or altered";
    record.chain = chain;
    record.key = key;
    record.votes_from = now.votes_from;
    record.epoch = now.epoch;
    return check_witness();
  }

  [[nodiscard]] std::string check_witness() {
    const auto seen = beside.read();
    if (!seen) return "its file witness is damaged";
    witnessed = seen->sequence;
    if (now.sequence == seen->sequence) {
      return now.hash() == seen->head ? "" : "its file witness belongs to another record";
    }
    if (now.sequence != seen->sequence + 1) {
      return "it ends with write " + std::to_string(now.sequence) +
             ", but its file witness knows of write " + std::to_string(seen->sequence);
    }
    return now.before == seen->head ? "" : "its file witness belongs to another record";
  }

  /// Writes to the witness how far the tables have come.
  void testify() {
    if (witnessed == now.sequence) return;
    try {
      beside.write({now.sequence, now.hash()});
    } catch (const failure& why) {
      dead = why.code() != failure_code::storage_full;
      throw;
    }
    witnessed = now.sequence;
  }

  void commit(const votes::row_changes& changes, const head& next) {
    lmdb::write_txn txn(env);
    for (const auto& [name, value] : changes) {
      const auto key = byte_view(name).subspan(1);
      if (value) {
        txn.put(table(name[0]), key, *value);
      } else {
        txn.erase(table(name[0]), key);
      }
    }
    txn.put(env.table(head_name), as_bytes(head_name), next.layout());
    txn.commit();
  }

  /// Frees the room in reserve. Returns whether there was any.
  [[nodiscard]] bool give_reserve() {
    std::error_code ignored;
    return fs::remove(directory / reserve_name, ignored);
  }

  void take_reserve() {
    const auto file = directory / reserve_name;
    std::error_code ignored;
    if (options.reserve_bytes == 0 || fs::file_size(file, ignored) == options.reserve_bytes) return;
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return;
    const int error = ::posix_fallocate(fd, 0, static_cast<off_t>(options.reserve_bytes));
    ::close(fd);
    if (error != 0) fs::remove(file, ignored);
  }
};

void voting_record_store::create(const fs::path& directory, const chain_id& chain,
                                 const public_key& key, const voting_record_options& options) {
  head first;
  first.chain = chain;
  first.key = key;
  as_failure([&] { files::create_directories_durably(fs::absolute(directory).parent_path()); });
  create_at(directory, first, options);
}

void voting_record_store::replace(const fs::path& directory, const chain_id& chain,
                                  const public_key& key, const voting_record_options& options) {
  head first;
  first.chain = chain;
  first.key = key;
  first.replaces_lost = true;
  as_failure([&] {
    const auto parent = fs::absolute(directory).parent_path();
    files::create_directories_durably(parent);
    if (!fs::exists(directory)) return;
    for (int n = 1;; ++n) {
      const fs::path lost = directory.string() + ".lost-" + std::to_string(n);
      if (fs::exists(lost)) continue;
      fs::rename(directory, lost);
      break;
    }
    files::sync_directory(parent);
  });
  create_at(directory, first, options);
}

voting_record_store::opened voting_record_store::open(const fs::path& directory,
                                                      const chain_id& chain, const public_key& key,
                                                      const voting_record_options& options) {
  opened result;
  result.record.chain = chain;
  result.record.key = key;
  const bool has_data = fs::exists(directory / data_name);
  const bool has_witness = fs::exists(directory / witness_name);
  if (!has_data || !has_witness) {
    result.state = has_data || has_witness ? votes_state::damaged : votes_state::missing;
    result.why = has_data      ? "its file witness is missing"
                 : has_witness ? "its tables are missing"
                               : "";
    return result;
  }
  try {
    auto made = std::make_unique<inside>(directory, options);
    result.why = made->load(chain, key);
    if (result.why.empty()) {
      made->testify();
      made->take_reserve();
      result.record = made->record;
      result.state = made->now.replaces_lost   ? votes_state::missing
                     : made->now.sequence == 0 ? votes_state::fresh
                                               : votes_state::intact;
      result.store.reset(new voting_record_store(std::move(made)));
      return result;
    }
  } catch (const failure& why) {
    if (!is_damage(why)) throw;
    result.why = why.what();
  }
  result.state = votes_state::damaged;
  return result;
}

voting_record_store::voting_record_store(std::unique_ptr<inside> made) : inside_(std::move(made)) {}
voting_record_store::~voting_record_store() = default;

void voting_record_store::write(const record_batch& batch) {
  auto& in = *inside_;
  if (in.dead)
    throw failure(failure_code::write_stopped, "the voting record has to be opened anew");
  in.testify();
  if (batch.empty()) return;
  const auto changes = votes::changes_of(in.record, batch);
  head next = in.now;
  next.before = in.now.hash();
  ++next.sequence;
  next.replaces_lost = in.now.replaces_lost && !batch.votes_from;
  next.votes_from = batch.votes_from.value_or(in.now.votes_from);
  next.epoch = batch.new_epoch.value_or(in.now.epoch);
  votes::content_sum content(in.now.content);
  std::map<votes::row_name, hash256> added;
  for (const auto& [name, value] : changes) {
    if (const auto old = in.rows.find(name); old != in.rows.end()) content.remove(old->second);
    if (value) content.add(added[name] = votes::row_hash(name, *value));
  }
  next.content = content.value();
  try {
    in.commit(changes, next);
  } catch (const failure& why) {
    if (why.code() != failure_code::storage_full || !in.give_reserve()) throw;
    in.env.resume_writing();
    in.commit(changes, next);
  }
  in.now = next;
  for (const auto& [name, value] : changes) {
    if (value) {
      in.rows[name] = added.at(name);
    } else {
      in.rows.erase(name);
    }
  }
  apply(in.record, batch);
  in.testify();
}

void voting_record_store::resume() {
  inside_->env.resume_writing();
  inside_->take_reserve();
}

std::uint64_t voting_record_store::sequence() const {
  return inside_->now.sequence;
}

}  // namespace soma::votes
