#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>

#include "actors/localnet/localnet.hpp"
#include "deploy/soma/localnet/localnet_report.hpp"
#include "deploy/soma/localnet/serve_localnet.hpp"
#include "deploy/soma/model/model_options.hpp"
#include "deploy/soma/model/specialist.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/report.hpp"
#include "deploy/soma/shell/stop.hpp"
#include "deploy/soma/shell/units.hpp"
#include "deploy/soma/source/default_sources.hpp"
#include "deploy/soma/source/localnet_home.hpp"
#include "deploy/soma/verbs.hpp"
#include "model/scoring/exact_engine.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

class live_view;

class localnet_verb final : public verb {
 public:
  std::string_view name() const override { return "localnet"; }
  std::string_view summary() const override {
    return "run a whole network in one process, on your own files";
  }
  std::string_view example() const override {
    return "soma localnet\n"
           "soma localnet --data code=src --data letters=~/letters --seed 7 --json\n"
           "soma localnet --with-cheats\n"
           "soma localnet --epochs 0 --serve 127.0.0.1:7080";
  }
  void declare(option_set& options) override;
  outcome run(const run_context& context) override;

 private:
  [[nodiscard]] outcome check() const;
  [[nodiscard]] outcome run_and_report(const run_context& context, const running_localnet& place,
                                       const model_architecture& arch,
                                       std::vector<localnet::localnet_source> sources);
  [[nodiscard]] expected<std::vector<localnet::localnet_source>, failure> load_sources(
      const fs::path& home) const;
  [[nodiscard]] localnet::localnet_options plan(const fs::path& directory,
                                                std::vector<localnet::localnet_source> sources,
                                                const model_architecture& arch,
                                                std::shared_ptr<live_view> view) const;
  [[nodiscard]] failure ended(const running_localnet& place, const std::string& why) const;

  std::vector<std::string> data_;
  std::string arch_ = "tiny";
  std::uint32_t validators_ = 1, submitters_ = 3, threads_ = 2, batch_ = 2;
  std::uint64_t epochs_ = 6, seed_ = 0, steps_ = 1'400;
  bool with_cheats_ = false, retrain_ = false;
  std::optional<std::string> serve_;
  /// Where the network's own time ends and real time goes on.
  std::uint64_t served_from_ms_ = unix_now_ms();
  fs::path kept_in_;
  byte_count max_data_{std::uint64_t{2} << 20U};
};

void localnet_verb::declare(option_set& options) {
  options
      .add(
          "data", data_,
          "a source, which trains one specialist; repeat it for more; default: kinds of files that "
          "every such machine has")
      .shown_as("NAME=PATH");
  options.add("epochs", epochs_, "number of epochs to run; models are registered in the first two");
  options.add("seed", seed_, "seed of the run; the same seed and data give the same state root");
  options.add("arch", arch_, architecture_help).shown_as("A");
  options.add("train-steps", steps_, "optimiser steps of each specialist");
  options.add("batch", batch_, "windows in a training step");
  options.add("validators", validators_,
              "number of validators that agree on blocks, each with its own ledger");
  options.add("submitters", submitters_, "number of honest submitters that compete");
  options.add("with-cheats", with_cheats_, "add a submitter for each way of cheating");
  options.add("retrain", retrain_,
              "train every specialist, also those that are kept from an earlier network");
  options.add("max-data", max_data_, "read at most this much of each source");
  options.add("threads", threads_, "number of threads; it does not change the result");
  options
      .add("serve", serve_,
           "go on in real time after the report, behind a gateway with a faucet that listens at "
           "this address; with --epochs 0 at once, without models")
      .shown_as("HOST:PORT");
}

outcome localnet_verb::check() const {
  const auto refuse = [](const char* option, const char* why) {
    return wrong_usage(option, why, "see `soma localnet --help`");
  };
  if (validators_ < 1 || validators_ > 32)
    return refuse("--validators", "the value is not between 1 and 32");
  if (submitters_ < 1 || submitters_ > 64)
    return refuse("--submitters", "the value is not between 1 and 64");
  if (serve_) {
    if (auto checked = check_served(*serve_, validators_); !checked) return checked;
  }
  if (!(serve_ && epochs_ == 0) && (epochs_ < 3 || epochs_ > 100'000))
    return refuse("--epochs", "the value is not between 3 and 100,000");
  if (steps_ < 1) return refuse("--train-steps", "the value is not at least 1");
  if (batch_ < 1 || batch_ > 4'096) return refuse("--batch", "the value is not between 1 and 4096");
  if (data_.size() > scorer::max_models_per_request) {
    return refuse("--data",
                  "there are more than 16 sources, and one request scores at most 16 models");
  }
  if (threads_ < 1 || threads_ > 256)
    return refuse("--threads", "the value is not between 1 and 256");
  return {};
}

expected<std::vector<localnet::localnet_source>, failure> localnet_verb::load_sources(
    const std::filesystem::path& home) const {
  std::vector<data_source> named = data_.empty() ? default_sources() : std::vector<data_source>{};
  for (const auto& text : data_) {
    auto source = parse_source(text, home);
    if (!source) return make_unexpected(source.error());
    for (const auto& other : named) {
      if (other.name != source->name) continue;
      return wrong_usage("--data", "two sources have the name " + source->name,
                         "write NAME=PATH with a name of its own for each");
    }
    named.push_back(std::move(*source));
  }
  std::vector<localnet::localnet_source> sources;
  for (const auto& source : named) {
    localnet::localnet_source loaded{source.name, {}};
    std::uint64_t total = 0;
    for (auto& piece : load_source(source, max_data_.value, max_data_.value / 4)) {
      total += piece.data.size();
      loaded.files.push_back(std::move(piece.data));
    }
    if (total < std::uint64_t{64} << 10U) {
      return failed("the source " + source.name + " is too small",
                    std::to_string(total) + " bytes, of which an eighth is held out",
                    "name files of at least 64 KiB in all");
    }
    sources.push_back(std::move(loaded));
  }
  if (sources.empty())
    return failed("there is no data", "no source was found", "name one with --data NAME=PATH");
  return sources;
}

/// What the terminal shows while the network runs. Several threads report their training here.
class live_view {
 public:
  live_view(std::vector<std::string> names, std::uint64_t steps, std::uint64_t epochs)
      : names_(std::move(names)), steps_(steps), epochs_(epochs), training_(names_.size()) {}

  void trained(std::size_t number, std::uint64_t step, float bits, double rate) {
    const std::lock_guard lock(mutex_);
    // A training that goes on after a stop does not begin with the first step.
    if (training_[number].step == 0) begin_at(step - 1);
    training_[number] = {step, bits, rate};
    std::uint64_t done = 0;
    double bytes_per_second = 0;
    for (const auto& one : training_) {
      done += one.step;
      if (one.step < steps_) bytes_per_second += one.rate;
    }
    bar_.update(done, training_text(bytes_per_second));
  }

  /// A specialist is taken from an earlier network.
  void kept(std::size_t number) {
    const std::lock_guard lock(mutex_);
    ++kept_;
    begin_at(steps_);
    training_[number].step = steps_;
  }
  [[nodiscard]] std::size_t kept_count() const { return kept_; }

  void network(const localnet::localnet_progress& now) {
    const std::lock_guard lock(mutex_);
    if (now.height == 0 || now.height == height_) return;
    if (height_ == 0 && kept_ < names_.size()) bar_.finish();
    height_ = now.height;
    const auto& t = now.targets;
    std::vector<std::string> lines;
    lines.push_back(
        "epoch " + std::to_string(now.epoch) + " of " + std::to_string(epochs_) + "  block " +
        std::to_string(now.height) + "  models " + std::to_string(now.models_published) + "/" +
        std::to_string(names_.size()) + "  targets: " + std::to_string(t.opened) + " opened, " +
        std::to_string(t.filled) + " filled, " + std::to_string(t.settled) + " settled, " +
        std::to_string(t.slashed) + " slashed, " + std::to_string(t.expired) + " expired");
    std::string wins = "winners:";
    for (const auto& [name, count] : now.wins) wins += "  " + name + " " + std::to_string(count);
    lines.push_back(wins);
    area_.draw(lines);
  }

  void finish() { area_.finish(); }

 private:
  struct training {
    std::uint64_t step = 0;
    float bits = 0;
    double rate = 0;
  };
  /// So many steps more were done before this run, so they do not count towards its rate.
  void begin_at(std::uint64_t steps) {
    first_ += steps;
    bar_.start_at(first_);
  }
  [[nodiscard]] std::string training_text(double rate) const {
    std::string text;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (training_[i].rate != 0)
        text += names_[i] + " " + decimal_text(training_[i].bits, 2) + "  ";
    }
    return text + "bits/byte  " + to_text(byte_count{static_cast<std::uint64_t>(rate)}) + "/s";
  }

  std::mutex mutex_;
  std::vector<std::string> names_;
  std::uint64_t steps_, epochs_;
  std::vector<training> training_;
  std::size_t kept_ = 0;
  std::uint64_t first_ = 0;  // steps that were done before
  std::uint64_t height_ = 0;
  progress_bar bar_{"training", steps_* names_.size(), "steps"};
  live_area area_;
};

localnet::localnet_options localnet_verb::plan(const fs::path& directory,
                                               std::vector<localnet::localnet_source> sources,
                                               const model_architecture& arch,
                                               std::shared_ptr<live_view> view) const {
  localnet::localnet_options options;
  options.directory = directory;
  options.sources = std::move(sources);
  options.architecture = arch;
  options.seed = seed_;
  options.epochs = epochs_;
  options.validators = validators_;
  options.submitters = submitters_;
  options.threads = threads_;
  options.with_cheats = with_cheats_;
  specialist_plan specialist;
  specialist.architecture = arch;
  specialist.steps = steps_;
  specialist.batch = batch_;
  specialist.kept_in = kept_in_;
  specialist.trains_anew = retrain_;
  options.train = [view, specialist](std::size_t number, const std::vector<bytes>& data,
                                     std::uint64_t seed) {
    auto own = specialist;
    own.on_step = [&](std::uint64_t step, float bits, double rate) {
      view->trained(number, step, bits, rate);
    };
    own.on_kept = [&] { view->kept(number); };
    return train_specialist(own, data, seed);
  };
  // Few pieces are scored at the same time, so each may use every thread.
  options.new_engines = [threads = threads_] { return scoring::exact_engines(threads); };
  options.on_progress = [view](const localnet::localnet_progress& now) { view->network(now); };
  options.interrupted = stop_requested;
  if (serve_) {
    options.start_ms = served_from_ms_ - epochs_ * options.epoch_ms;
    options.with_faucet = true;
    // The epochs of a network that nobody waits for are long: clients trust its committee longer.
    if (epochs_ == 0) options.epoch_ms = 3'600'000;
  }
  return options;
}

/// A role that finds no file to open would give up its work, and the network would come to another
/// result than with the same seed elsewhere. So the files that all of it opens at most are asked
/// for beforehand.
outcome take_open_files(std::uint32_t validators) {
  const rlim_t needed = 128 + rlim_t{8} * validators;
  rlimit now{};
  if (::getrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur >= needed) return {};
  const auto allowed = now.rlim_cur;
  now.rlim_cur = std::min(now.rlim_max, needed);
  if (now.rlim_cur >= needed && ::setrlimit(RLIMIT_NOFILE, &now) == 0) return {};
  return failed("cannot run a local network",
                "Too many open files: it needs " + std::to_string(needed) +
                    " at a time, and the limit is " + std::to_string(allowed),
                "raise the limit: ulimit -n 1024");
}

/// Why the network did not come to its end. A stop while specialists are trained leaves no network,
/// so the one before is put back, and the training is not lost.
failure localnet_verb::ended(const running_localnet& place, const std::string& why) const {
  if (!stop_requested()) {
    return {"the local network ended", why,
            "see to that and run it again; its files are kept in " + place.directory.string()};
  }
  const auto back = put_back_earlier(place);
  if (!back) return back.error();
  return {"stopped while training", "a stop was asked for",
          "the same command goes on where it stopped" +
              std::string(place.earlier.empty() ? "" : "; the network before is in its place")};
}

outcome localnet_verb::run_and_report(const run_context& context, const running_localnet& place,
                                      const model_architecture& arch,
                                      std::vector<localnet::localnet_source> sources) {
  const auto& directory = place.directory;
  const patient_stop until_reported;
  const auto began = std::chrono::steady_clock::now();
  std::vector<std::string> names;
  for (const auto& source : sources) names.push_back(source.name);
  const auto view = std::make_shared<live_view>(names, steps_, epochs_);
  const auto report = localnet::run_localnet(plan(directory, std::move(sources), arch, view));
  view->finish();
  if (!report) return make_unexpected(ended(place, report.error()));
  if (view->kept_count() > 0)
    note_line(count_text(view->kept_count()) + " of " + count_text(names.size()) +
              " specialists were trained before, and are taken from " + kept_in_.string());
  if (auto written = write_localnet_index(directory, *report, arch); !written) return written;
  remember_done("the network ran and is kept in " + directory.string());
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - began;
  if (context.wants_json) {
    auto document = to_json(*report);
    document.set("specialists_trained", names.size() - view->kept_count());
    print_line(document.text());
  } else {
    print_report(*report, directory, taken.count());
  }
  if (report->interrupted) {
    return failed("stopped before the last epoch", "a stop was asked for",
                  "its files are kept in " + directory.string());
  }
  if (!report->supply_ok)
    return failed("the supply is wrong",
                  "the amounts in the ledger do not add up to the supply cap");
  return {};
}

outcome localnet_verb::run(const run_context& context) {
  if (auto checked = check(); !checked) return checked;
  if (auto taken = take_open_files(validators_); !taken) return taken;
  const auto arch = architecture_of(arch_);
  if (!arch) return make_unexpected(arch.error());
  std::vector<localnet::localnet_source> sources;
  if (epochs_ > 0) {
    auto loaded = load_sources(context.home);
    if (!loaded) return make_unexpected(loaded.error());
    sources = std::move(*loaded);
  }
  const auto place = fresh_localnet(context.home);
  if (!place) return make_unexpected(place.error());
  kept_in_ = context.home / "trained";
  if (!place->earlier.empty())
    note_line("the network before is kept in " + place->earlier.string() +
              "; remove it when you do not need it any more");
  const auto genesis = localnet::genesis_of(plan(place->directory, sources, *arch, nullptr));
  if (epochs_ > 0) {
    auto done = run_and_report(context, *place, *arch, std::move(sources));
    if (!done) return done;
  }
  if (!serve_) return {};
  return serve_localnet(context, place->directory, genesis, seed_, *serve_);
}

}  // namespace

std::unique_ptr<verb> make_localnet() {
  return std::make_unique<localnet_verb>();
}

}  // namespace soma::cli
