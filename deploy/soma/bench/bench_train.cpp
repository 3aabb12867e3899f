// soma bench train: a step of the trainer, with and without its options, compared with the same
// step as ordinary libtorch calls.
#include "deploy/soma/bench/bench.hpp"
#include "deploy/soma/model/model_options.hpp"
#include "deploy/soma/model/reference_library.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/verbs.hpp"
#include "model/noise/noise.hpp"
#include "model/training/trainer.hpp"
#include "model/weights/architectures.hpp"

namespace soma::cli {
namespace {

class bench_train final : public bench_verb {
 public:
  std::string_view name() const override { return "bench train"; }
  std::string_view summary() const override {
    return "how fast the trainer steps, against libtorch under autograd";
  }
  std::string_view example() const override {
    return "soma bench train\n"
           "soma bench train --arch tiny --threads 1 --batch 4";
  }

 private:
  void declare_more(option_set& options) override {
    declare_arch(options);
    options.add("batch", batch_, "number of full windows in a step");
    options.add("no-eager", no_eager_,
                "leave out libtorch; recomputing and bf16 are then compared with the f32 step");
  }
  [[nodiscard]] expected<std::vector<bench_row>, failure> measure() override;

  std::uint32_t batch_ = 16;
  bool no_eager_ = false;
};

template <class Trainer>
std::function<void()> stepping(expected<Trainer, training::train_refusal> started) {
  const auto run = std::make_shared<Trainer>(std::move(*started));
  return [run] { (void)run->step(); };
}

expected<std::vector<bench_row>, failure> bench_train::measure() {
  const auto arch = architecture_of(options_.arch);
  if (!arch) return make_unexpected(arch.error());
  if (batch_ < 1 || batch_ > 4096)
    return wrong_usage("--batch", "it is not between 1 and 4096", "try 16");
  if (auto checked = check_threads(options_.threads); !checked) {
    return make_unexpected(checked.error());
  }
  const auto weights = weights::init_weights(*arch, options_.seed);
  bytes data(std::size_t{64} * arch->max_seq);
  noise::noise_generator random(options_.seed);
  for (auto& byte : data) byte = static_cast<std::uint8_t>(random.below(256));

  training::trainer_options plain;
  plain.steps = 1'000'000;  // more than a benchmark ever runs
  plain.batch = batch_;
  plain.short_share = 0;
  plain.recompute = training::train_recompute::never;
  plain.seed = options_.seed;
  plain.threads = options_.threads;
  auto again = plain;
  again.recompute = training::train_recompute::always;
  auto narrow = plain;
  narrow.precision = training::train_precision::bf16;

  const std::string step =
      "step of " + weights::to_text(*arch) + ", batch " + std::to_string(batch_);
  std::vector<std::string> names{step + ", f32", step + ", recomputing"};
  std::vector<std::function<void()>> rivals{
      stepping(training::trainer::start(weights, {data}, plain)),
      stepping(training::trainer::start(weights, {data}, again))};
  if (auto started = training::trainer::start(weights, {data}, narrow)) {
    names.push_back(step + ", bf16");
    rivals.push_back(stepping(std::move(started)));
  } else {
    note_line("bf16 is left out: " + std::string(to_text(started.error())));
  }
  if (!no_eager_) {
    const auto reference = load_reference(options_.threads);
    if (!reference) return make_unexpected(reference.error());
    rivals.push_back(*(*reference)->eager_steps(weights, {data}, plain));
  }

  const auto medians = race_all(rivals, options_.seconds);
  const double kilobytes = batch_ * static_cast<double>(arch->max_seq) / 1e3;
  std::vector<bench_row> rows;
  for (std::size_t i = no_eager_ ? 1 : 0; i < names.size(); ++i) {
    rows.push_back({names[i], medians[i], no_eager_ ? medians[0] : medians.back(),
                    no_eager_ ? "the f32 step" : "libtorch, eager", "kB", kilobytes});
  }
  return rows;
}

}  // namespace

std::unique_ptr<verb> make_bench_train() {
  return std::make_unique<bench_train>();
}

}  // namespace soma::cli
