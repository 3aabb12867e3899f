#include <algorithm>

#include "deploy/soma/bench/bench_consensus.hpp"
#include "deploy/soma/bench/scratch_folder.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/resources.hpp"
#include "deploy/soma/shell/stop.hpp"
#include "deploy/soma/shell/units.hpp"
#include "deploy/soma/verbs.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

class bench_consensus final : public verb {
 public:
  std::string_view name() const override { return "bench consensus"; }
  std::string_view summary() const override {
    return "how fast validators agree: transfers a second, time until they are final, bytes";
  }
  std::string_view example() const override {
    return "soma bench consensus\n"
           "soma bench consensus --validators 4 --rate 2000 --delay-ms 50 --json\n"
           "soma bench consensus --processes 4 --rate 1000 --seconds 60\n"
           "soma bench consensus --processes 4 --processes 10 --processes 31 --rate 50";
  }
  void declare(option_set& options) override;
  outcome run(const run_context& context) override;

 private:
  [[nodiscard]] outcome check() const;

  std::vector<std::string> validators_, processes_;
  double rate_ = 500, delay_ms_ = 0.1;
  std::optional<double> seconds_;
  std::uint64_t seed_ = 0;
  fs::path dir_;
};

void bench_consensus::declare(option_set& options) {
  options
      .add("validators", validators_,
           "number of validators, each on a simulated processor; repeat it for more runs; default: "
           "4, 10 and 31")
      .shown_as("N");
  options
      .add("processes", processes_,
           "instead of --validators: number of real processes, connected over TLS on the loopback "
           "interface; repeat it for more runs")
      .shown_as("N");
  options.add("rate", rate_, "signed transfers offered per second, to all validators in turn");
  options.add("seconds", seconds_,
              "how long transfers are offered; default: 2, and 10 with --processes");
  options.add("delay-ms", delay_ms_, "delay of every message on the simulated network, one way");
  options.add("seed", seed_, "seed of the keys and transfers");
  options.add("dir", dir_, "folder where the ledgers are made; they are removed afterwards")
      .shown_as("DIR");
}

double percentile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const auto at = static_cast<std::size_t>(part * static_cast<double>(values.size()));
  return values[std::min(at, values.size() - 1)];
}

struct measured {
  consensus_load load;
  bool processes = false;
  consensus_figures found;

  [[nodiscard]] double per_block(std::uint64_t all) const {
    return static_cast<double>(all) / static_cast<double>(std::max<std::uint64_t>(1, found.blocks));
  }
  [[nodiscard]] double per_s() const {
    return static_cast<double>(found.transactions) / found.seconds;
  }
  /// Transactions a second that the busiest processor would manage if it were busy all the time.
  [[nodiscard]] double per_core_s() const {
    return static_cast<double>(found.transactions) / found.busiest_seconds;
  }
  /// The processor time for verifying each transaction's signature once, as a share of the
  /// processor time of an average validator.
  [[nodiscard]] double ratio() const { return found.verify_seconds / found.busy_seconds; }
};

json json_of(const measured& m) {
  const auto& f = m.found;
  auto out = json::of({{"validators", m.load.validators},
                       {"processes", m.processes},
                       {"offered", f.offered},
                       {"final", f.transactions},
                       {"seconds", f.seconds},
                       {"transactions_per_s", m.per_s()},
                       {"final_median_ms", percentile(f.final_ms, 0.5)},
                       {"final_p99_ms", percentile(f.final_ms, 0.99)},
                       {"blocks", f.blocks},
                       {"payload_bytes_per_block", m.per_block(f.payload_bytes)},
                       {"signatures_per_block", f.signatures_per_block},
                       {"busiest_cpu_seconds", f.busiest_seconds},
                       {"mean_cpu_seconds", f.busy_seconds},
                       {"transactions_per_core_second", m.per_core_s()},
                       {"verify_seconds", f.verify_seconds},
                       {"ratio_to_verification", m.ratio()}});
  if (m.processes) {
    out.set("sent_again", f.sent_again);
    out.set("memory_at_start_bytes", f.memory_at_start_bytes);
    out.set("memory_bytes", f.memory_bytes);
    out.set("memory_growth_bytes", f.memory_growth_bytes);
  } else {
    out.set("delay_ms", static_cast<double>(m.load.delay_us) / 1'000);
    out.set("agreement_bytes_per_block", m.per_block(f.sent.all()));
    out.set("proposal_bytes_per_block", m.per_block(f.sent.proposals));
    out.set("vote_bytes_per_block", m.per_block(f.sent.votes));
    out.set("certificate_bytes_per_block", m.per_block(f.sent.certificates));
    out.set("gossip_bytes_per_block", m.per_block(f.gossip_bytes));
    out.set("messages_per_block", m.per_block(f.messages));
    out.set("votes_verified_per_block", m.per_block(f.votes_verified));
  }
  return out;
}

void note_missing(const measured& m) {
  if (m.found.sent_again != 0) {
    note_line("with " + std::to_string(m.load.validators) + " validators: " +
              count_text(m.found.sent_again) + " times a transfer was sent again after 5 s");
  }
  if (m.found.transactions == m.found.offered) return;
  note_line("with " + std::to_string(m.load.validators) +
            " validators: " + count_text(m.found.offered - m.found.transactions) + " of " +
            count_text(m.found.offered) + " transfers did not become final in time");
}

void print_made_up(const std::vector<measured>& all) {
  table out({"validators", "tx/s", "final, median", "99th", "tx/s a core", "Ed25519 alone / ours",
             "signatures a block", "kB sent", "messages", "verified"});
  for (const auto& m : all) {
    const auto n = static_cast<double>(m.load.validators);
    out.row({std::to_string(m.load.validators), decimal_text(m.per_s(), 0),
             decimal_text(percentile(m.found.final_ms, 0.5), 1) + " ms",
             decimal_text(percentile(m.found.final_ms, 0.99), 1) + " ms",
             decimal_text(m.per_core_s(), 0), decimal_text(m.ratio(), 2),
             decimal_text(m.found.signatures_per_block, 1),
             decimal_text(m.per_block(m.found.sent.all()) / n / 1e3, 1),
             decimal_text(m.per_block(m.found.messages) / n, 1),
             decimal_text(m.per_block(m.found.votes_verified) / n, 1)});
  }
  out.print();
  note_line(
      "kB sent, messages and verified are counted for one validator and one block, without the "
      "transactions that it passed on");
  for (const auto& m : all) note_missing(m);
}

void print_processes(const std::vector<measured>& all) {
  table out({"processes", "tx/s", "final, median", "99th", "tx/s a core", "Ed25519 alone / ours",
             "signatures a block", "kB a block", "memory", "grown by"});
  for (const auto& m : all) {
    const auto grown = m.found.memory_growth_bytes;
    out.row({std::to_string(m.load.validators), decimal_text(m.per_s(), 0),
             decimal_text(percentile(m.found.final_ms, 0.5), 1) + " ms",
             decimal_text(percentile(m.found.final_ms, 0.99), 1) + " ms",
             decimal_text(m.per_core_s(), 0), decimal_text(m.ratio(), 2),
             decimal_text(m.found.signatures_per_block, 1),
             decimal_text(m.per_block(m.found.payload_bytes) / 1e3, 1),
             to_text(byte_count{m.found.memory_bytes}),
             (grown < 0 ? "-" : "") +
                 to_text(byte_count{static_cast<std::uint64_t>(grown < 0 ? -grown : grown)})});
  }
  out.print();
  note_line(
      "memory is that of the largest process at the end; grown by counts from a quarter of the "
      "run");
  for (const auto& m : all) note_missing(m);
}

/// Reads numbers of validators, each of which must lie between 1 and `most`.
expected<std::vector<std::uint32_t>, failure> read_sizes(const std::vector<std::string>& texts,
                                                         std::string_view option, int most) {
  std::vector<std::uint32_t> sizes;
  for (const auto& text : texts) {
    const bool digits =
        !text.empty() && text.size() <= 3 && text.find_first_not_of("0123456789") == text.npos;
    const auto size = digits ? std::atoi(text.c_str()) : 0;
    if (size < 1 || size > most) {
      return wrong_usage(std::string(option),
                         "`" + text + "` is not a number from 1 to " + std::to_string(most),
                         "try 4");
    }
    sizes.push_back(static_cast<std::uint32_t>(size));
  }
  return sizes;
}

outcome bench_consensus::check() const {
  if (!(rate_ >= 1 && rate_ <= 100'000)) {
    return wrong_usage("--rate", "it is not between 1 and 100,000", "try 500");
  }
  if (seconds_ && !(*seconds_ >= 0.5 && *seconds_ <= 3'600)) {
    return wrong_usage("--seconds", "it is not between 0.5 and 3,600", "try 10");
  }
  if (!(delay_ms_ >= 0 && delay_ms_ <= 10'000)) {
    return wrong_usage("--delay-ms", "it is not between 0 and 10,000", "try 50");
  }
  if (!processes_.empty() && !validators_.empty()) {
    return wrong_usage("--validators", "--processes already says how many there are",
                       "leave one of them out");
  }
  return {};
}

outcome bench_consensus::run(const run_context& context) {
  if (auto fine = check(); !fine) return fine;
  const bool real = !processes_.empty();
  const auto read = real ? read_sizes(processes_, "--processes", 40)
                         : read_sizes(validators_, "--validators", 100);
  if (!read) return make_unexpected(read.error());
  const auto sizes = read->empty() ? std::vector<std::uint32_t>{4, 10, 31} : *read;
  const patient_stop until_removed;  // a stop leaves no folder behind
  const auto scratch = scratch_folder::make("soma-bench-consensus", dir_);
  if (!scratch) return make_unexpected(scratch.error());
  std::vector<measured> all;
  for (const auto size : sizes) {
    measured one;
    one.processes = real;
    one.load.folder = scratch->path() / std::to_string(size);
    one.load.validators = size;
    one.load.delay_us = static_cast<std::uint64_t>(delay_ms_ * 1'000);
    one.load.transactions_per_s = rate_;
    one.load.seconds = seconds_.value_or(real ? 10 : 2);
    one.load.seed = seed_;
    auto found = real ? run_consensus_processes(one.load) : run_consensus(one.load);
    if (!found) return make_unexpected(found.error());
    one.found = std::move(*found);
    all.push_back(std::move(one));
  }
  if (!context.wants_json) {
    if (real) {
      print_processes(all);
    } else {
      print_made_up(all);
    }
    return {};
  }
  auto rows = json::list();
  for (const auto& one : all) rows.push(json_of(one));
  print_line(json::of({{"bench", name()},
                       {"isa", vector_isa()},
                       {"seed", seed_},
                       {"rate", rate_},
                       {"rows", std::move(rows)}})
                 .text());
  return {};
}

}  // namespace

std::unique_ptr<verb> make_bench_consensus() {
  return std::make_unique<bench_consensus>();
}

}  // namespace soma::cli
