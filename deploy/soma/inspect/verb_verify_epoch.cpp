// An audit: every state root up to the end of an epoch is computed again from the genesis and the
// blocks alone. The other rows of the ledger are not used.
#include <thread>

#include "actors/replay/chain_replay.hpp"
#include "actors/rules/genesis_state.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/stop.hpp"
#include "deploy/soma/source/stored_ledger.hpp"
#include "deploy/soma/verbs.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

/// How many blocks are read in one view of the ledger. A view is kept for a short time only, so
/// that the process that writes the ledger is not held up.
constexpr std::uint64_t blocks_a_look = 64;

struct audit {
  std::uint64_t blocks = 0, transactions = 0, refused = 0;
  std::uint64_t first_height = 0;           // the first height of the wanted epoch
  epoch_number epoch;                       // the epoch of the last block
  bool complete = false;                    // true once the wanted epoch is over
  std::optional<replay::difference> wrong;  // the first difference, if there is one
  block_height at;                          // the height of the last block that was read
};

class verify_epoch final : public verb {
 public:
  std::string_view name() const override { return "verify-epoch"; }
  std::string_view summary() const override {
    return "compute every state root up to the end of an epoch again from the blocks alone";
  }
  std::string_view example() const override {
    return "soma verify-epoch 3\n"
           "soma verify-epoch 3 --ledger /var/lib/soma/ledger --scratch /tmp/audit --json";
  }
  void declare(option_set& options) override {
    options.add("epoch", epoch_, "the last epoch to verify; all epochs before it are verified, too")
        .positional()
        .required();
    add_ledger_option(options, ledger_);
    options.add("scratch", scratch_, "folder to make for the rows, if they are too many for memory")
        .shown_as("DIR");
    options.add("threads", threads_, "number of threads for the distances of targets");
  }
  outcome run(const run_context& context) override;

 private:
  [[nodiscard]] outcome check_options() const;
  [[nodiscard]] std::unique_ptr<replay::row_store> rows() const;
  [[nodiscard]] outcome follow(const stored_ledger& ledger, replay::chain_replay& again,
                               audit& seen) const;
  static void take(const block& next, replay::chain_replay& again, audit& seen);
  void report(const run_context& context, const replay::chain_replay& again,
              const audit& seen) const;

  std::uint64_t epoch_ = 0;
  fs::path ledger_, scratch_;
  std::uint32_t threads_ = std::max(1u, std::thread::hardware_concurrency());
};

outcome verify_epoch::check_options() const {
  if (threads_ < 1 || threads_ > 256)
    return wrong_usage("--threads", "it is not between 1 and 256");
  std::error_code ignored;
  if (!scratch_.empty() && fs::exists(fs::symlink_status(scratch_, ignored))) {
    return wrong_usage("--scratch", scratch_.string() + " exists already",
                       "name a folder that can be made and removed again");
  }
  return {};
}

std::unique_ptr<replay::row_store> verify_epoch::rows() const {
  if (scratch_.empty()) return std::make_unique<replay::memory_rows>();
  return std::make_unique<replay::scratch_rows>(scratch_);
}

void verify_epoch::take(const block& next, replay::chain_replay& again, audit& seen) {
  seen.at = next.header.height;
  auto taken = again.next(next);
  if (!taken) {
    seen.wrong = std::move(taken.error());
    return;
  }
  seen.epoch = next.header.epoch;
  seen.blocks += 1;
  seen.transactions += taken->transactions;
  seen.refused += taken->refused;
}

outcome verify_epoch::follow(const stored_ledger& ledger, replay::chain_replay& again,
                             audit& seen) const {
  const epoch_number wanted{epoch_};
  const auto last = ledger.view().height();
  // What the ledger itself says about its epochs is used for the progress bar only.
  progress_bar bar("verify", ledger.view().closing_height(wanted).value_or(last).value, "blocks");
  while (!seen.complete && !seen.wrong && again.chain().height < last) {
    const auto view = ledger.view();
    for (std::uint64_t i = 0; i < blocks_a_look && !seen.complete && !seen.wrong; ++i) {
      const block_height height = again.chain().height.next();
      if (height > last) break;
      const auto next = view.block_at(height);
      if (!next) {
        return failed("cannot verify " + ledger.folder().string(),
                      "block " + std::to_string(height.value) + " is missing");
      }
      if (again.chain().epoch == wanted && seen.first_height == 0) seen.first_height = height.value;
      take(*next, again, seen);
      seen.complete = again.chain().epoch > wanted;
    }
    bar.update(seen.blocks, "height " + std::to_string(again.chain().height.value) + ", epoch " +
                                std::to_string(again.chain().epoch.value));
    if (stop_requested()) return failed("stopped", "before the epoch was verified");
  }
  bar.finish();
  return {};
}

void verify_epoch::report(const run_context& context, const replay::chain_replay& again,
                          const audit& seen) const {
  const std::string_view verdict = seen.wrong ? "differs" : seen.complete ? "holds" : "not over";
  if (context.wants_json) {
    auto out = json::of({{"epoch", epoch_},
                         {"verdict", verdict},
                         {"height", seen.at.value},
                         {"first_height", seen.first_height},
                         {"blocks", seen.blocks},
                         {"transactions", seen.transactions},
                         {"refused", seen.refused},
                         {"state_root", again.root().text()}});
    if (seen.wrong) {
      out.set("difference", json::of({{"what", replay::to_text(seen.wrong->kind)},
                                      {"expected", seen.wrong->expected},
                                      {"found", seen.wrong->found}}));
    }
    print_line(out.text());
    return;
  }
  print_line("epoch         " + std::to_string(epoch_) + " " + std::string(verdict));
  print_line("blocks        " + count_text(seen.blocks) + " with " + count_text(seen.transactions) +
             " transactions, " + count_text(seen.refused) + " of them refused");
  print_line("state root    " + again.root().text() + " at height " +
             std::to_string(again.chain().height.value));
  if (seen.wrong) {
    print_line("differs at    height " + std::to_string(seen.at.value) + ": " +
               std::string(replay::to_text(seen.wrong->kind)));
    print_line("expected      " + seen.wrong->expected);
    print_line("found         " + seen.wrong->found);
  }
}

outcome verify_epoch::run(const run_context& context) {
  if (auto fine = check_options(); !fine) return fine;
  const auto ledger = stored_ledger::open(context, ledger_);
  if (!ledger) return make_unexpected(ledger.error());
  if (const auto no = rules::check_genesis(ledger->genesis())) {
    return failed("the genesis of " + ledger->folder().string() + " is not valid",
                  std::string(rules::to_text(*no)));
  }
  replay::chain_replay again(ledger->genesis(), rows(), threads_);
  audit seen;
  if (auto done = follow(*ledger, again, seen); !done) return done;
  report(context, again, seen);
  if (seen.wrong) {
    return failed("height " + std::to_string(seen.at.value) + " does not hold",
                  std::string(replay::to_text(seen.wrong->kind)) + " is " + seen.wrong->found +
                      ", but it has to be " + seen.wrong->expected,
                  "do not trust this ledger from that height on");
  }
  if (!seen.complete) {
    return failed("epoch " + std::to_string(epoch_) + " is not over",
                  "the ledger ends at height " + std::to_string(again.chain().height.value) +
                      " in epoch " + std::to_string(again.chain().epoch.value) +
                      ", and everything up to there holds");
  }
  return {};
}

}  // namespace

std::unique_ptr<verb> make_verify_epoch() {
  return std::make_unique<verify_epoch>();
}

}  // namespace soma::cli
