// Blocks of 1,000 mixed transactions on a large state, on one core. Three comparisons are made:
// executing signed blocks with OpenSSL alone, writing blocks to the disk with LMDB alone, and the
// end of an epoch with many idle accounts, or on a long chain, with one that has neither.
#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>
#include <set>

#include "deploy/soma/bench/bench.hpp"
#include "deploy/soma/bench/bench_ledger_world.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/stop.hpp"
#include "deploy/soma/verbs.hpp"
#include "messages/crypto/bare_verifier.hpp"
#include "messages/signing/signing.hpp"
#include "storage/lmdb/plain_tables.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;
using traffic = ledger_world::traffic;

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double sum_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

double median_of(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// Removes the folder, with all that is in it, when the object is destroyed.
class removed_folder {
 public:
  explicit removed_folder(fs::path where) : path_(std::move(where)) {}
  removed_folder(removed_folder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  removed_folder& operator=(removed_folder&&) = delete;
  ~removed_folder() {
    std::error_code left;
    if (!path_.empty()) fs::remove_all(path_, left);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }
  /// Leaves the folder where it is.
  void keep() { path_.clear(); }

 private:
  fs::path path_;
};

/// The peer of the ledger store: the same records written by LMDB alone, in tables as large as the
/// ledger's and with one batch for each block.
class plain_twin {
 public:
  explicit plain_twin(const fs::path& folder) : tables_(folder) {}

  void begin() { tables_.begin(); }
  void add_row(byte_view key, byte_view value) {
    tables_.put(tables::row_table::name, key, value, true);
  }
  void commit() { tables_.commit(); }

  /// Records from now on what the ledger writes.
  void follow(tables::ledger_store& ledger) {
    ledger.environment().watch_puts(
        [this](std::string_view table, byte_view key, byte_view value, bool appended) {
          // The ledger may be opened anew before the record is written, so its name is kept here.
          records_.push_back({*names_.emplace(table).first, bytes(key.begin(), key.end()),
                              bytes(value.begin(), value.end()), appended});
        });
  }
  /// Writes the recorded records in one batch. Returns the seconds that it took.
  double catch_up() {
    const auto taken = write([](const record&) { return true; });
    written_ = records_.size();
    records_.clear();
    return taken;
  }
  /// Writes the rows of the state in one batch and then the other records in a second batch.
  /// Returns the seconds of the first batch alone.
  double catch_up_rows() {
    const auto is_row = [](const record& r) { return r.table == tables::row_table::name; };
    const auto taken = write(is_row);
    (void)write([&](const record& r) { return !is_row(r); });
    rows_ = static_cast<std::size_t>(std::ranges::count_if(records_, is_row));
    records_.clear();
    return taken;
  }
  /// How many records the last catch_up() wrote, and how many rows the last catch_up_rows().
  [[nodiscard]] std::size_t written() const { return written_; }
  [[nodiscard]] std::size_t rows() const { return rows_; }

 private:
  struct record {
    std::string_view table;
    bytes key, value;
    bool appended = false;
  };
  template <class Predicate>
  double write(Predicate wanted) {
    return seconds_of([&] {
      tables_.begin();
      for (const auto& r : records_) {
        if (wanted(r)) tables_.put(r.table, r.key, r.value, r.appended);
      }
      tables_.commit();
    });
  }

  lmdb::plain_tables tables_;
  std::set<std::string, std::less<>> names_;
  std::vector<record> records_;
  std::size_t written_ = 0, rows_ = 0;
};

class bench_ledger final : public bench_verb {
 public:
  std::string_view name() const override { return "bench ledger"; }
  std::string_view summary() const override {
    return "blocks of 1,000 mixed transactions on a large ledger, on one core";
  }
  std::string_view example() const override {
    return "soma bench ledger\n"
           "soma bench ledger --accounts 100000 --models 2000 --blocks 5 --json\n"
           "soma bench ledger --accounts 100000 --models 2000 --history 100000 --seconds 60";
  }

 protected:
  void declare_more(option_set& options) override {
    options_.threads = 1;
    options_.seconds = 30;
    options.add("accounts", accounts_, "accounts of the ledger");
    options.add("models", models_, "active models of the ledger");
    options.add("blocks", blocks_, "blocks of each kind; fewer if --seconds are over before");
    options.add("history", history_,
                "blocks that the ledgers have already, with all that they did");
    options.add("keep", keep_,
                "leave the folder with the ledgers there, for other commands to read");
    options.add("dir", dir_, "folder where the ledgers are made; they are removed afterwards")
        .shown_as("DIR");
  }
  expected<std::vector<bench_row>, failure> measure() override;

 private:
  [[nodiscard]] expected<removed_folder, failure> scratch() const;
  [[nodiscard]] ledger_world_options world_options(const fs::path& folder,
                                                   std::uint64_t account_count,
                                                   std::uint64_t models) const {
    return {folder, account_count, models, 64, options_.seed};
  }
  expected<bench_row, failure> with_signatures(ledger_world& world, plain_twin& twin) const;
  expected<std::vector<bench_row>, failure> durable(ledger_world& world, plain_twin& twin) const;
  void live_through(ledger_world& world, plain_twin& twin) const;
  [[nodiscard]] std::vector<bench_row> epoch_ends(const fs::path& folder) const;
  void explain_times(const std::vector<ledger_world::outcome>& blocks) const;
  /// Runs `step` for every block until there are enough blocks or the time is over, and at least
  /// three times.
  template <class Step>
  void repeat(Step step) const;

  std::uint64_t accounts_ = 1'000'000, models_ = 100'000;
  std::uint32_t blocks_ = 20;
  std::uint64_t history_ = 0;
  bool keep_ = false;
  fs::path dir_;
};

expected<removed_folder, failure> bench_ledger::scratch() const {
  std::error_code error;
  const auto parent = dir_.empty() ? fs::temp_directory_path(error) : dir_;
  const auto stamp = std::chrono::steady_clock::now().time_since_epoch().count();
  removed_folder made(parent / ("soma-bench-ledger-" + std::to_string(stamp)));
  if (!error) fs::create_directories(made.path(), error);
  if (error) {
    return failed("cannot make " + made.path().string(), error.message(), "choose another --dir");
  }
  return made;
}

template <class Step>
void bench_ledger::repeat(Step step) const {
  const auto start = std::chrono::steady_clock::now();
  const std::chrono::duration<double> most(options_.seconds / 3);
  for (std::uint32_t i = 0;
       i < blocks_ && (i < 3 || std::chrono::steady_clock::now() - start < most); ++i) {
    leave_if_stop_requested();
    step();
  }
}

/// Writes to stderr which part of the work took how long, so that the reader sees what limits the
/// figures.
void bench_ledger::explain_times(const std::vector<ledger_world::outcome>& blocks) const {
  const auto part = [&](double block_times::*which) {
    std::vector<double> values;
    for (const auto& b : blocks) values.push_back(b.times.*which);
    return decimal_text(median_of(std::move(values)) * 1e3, 2) + " ms";
  };
  note_line("a block: " + part(&block_times::decode_seconds) + " decode and verify, " +
            part(&block_times::rules_seconds) + " rules, " + part(&block_times::root_seconds) +
            " state root, " + part(&block_times::commit_seconds) + " commit; " +
            count_text(blocks.back().rows) + " rows of the state changed");
}

std::optional<failure> refused_in(const ledger_world::outcome& done) {
  if (done.refused == 0) return std::nullopt;
  return failed("the benchmark's own transactions were refused",
                count_text(done.refused) + " of a block, the first: " + done.first_refusal,
                "report this, since the benchmark then measures something else than it says")
      .value();
}

expected<bench_row, failure> bench_ledger::with_signatures(ledger_world& world,
                                                           plain_twin& twin) const {
  std::vector<double> ours, peer;
  std::vector<ledger_world::outcome> done;
  std::optional<failure> wrong;
  repeat([&] {
    if (wrong) return;
    const auto made = world.next_block(traffic::signed_blocks);
    std::vector<crypto::bare_verifier::item> items;
    const auto senders = world.senders_of(made);
    for (std::size_t i = 0; i < senders.size(); ++i) {
      items.push_back(
          {senders[i], hash256{signing::id_of(made.payload[i]).value}, made.payload[i].by_sender});
    }
    const crypto::bare_verifier alone(items);
    std::size_t held = 0;
    peer.push_back(seconds_of([&] { held = alone.run(); }));
    done.push_back(world.run(made, traffic::signed_blocks));
    twin.catch_up();
    wrong = refused_in(done.back());
    if (held != items.size())
      wrong = failed("a signature does not hold", "OpenSSL says so").value();
    const auto& times = done.back().times;
    ours.push_back(times.decode_seconds + times.rules_seconds + times.root_seconds);
  });
  if (wrong) return make_unexpected(*wrong);
  explain_times(done);
  return bench_row{"1,000 transactions: signatures, rules, state root",
                   median_of(ours),
                   median_of(peer),
                   "OpenSSL's Ed25519 alone",
                   "tx",
                   1'000};
}

expected<std::vector<bench_row>, failure> bench_ledger::durable(ledger_world& world,
                                                                plain_twin& twin) const {
  std::vector<double> ours, all, rows;
  std::vector<ledger_world::outcome> done;
  std::optional<failure> wrong;
  world.store().environment().checkpoint();
  repeat([&] {
    if (wrong) return;
    done.push_back(world.run(world.next_block(traffic::unsigned_blocks), traffic::unsigned_blocks));
    wrong = refused_in(done.back());
    const auto& times = done.back().times;
    ours.push_back(times.decode_seconds + times.rules_seconds + times.root_seconds +
                   times.commit_seconds);
    // The two peers take turns, so that neither always finds the disk warmer than the other does.
    if (all.size() <= rows.size()) {
      all.push_back(twin.catch_up());
    } else {
      rows.push_back(twin.catch_up_rows());
    }
  });
  if (wrong) return make_unexpected(*wrong);
  explain_times(done);
  if (rows.empty())
    return failed("cannot compare with LMDB", "fewer than two blocks were run", "raise --blocks");
  const std::string name = "1,000 transactions, unsigned, durable";
  // Most blocks go into the journal alone, and some wait for the tables. So the mean counts, with
  // what is left over for the tables at the end.
  const auto left = seconds_of([&] { world.store().environment().checkpoint(); });
  const auto blocks = static_cast<double>(ours.size());
  const auto mean = (sum_of(ours) + left) / blocks;
  note_line("the median block took " + decimal_text(median_of(ours) * 1e3, 2) +
            " ms, the slowest " + decimal_text(std::ranges::max(ours) * 1e3, 2) +
            " ms; the rest of the journal into the tables, " + decimal_text(left * 1e3, 2) + " ms");
  return std::vector{
      bench_row{name, mean, sum_of(all) / static_cast<double>(all.size()),
                "a plain LMDB batch of the same " + count_text(twin.written()) + " records", "tx",
                1'000},
      bench_row{name, mean, sum_of(rows) / static_cast<double>(rows.size()),
                "one of the " + count_text(twin.rows()) + " changed rows alone", "tx", 1'000}};
}

/// Gives the ledger its history, and its peer the same records.
void bench_ledger::live_through(ledger_world& world, plain_twin& twin) const {
  if (history_ == 0) return;
  constexpr std::uint64_t blocks_a_batch = 500;
  const auto taken = seconds_of([&] {
    std::uint64_t done = 0;
    world.live_through(history_, [&] {
      leave_if_stop_requested();
      if (done == 0) twin.follow(world.store());
      if (++done % blocks_a_batch == 0) twin.catch_up();
    });
    twin.catch_up();
  });
  note_line("a history of " + count_text(history_) + " blocks, made in " + decimal_text(taken, 1) +
            " s");
}

std::vector<bench_row> bench_ledger::epoch_ends(const fs::path& folder) const {
  constexpr std::uint64_t few = 1'000, models = 1'000;
  ledger_world many_idle(world_options(folder / "many", accounts_, models));
  ledger_world few_idle(world_options(folder / "few", few, models));
  std::optional<ledger_world> old;
  if (history_ > 0) {
    old.emplace(world_options(folder / "old", few, models));
    old->live_through(history_);
  }
  const auto end_one = [](ledger_world& world) {
    auto made = world.next_block(traffic::empty, true);
    const auto times = world.run(std::move(made), traffic::empty).times;
    return times.rules_seconds + times.root_seconds + times.commit_seconds;
  };
  std::vector<double> ours, peer, aged;
  // Targets expire only from the second epoch on; all worlds are brought to that point first.
  for (int i = 0; i < 2; ++i) {
    end_one(many_idle);
    end_one(few_idle);
    if (old) end_one(*old);
  }
  repeat([&] {
    ours.push_back(end_one(many_idle));
    peer.push_back(end_one(few_idle));
    if (old) aged.push_back(end_one(*old));
  });
  std::vector rows{bench_row{"end of an epoch, " + count_text(accounts_) + " accounts",
                             median_of(ours), median_of(peer),
                             "with " + count_text(few) + " accounts", "epoch", 1}};
  if (!old) return rows;
  rows.push_back({"end of an epoch after " + count_text(history_) + " blocks", median_of(aged),
                  median_of(peer), "of a new chain", "epoch", 1});
  return rows;
}

expected<std::vector<bench_row>, failure> bench_ledger::measure() {
  if (accounts_ < 2'000 || accounts_ > 20'000'000) {
    return wrong_usage("--accounts", "it is not between 2,000 and 20,000,000");
  }
  if (models_ < 2'000 || models_ > 2'000'000) {
    return wrong_usage("--models", "it is not between 2,000 and 2,000,000");
  }
  if (blocks_ < 3) return wrong_usage("--blocks", "it is below 3");
  const patient_stop until_removed;  // a stop leaves no folder behind
  auto folder = scratch();
  if (!folder) return make_unexpected(folder.error());
  std::vector<bench_row> rows;
  {
    plain_twin twin(folder->path() / "plain");
    std::optional<ledger_world> world;
    twin.begin();
    const auto made = seconds_of([&] {
      world.emplace(world_options(folder->path() / "ledger", accounts_, models_),
                    [&](byte_view key, byte_view value) {
                      leave_if_stop_requested();
                      twin.add_row(key, value);
                    });
      twin.commit();
    });
    note_line("a ledger of " + count_text(accounts_) + " accounts and " + count_text(models_) +
              " models, made in " + decimal_text(made, 1) + " s");
    live_through(*world, twin);
    twin.follow(world->store());
    world->prepare(2 * (2 * std::size_t{blocks_}));
    twin.catch_up();
    auto row = with_signatures(*world, twin);
    if (!row) return make_unexpected(row.error());
    rows.push_back(std::move(*row));
    auto unsigned_rows = durable(*world, twin);
    if (!unsigned_rows) return make_unexpected(unsigned_rows.error());
    rows.insert(rows.end(), unsigned_rows->begin(), unsigned_rows->end());
  }
  const auto ends = epoch_ends(folder->path());
  rows.insert(rows.end(), ends.begin(), ends.end());
  if (keep_) {
    note_line("the ledgers are in " + folder->path().string());
    folder->keep();
  }
  return rows;
}

}  // namespace

std::unique_ptr<verb> make_bench_ledger() {
  return std::make_unique<bench_ledger>();
}

}  // namespace soma::cli
