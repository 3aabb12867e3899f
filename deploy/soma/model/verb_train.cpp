#include <chrono>
#include <stop_token>

#include "deploy/soma/model/model_options.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/files.hpp"
#include "deploy/soma/shell/report.hpp"
#include "deploy/soma/shell/resources.hpp"
#include "deploy/soma/shell/stop.hpp"
#include "deploy/soma/source/default_sources.hpp"
#include "deploy/soma/source/folder_lock.hpp"
#include "deploy/soma/verbs.hpp"
#include "model/training/trainer.hpp"
#include "model/weights/architectures.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

class model_train final : public verb {
 public:
  std::string_view name() const override { return "model train"; }
  std::string_view summary() const override { return "train a model on files or folders"; }
  std::string_view example() const override {
    return "soma model train --data /usr/include/c++ --steps 500 -o w.safetensors\n"
           "soma model train --data /usr/include/c++ --steps 500 -o w.safetensors --resume";
  }
  void declare(option_set& options) override;
  outcome run(const run_context& context) override;

 private:
  [[nodiscard]] outcome check(const run_context& context) const;
  [[nodiscard]] fs::path checkpoint_path() const;
  [[nodiscard]] fs::path lock_path() const;
  /// True for the output, the checkpoint and its lock, and what an interrupted write left beside
  /// them.
  [[nodiscard]] bool is_own_product(const fs::path& file) const;
  [[nodiscard]] expected<std::vector<bytes>, failure> load_data(const run_context& context) const;
  [[nodiscard]] training::trainer_options training(progress_bar& bar, std::stop_source& stop) const;
  [[nodiscard]] expected<training::trainer, failure> begin(std::vector<bytes> data,
                                                           training::trainer_options options) const;
  void report(const run_context& context, const weights::model_weights& trained,
              const training::train_progress& last, double seconds) const;

  std::vector<fs::path> data_;
  fs::path output_, from_, checkpoint_;
  std::string arch_ = "tiny", precision_ = "f32", recompute_ = "automatic";
  bool resume_ = false, force_ = false;
  std::uint32_t threads_ = 1;
  byte_count max_data_{std::uint64_t{1} << 30U};
  double learning_rate_ = 4e-3, weight_decay_ = 0.05;
  std::uint64_t checkpoint_every_ = 100;
  training::trainer_options standard_;
};

void model_train::declare(option_set& options) {
  options
      .add("data", data_,
           "files and folders to learn from; the output and the checkpoint are never data")
      .required();
  options.add("output", output_, "file for the trained weights").also('o').required();
  options.add("from", from_,
              "weights to start from; default: fresh weights from --arch and --seed");
  options.add("arch", arch_, architecture_help).shown_as("A");
  options.add("seed", standard_.seed, "decides the fresh weights and the order of the windows");
  options.add("steps", standard_.steps, "number of optimiser steps");
  options.add("batch", standard_.batch, "windows in a step");
  options.add("window", standard_.window,
              "bytes in the longest window; 0: the architecture's max_seq");
  options.add("learning-rate", learning_rate_, "learning rate at the end of the warm-up");
  options.add("warmup-steps", standard_.warmup_steps, "steps until the full learning rate");
  options.add("weight-decay", weight_decay_, "weight decay of matrices");
  options.add("checkpoint", checkpoint_,
              "file that keeps a stopped run; default: output + .checkpoint");
  options.add("checkpoint-every", checkpoint_every_,
              "steps between checkpoints; 0: only when stopped");
  options.add("resume", resume_,
              "continue from the checkpoint; the result is the same as without the stop");
  options.add("threads", threads_, "number of threads; it does not change the result");
  options
      .add("precision", precision_,
           "precision of matrix products; bf16 needs a processor that has it")
      .among({"f32", "bf16"});
  options
      .add("recompute", recompute_,
           "compute activations twice instead of keeping them; automatic: when they are large")
      .among({"automatic", "never", "always"});
  options.add("max-data", max_data_, "read at most this much data");
  options.add("force", force_, "replace existing weights, and drop an existing checkpoint");
}

fs::path model_train::checkpoint_path() const {
  return checkpoint_.empty() ? fs::path(output_.string() + ".checkpoint") : checkpoint_;
}

fs::path model_train::lock_path() const {
  return checkpoint_path().string() + ".lock";
}

bool model_train::is_own_product(const fs::path& file) const {
  for (const auto& product : {output_, checkpoint_path(), lock_path()}) {
    if (same_file(file, product)) return true;
    const auto unfinished = product.filename().string() + ".part-";
    if (!file.filename().string().starts_with(unfinished)) continue;
    const auto folder = product.has_parent_path() ? product.parent_path() : fs::path(".");
    if (same_file(file.parent_path(), folder)) return true;
  }
  return false;
}

outcome model_train::check(const run_context& context) const {
  const auto out_of_range = [](const char* option, const char* range) {
    return wrong_usage(option, std::string("the value is not ") + range,
                       "see `soma model train --help`");
  };
  if (standard_.steps < 1) return out_of_range("--steps", "at least 1");
  if (standard_.batch < 1 || standard_.batch > 4096) return out_of_range("--batch", "1 to 4096");
  if (!(learning_rate_ > 0 && learning_rate_ < 10))
    return out_of_range("--learning-rate", "above 0 and below 10");
  if (!(weight_decay_ >= 0 && weight_decay_ < 1))
    return out_of_range("--weight-decay", "from 0 to below 1");
  if (auto checked = check_threads(threads_); !checked) return checked;
  const std::vector<named_path> written{{"--output", output_}, {"--checkpoint", checkpoint_path()}};
  std::vector<named_path> read;
  for (const auto& path : data_) read.push_back({"--data", path});
  if (auto distinct = check_distinct(written, read); !distinct) return distinct;
  // Weights may be trained further in place; a checkpoint in their place would delete them.
  const std::vector<named_path> start{{"--from", from_}};
  if (auto distinct = check_distinct(std::span(written).subspan(1), start); !distinct) {
    return distinct;
  }
  if (auto free = check_new_file(context, output_, force_ || resume_); !free) return free;
  if (auto free = check_new_file(context, checkpoint_path(), true); !free) return free;
  std::error_code error;
  const auto kept = fs::exists(checkpoint_path(), error);
  if (resume_ && !kept) {
    return failed("cannot resume", "there is no checkpoint " + checkpoint_path().string(),
                  "leave out --resume to begin");
  }
  if (!resume_ && !force_ && kept) {
    return failed("will not begin anew",
                  "the checkpoint " + checkpoint_path().string() + " holds a stopped run",
                  "continue it with --resume, or drop it with --force");
  }
  return {};
}

expected<std::vector<bytes>, failure> model_train::load_data(const run_context& context) const {
  std::vector<bytes> buffers;
  auto left = max_data_.value;
  for (const auto& path : data_) {
    auto source = source_at(path.filename().string(), path, context.home);
    if (!source) return make_unexpected(source.error());
    // What this verb makes itself is no data, wherever it lies and whether it is there or not: a
    // stopped run must find the same data when it is continued.
    std::erase_if(source->files, [this](const fs::path& file) { return is_own_product(file); });
    for (auto& piece : load_source(*source, left, left)) {
      left -= piece.data.size();
      buffers.push_back(std::move(piece.data));
    }
  }
  return buffers;
}

training::trainer_options model_train::training(progress_bar& bar, std::stop_source& stop) const {
  auto options = standard_;
  options.threads = threads_;
  options.learning_rate = static_cast<float>(learning_rate_);
  options.weight_decay = static_cast<float>(weight_decay_);
  options.precision =
      precision_ == "bf16" ? training::train_precision::bf16 : training::train_precision::f32;
  options.recompute = recompute_ == "always"  ? training::train_recompute::always
                      : recompute_ == "never" ? training::train_recompute::never
                                              : training::train_recompute::automatic;
  options.checkpoint = checkpoint_path();
  options.checkpoint_every = checkpoint_every_;
  options.on_progress = [&bar, &stop](const training::train_progress& p) {
    bar.update(p.step, decimal_text(p.bits_per_byte, 3) + " bits/byte  " +
                           to_text(byte_count{static_cast<std::uint64_t>(p.bytes_per_second)}) +
                           "/s");
    if (stop_requested()) stop.request_stop();
  };
  return options;
}

expected<training::trainer, failure> model_train::begin(std::vector<bytes> data,
                                                        training::trainer_options options) const {
  const auto refused = [&](training::train_refusal why) {
    return failed(resume_ ? "cannot resume from " + checkpoint_path().string() : "cannot train",
                  std::string(to_text(why)), "see `soma model train --help`");
  };
  if (resume_) {
    auto resumed =
        training::trainer::resume(checkpoint_path(), std::move(data), std::move(options));
    if (!resumed) return refused(resumed.error());
    return std::move(*resumed);
  }
  const auto arch = architecture_of(arch_);
  if (!arch) return make_unexpected(arch.error());
  auto start =
      from_.empty()
          ? expected<weights::model_weights, failure>(weights::init_weights(*arch, standard_.seed))
          : weights_at(from_);
  if (!start) return make_unexpected(start.error());
  auto begun = training::trainer::start(*start, std::move(data), std::move(options));
  if (!begun) return refused(begun.error());
  return std::move(*begun);
}

void model_train::report(const run_context& context, const weights::model_weights& trained,
                         const training::train_progress& last, double seconds) const {
  const auto arch = weights::to_text(trained.architecture());
  if (context.wants_json) {
    print_line(json::of({{"weights", output_.string()},
                         {"hash", trained.hash().text()},
                         {"architecture", arch},
                         {"steps", last.step},
                         {"loss", last.loss},
                         {"bits_per_byte", last.bits_per_byte},
                         {"seconds", seconds},
                         {"peak_memory_bytes", peak_memory_bytes()}})
                   .text());
    return;
  }
  print_line(output_.string() + ": " + arch + ", " + count_text(last.step) + " steps, " +
             decimal_text(last.bits_per_byte, 3) + " bits per byte while training, hash " +
             trained.hash().text());
}

outcome model_train::run(const run_context& context) {
  if (auto checked = check(context); !checked) return checked;
  const auto lock = folder_lock::take_for_now(
      lock_path(),
      {"cannot train", "another process keeps its run in " + checkpoint_path().string(),
       "wait until it has ended, or name another --checkpoint"});
  if (!lock) return make_unexpected(lock.error());
  // The other process may have left or taken away a checkpoint before its lock was free.
  if (auto checked = check(context); !checked) return checked;
  auto data = load_data(context);
  if (!data) return make_unexpected(data.error());
  const patient_stop until_kept;  // the checkpoint is worth waiting for
  const auto start = std::chrono::steady_clock::now();
  std::stop_source stop;
  progress_bar bar("training", standard_.steps, "steps");
  auto trainer = begin(std::move(*data), training(bar, stop));
  if (!trainer) return make_unexpected(trainer.error());
  bar.start_at(trainer->steps_done());
  const auto last = trainer->run(stop.get_token());
  bar.finish();
  if (!last) {
    return failed("training ended", std::string(to_text(last.error())),
                  "try a lower --learning-rate");
  }
  if (!trainer->finished()) {
    return failed("training stopped",
                  "a stop was asked for after " + count_text(trainer->steps_done()) + " of " +
                      count_text(standard_.steps) + " steps",
                  "it is kept in " + checkpoint_path().string() + "; continue with --resume");
  }
  const auto trained = trainer->snapshot();
  weights::write_weights(output_, trained);
  remember_done("made " + output_.string());
  // The weights are on the disk now, so the checkpoint is not needed any more.
  fs::remove(checkpoint_path());
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  report(context, trained, *last, taken.count());
  return {};
}

}  // namespace

std::unique_ptr<verb> make_model_train() {
  return std::make_unique<model_train>();
}

}  // namespace soma::cli
