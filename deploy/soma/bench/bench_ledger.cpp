// Blocks of 1,000 mixed transactions on a large state, on one core. Three comparisons are made:
// executing signed blocks with OpenSSL alone, writing blocks to the disk with LMDB alone, and the
// end of an epoch with many idle accounts, or on a long chain, with one that has neither.
#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>

#include "deploy/soma/bench/bench.hpp"
#include "deploy/soma/bench/bench_ledger_reads.hpp"
#include "deploy/soma/bench/bench_ledger_twin.hpp"
#include "deploy/soma/bench/bench_ledger_world.hpp"
#include "deploy/soma/bench/scratch_folder.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/stop.hpp"
#include "deploy/soma/verbs.hpp"
#include "messages/crypto/bare_verifier.hpp"
#include "messages/signing/signing.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;
using traffic = ledger_world::traffic;

double sum_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

double median_of(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

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
  [[nodiscard]] ledger_world_options world_options(const fs::path& folder,
                                                   std::uint64_t account_count,
                                                   std::uint64_t models) const {
    return {folder, account_count, models, 64, options_.seed};
  }
  /// Models that wait for their reveal before the first measured block: two for each such block.
  [[nodiscard]] std::size_t reveals_wanted() const {
    return 2 * std::size_t{history_ > 0 ? 3U : 2U} * blocks_;
  }
  expected<bench_row, failure> with_signatures(ledger_world& world, plain_twin& twin) const;
  expected<std::vector<bench_row>, failure> durable(ledger_world& world, plain_twin& twin) const;
  void live_through(ledger_world& world, plain_twin& twin) const;
  expected<std::vector<bench_row>, failure> against_new_chain(ledger_world& old,
                                                              const fs::path& folder) const;
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

constexpr auto durable_name = "1,000 transactions, unsigned, durable";

/// The blocks of the row "durable", each with what it took, and the mean of all with what was left
/// over for the tables at the end. Most blocks go into the journal alone, and some wait for the
/// tables. So the mean counts.
struct durable_blocks {
  std::vector<double> seconds;
  std::vector<ledger_world::outcome> done;
  double left = 0;

  void run_one(ledger_world& world) {
    done.push_back(world.run(world.next_block(traffic::unsigned_blocks), traffic::unsigned_blocks));
    const auto& times = done.back().times;
    seconds.push_back(times.decode_seconds + times.rules_seconds + times.root_seconds +
                      times.commit_seconds);
  }
  void end(ledger_world& world) {
    left = seconds_of([&] { world.store().environment().checkpoint(); });
  }
  [[nodiscard]] double mean() const {
    return (sum_of(seconds) + left) / static_cast<double>(seconds.size());
  }
  void explain(const std::string& of) const {
    note_line(count_text(seconds.size()) + " blocks" + of + ": the median took " +
              decimal_text(median_of(seconds) * 1e3, 2) + " ms, the slowest " +
              decimal_text(std::ranges::max(seconds) * 1e3, 2) +
              " ms; the rest of the journal into the tables, " + decimal_text(left * 1e3, 2) +
              " ms");
  }
};

expected<std::vector<bench_row>, failure> bench_ledger::durable(ledger_world& world,
                                                                plain_twin& twin) const {
  durable_blocks ours;
  std::vector<double> all, rows;
  std::optional<failure> wrong;
  world.store().environment().checkpoint();
  repeat([&] {
    if (wrong) return;
    ours.run_one(world);
    wrong = refused_in(ours.done.back());
    // The two peers take turns, so that neither always finds the disk warmer than the other does.
    if (all.size() <= rows.size()) {
      all.push_back(twin.catch_up());
    } else {
      rows.push_back(twin.catch_up_rows());
    }
  });
  if (wrong) return make_unexpected(*wrong);
  explain_times(ours.done);
  if (rows.empty())
    return failed("cannot compare with LMDB", "fewer than two blocks were run", "raise --blocks");
  ours.end(world);
  ours.explain("");
  return std::vector{
      bench_row{durable_name, ours.mean(), sum_of(all) / static_cast<double>(all.size()),
                "a plain LMDB batch of the same " + count_text(twin.written()) + " records", "tx",
                1'000},
      bench_row{durable_name, ours.mean(), sum_of(rows) / static_cast<double>(rows.size()),
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

/// What the end of an epoch takes in which no transaction was sent.
double end_of_epoch(ledger_world& world) {
  auto made = world.next_block(traffic::empty, true);
  const auto times = world.run(std::move(made), traffic::empty).times;
  return times.rules_seconds + times.root_seconds + times.commit_seconds;
}

/// Compares the old chain with one that differs from it only in its history. The two take turns.
expected<std::vector<bench_row>, failure> bench_ledger::against_new_chain(
    ledger_world& old, const fs::path& folder) const {
  ledger_world fresh(world_options(folder / "new", accounts_, models_));
  fresh.prepare(reveals_wanted());
  // Only from the second block on are there claims to reveal and to audit.
  fresh.run(fresh.next_block(traffic::unsigned_blocks), traffic::unsigned_blocks);
  old.store().environment().watch_puts({});
  for (auto* world : {&old, &fresh}) world->store().environment().checkpoint();
  durable_blocks aged, young;
  std::optional<failure> wrong;
  repeat([&] {
    if (wrong) return;
    for (auto* blocks : {&aged, &young}) {
      blocks->run_one(blocks == &aged ? old : fresh);
      if (!wrong) wrong = refused_in(blocks->done.back());
    }
  });
  if (wrong) return make_unexpected(*wrong);
  aged.end(old);
  young.end(fresh);
  aged.explain(" of the old chain");
  young.explain(" of the new chain");
  std::vector<double> old_ends, new_ends;
  // Targets expire only from the second epoch on; both chains are brought to that point first.
  for (int i = 0; i < 2; ++i) {
    end_of_epoch(old);
    end_of_epoch(fresh);
  }
  repeat([&] {
    old_ends.push_back(end_of_epoch(old));
    new_ends.push_back(end_of_epoch(fresh));
  });
  const auto after = " after " + count_text(history_) + " blocks";
  return std::vector{bench_row{std::string(durable_name) + after, aged.mean(), young.mean(),
                               "on a new chain", "tx", 1'000},
                     bench_row{"end of an epoch" + after, median_of(old_ends), median_of(new_ends),
                               "of a new chain", "epoch", 1}};
}

std::vector<bench_row> bench_ledger::epoch_ends(const fs::path& folder) const {
  constexpr std::uint64_t few = 1'000, models = 1'000;
  ledger_world many_idle(world_options(folder / "many", accounts_, models));
  ledger_world few_idle(world_options(folder / "few", few, models));
  std::vector<double> ours, peer;
  // Targets expire only from the second epoch on; both worlds are brought to that point first.
  for (int i = 0; i < 2; ++i) {
    end_of_epoch(many_idle);
    end_of_epoch(few_idle);
  }
  repeat([&] {
    ours.push_back(end_of_epoch(many_idle));
    peer.push_back(end_of_epoch(few_idle));
  });
  return {bench_row{"end of an epoch, " + count_text(accounts_) + " accounts", median_of(ours),
                    median_of(peer), "with " + count_text(few) + " accounts", "epoch", 1}};
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
  auto folder = scratch_folder::make("soma-bench-ledger", dir_);
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
    world->prepare(reveals_wanted());
    twin.catch_up();
    auto row = with_signatures(*world, twin);
    if (!row) return make_unexpected(row.error());
    rows.push_back(std::move(*row));
    auto unsigned_rows = durable(*world, twin);
    if (!unsigned_rows) return make_unexpected(unsigned_rows.error());
    rows.insert(rows.end(), unsigned_rows->begin(), unsigned_rows->end());
    if (history_ > 0) {
      auto aged_rows = against_new_chain(*world, folder->path());
      if (!aged_rows) return make_unexpected(aged_rows.error());
      rows.insert(rows.end(), aged_rows->begin(), aged_rows->end());
    }
  }
  if (history_ > 0) {
    const auto reads =
        compare_reads(folder->path() / "ledger", folder->path() / "new",
                      " after " + count_text(history_) + " blocks", options_.seconds / 6);
    rows.insert(rows.end(), reads.begin(), reads.end());
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
