#include "storage/lmdb/write_behind.hpp"

#include <cerrno>
#include <cstring>

#include "messages/values/assert.hpp"

namespace soma::lmdb {
namespace {

constexpr std::array<const char*, 2> names{"journal.0", "journal.1"};
constexpr std::string_view held_key = "journal";
/// How often a reader looks again when the writer has changed the journals under its eyes.
constexpr int most_looks = 100;

failure failure_of(const std::system_error& why) {
  if (why.code().value() == EWOULDBLOCK) {
    return failure(failure_code::already_open,
                   std::string("it is open for writing: ") + why.what());
  }
  return failure(code_of(why.code().value()), why.what());
}

/// The number of the last batch that the tables hold.
std::uint64_t held_by(MDB_txn* txn, database meta) {
  const auto found = find_record(txn, meta, as_bytes(held_key));
  if (!found) return 0;
  std::uint64_t number = 0;
  for (std::size_t i = found->size(); i-- > 0;) number = number << 8 | (*found)[i];
  return number;
}

bytes number_bytes(std::uint64_t number) {
  bytes made;
  for (int i = 0; i < 8; ++i) made.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
  return made;
}

/// Puts a change into its table. Changes come in the order of keys: what lies behind all that the
/// table had, fills its pages completely.
int apply(MDB_txn* txn, database table, const change& c, const bytes& last) {
  if (c.erased) {
    MDB_val key = as_value(c.key());
    const int error = mdb_del(txn, table.handle(), &key, nullptr);
    return error == MDB_NOTFOUND ? 0 : error;
  }
  const bool is_behind = last.empty() || compare_keys(c.key(), last) > 0;
  return put_record(txn, table, c.key(), c.value(), is_behind ? MDB_APPEND : 0U);
}

/// The last key of a table; empty if it has none.
int last_key_of(MDB_txn* txn, database table, bytes& last) {
  MDB_cursor* at = nullptr;
  if (const int error = mdb_cursor_open(txn, table.handle(), &at); error != 0) return error;
  MDB_val key{};
  MDB_val value{};
  const int error = mdb_cursor_get(at, &key, &value, MDB_LAST);
  const auto* data = static_cast<const std::uint8_t*>(key.mv_data);
  last.clear();
  if (error == 0) last.assign(data, data + key.mv_size);
  mdb_cursor_close(at);
  return error == MDB_NOTFOUND ? 0 : error;
}

}  // namespace

write_behind::write_behind(write_behind_ports ports, const write_ahead_options& options)
    : ports_(std::move(ports)), options_(options), published_(std::make_shared<run_list>()) {
  try {
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto file = ports_.directory / names[i];
      readers_[i].emplace(file);
      if (!ports_.read_only) journals_[i].emplace(file, ports_.sync);
    }
    if (ports_.read_only) return;
    load();
    if (!frozen_.empty()) write_out();
    begin_journal(0);
  } catch (const std::system_error& why) {
    const auto failed = failure_of(why);
    if (failed.code() != failure_code::storage_full) throw failed;
    ports_.writing = write_state::full;
  } catch (const failure& why) {
    if (why.code() != failure_code::storage_full) throw;
    ports_.writing = write_state::full;
  }
}

write_behind::~write_behind() {
  if (ports_.read_only) return;
  if (writing_out_.joinable()) writing_out_.join();
  if (ports_.writing != write_state::going || active_.empty()) return;
  try {
    const auto lock = lock_writer();
    checkpoint();
  } catch (const failure&) {
    // What is not in the tables is in the journals and is read from there.
  }
}

// ---- What the journals hold.

void write_behind::read_journals(std::uint64_t held,
                                 std::map<std::uint64_t, sorted_run::pointer>& into) {
  std::array<std::uint64_t, 2> first{};
  for (std::size_t i = 0; i < first.size(); ++i) first[i] = readers_[i]->look();
  for (std::size_t i = 0; i < first.size(); ++i) {
    auto& journal = readers_[i];
    if (first[i] == 0) continue;
    // The other journal goes on where this one ended. If the tables hold everything up to there,
    // which is so after each checkpoint, this one need not be read.
    const auto goes_on = first[1 - i];
    if (first[i] < goes_on && goes_on <= held + 1) continue;
    for (byte_view record; journal->next(record);) {
      const auto number = journal->number() - 1;
      if (number <= held) continue;
      auto run = sorted_run::of_batch(bytes(record.begin(), record.end()), ports_.tables.size());
      if (!run) throw failure(failure_code::broken_file, "a journal has a record that is no batch");
      into.insert_or_assign(number, std::move(run));
    }
  }
}

void write_behind::load() {
  raw_txn txn;
  check(mdb_txn_begin(ports_.env, nullptr, MDB_RDONLY, &txn.txn), "begin to read");
  const auto held = held_by(txn.txn, ports_.tables.back());
  last_ = held;
  std::map<std::uint64_t, sorted_run::pointer> found;
  read_journals(held, found);
  for (auto& [number, run] : found) {
    if (number != last_ + 1) break;
    frozen_.push(std::move(run));
    last_ = number;
  }
  frozen_through_ = last_;
  publish();
  for (auto& journal : readers_) {
    if (!journal->has_record_from(last_ + 1)) continue;
    throw failure(failure_code::broken_file, "batch " + std::to_string(last_ + 1) +
                                                 " of the journals of " +
                                                 ports_.directory.string() + " is missing");
  }
}

std::shared_ptr<const run_list> write_behind::follow(std::uint64_t held) {
  try {
    read_journals(held, followed_);
  } catch (const std::system_error& why) {
    throw failure_of(why);
  }
  followed_.erase(followed_.begin(), followed_.upper_bound(held));
  if (!followed_.empty()) {
    const auto gaps = followed_.rbegin()->first - followed_.begin()->first + 1 - followed_.size();
    if (followed_.begin()->first != held + 1 || gaps != 0) return nullptr;
  }
  const auto latest = followed_.empty() ? 0 : followed_.rbegin()->first;
  if (followed_from_ == held && latest == followed_through_) return published_;
  // While the tables hold what they held before, only the new batches come on top.
  const bool goes_on = followed_from_ == held && followed_through_ > held;
  auto list = goes_on ? std::make_shared<run_list>(*published_) : std::make_shared<run_list>();
  const auto first = goes_on ? followed_.upper_bound(followed_through_) : followed_.begin();
  for (auto next = first; next != followed_.end(); ++next) list->push(next->second);
  followed_from_ = held;
  followed_through_ = latest;
  published_ = list;
  return published_;
}

std::shared_ptr<const run_list> write_behind::begin_read(MDB_txn*& txn) {
  const std::lock_guard lock(mutex_);
  for (int looks = 0; looks < most_looks; ++looks) {
    check(mdb_txn_begin(ports_.env, nullptr, MDB_RDONLY, &txn), "begin to read");
    if (!ports_.read_only) return published_;
    // The writer may begin a journal anew between the look at the tables and that at the journals:
    // then the tables hold what is missed, and another look finds it there.
    if (auto list = follow(held_by(txn, ports_.tables.back()))) return list;
    mdb_txn_abort(std::exchange(txn, nullptr));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  throw failure(failure_code::broken_file,
                "the journals of " + ports_.directory.string() + " lack a batch");
}

// ---- Writing.

void write_behind::stop_writing(const std::system_error& why) {
  const auto failed = failure_of(why);
  ports_.writing =
      failed.code() == failure_code::storage_full ? write_state::full : write_state::failed;
  throw failed;
}

void write_behind::begin_journal(std::size_t which) {
  begun_ = false;
  journals_[which]->begin(last_ + 1);
  current_ = which;
  begun_ = true;
}

/// Readers get what is in `active_` and `frozen_`.
void write_behind::publish() {
  published_ = std::make_shared<const run_list>(active_.above(frozen_));
}

bool write_behind::is_busy() {
  const std::lock_guard lock(mutex_);
  return is_writing_out_;
}

void write_behind::make_ready() {
  if (is_busy()) return;
  wait_for_write_out();
  try {
    if (!frozen_.empty()) write_out();
    if (!begun_) begin_journal(0);
  } catch (const std::system_error& why) {
    stop_writing(why);
  }
}

void write_behind::commit(bytes batch) {
  const bool is_due =
      batches_ >= options_.checkpoint_batches || active_.batch_bytes() >= options_.checkpoint_bytes;
  // While a checkpoint is written, twice as much may wait for the next one.
  const bool is_urgent = batches_ >= 2 * options_.checkpoint_batches ||
                         active_.batch_bytes() >= 2 * options_.checkpoint_bytes;
  try {
    if (is_due && (is_urgent || !is_busy())) {
      wait_for_write_out();
      if (ports_.writing == write_state::going) {
        freeze();
        start_write_out();
      }
    }
    const byte_view part(batch);
    journals_[current_]->append({&part, 1});
  } catch (const std::system_error& why) {
    stop_writing(why);
  }
  ++last_;
  ++batches_;
  auto run = sorted_run::of_batch(std::move(batch), ports_.tables.size());
  SOMA_ASSERT(run, "what a transaction has built is a batch");
  auto next = active_;
  next.push(std::move(run));
  const std::lock_guard lock(mutex_);
  active_ = std::move(next);
  publish();
}

void write_behind::freeze() {
  SOMA_ASSERT(frozen_.empty(), "the tables hold all of the other journal");
  begin_journal(1 - current_);
  const std::lock_guard lock(mutex_);
  frozen_ = std::exchange(active_, {});
  frozen_through_ = last_;
  batches_ = 0;
}

void write_behind::start_write_out() {
  if (!options_.in_background) return write_out();
  {
    const std::lock_guard lock(mutex_);
    is_writing_out_ = true;
  }
  writing_out_ = std::thread([this] {
    try {
      write_out();
    } catch (const std::exception&) {
      // No exception may leave a thread, not even one for memory that is missing. The next writer
      // learns of it.
      auto going = write_state::going;
      ports_.writing.compare_exchange_strong(going, write_state::failed);
    }
    const std::lock_guard lock(mutex_);
    is_writing_out_ = false;
  });
}

void write_behind::wait_for_write_out() {
  if (writing_out_.joinable()) writing_out_.join();
}

/// Brings what is frozen into the tables. No other thread changes `frozen_` meanwhile.
void write_behind::write_out() {
  const auto all = frozen_.as_one();
  int fd = -1;
  check(mdb_env_get_fd(ports_.env, &fd), "begin a checkpoint");
  const auto checked = [&](int error, const char* doing) {
    check_write(error, doing, ports_.writing, fd);
  };
  raw_txn txn;
  checked(mdb_txn_begin(ports_.env, nullptr, 0, &txn.txn), "begin a checkpoint");
  std::optional<std::uint8_t> table;
  bytes last;
  for (const auto& c : all->changes()) {
    const auto into = ports_.tables[c.table];
    if (table != c.table) {
      checked(last_key_of(txn.txn, into, last), "find the end of a table");
      table = c.table;
    }
    checked(apply(txn.txn, into, c, last), "write a checkpoint");
  }
  checked(
      put_record(txn.txn, ports_.tables.back(), as_bytes(held_key), number_bytes(frozen_through_)),
      "end a checkpoint");
  checked(mdb_txn_commit(std::exchange(txn.txn, nullptr)), "commit a checkpoint");
  const std::lock_guard lock(mutex_);
  frozen_ = {};
  publish();
}

void write_behind::checkpoint() {
  wait_for_write_out();
  make_ready();
  if (active_.empty()) return;
  try {
    freeze();
  } catch (const std::system_error& why) {
    stop_writing(why);
  }
  write_out();
}

}  // namespace soma::lmdb
