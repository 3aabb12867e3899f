// soma bench train: a step of the trainer, with and without its options, compared with the same
// step as ordinary libtorch calls; and the matrix products of a step, compared with OpenBLAS.
#include <algorithm>
#include <limits>

#include "deploy/soma/bench/bench.hpp"
#include "deploy/soma/model/model_options.hpp"
#include "deploy/soma/model/reference_library.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/verbs.hpp"
#include "model/noise/noise.hpp"
#include "model/training/kernels.hpp"
#include "model/training/team.hpp"
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
           "soma bench train --isa all --threads 1\n"
           "soma bench train --arch tiny --threads 1 --batch 4";
  }

 private:
  void declare_more(option_set& options) override {
    declare_arch(options);
    declare_isa(options);
    options.add("batch", batch_, "number of full windows in a step");
    options.add("no-eager", no_eager_,
                "leave out libtorch; recomputing and bf16 are then compared with the f32 step");
  }
  [[nodiscard]] expected<std::vector<bench_row>, failure> measure() override;

  std::uint32_t batch_ = 16;
  bool no_eager_ = false;
};

/// The products of all layers of a step, those of attention apart: for each weight one product
/// forward, one for the gradient of its input, and one for its own gradient.
class step_products {
 public:
  step_products(const model_architecture& arch, std::size_t positions, std::uint32_t threads)
      : positions_(positions), layers_(arch.layers), workers_(threads) {
    shapes_ = {{arch.dim, arch.dim, 4}, {arch.dim, arch.ffn, 1}, {arch.ffn, arch.dim, 1}};
    const std::size_t widest = std::max(arch.dim, arch.ffn);
    input_.assign(positions * widest, 0.5f);
    output_.assign(positions * widest, 0.5f);
    weight_.assign(std::size_t{arch.dim} * widest, 0.25f);
    const auto& by = training::kernels().products;
    packed_.resize(std::max(by.packed_size(arch.dim, widest), by.packed_size(widest, arch.dim)));
    scratch_.resize(threads,
                    std::vector<float>(std::max(by.matmul_scratch(rows), by.transposed_scratch)));
  }

  /// The seconds of all products, each taken once and counted as often as a step has it.
  [[nodiscard]] double seconds() {
    double sum = 0;
    for (const shape& s : shapes_) {
      const auto both = [&] {
        forward(s.in, s.out);
        forward(s.out, s.in);
        weight_gradient(s.in, s.out);
      };
      sum += s.times * static_cast<double>(layers_) * seconds_of(both);
    }
    return sum;
  }
  [[nodiscard]] double peer_seconds(const reference_library& reference) const {
    double sum = 0;
    for (const shape& s : shapes_) {
      sum += s.times * static_cast<double>(layers_) *
             (reference.sgemm_seconds(positions_, s.out, s.in, 1) +
              reference.sgemm_seconds(positions_, s.in, s.out, 1) +
              reference.sgemm_seconds(s.in, s.out, positions_, 1));
    }
    return sum;
  }
  [[nodiscard]] double gigaflop() const {
    double sum = 0;
    for (const shape& s : shapes_) sum += 6e-9 * s.times * static_cast<double>(s.in * s.out);
    return sum * static_cast<double>(layers_ * positions_);
  }

 private:
  struct shape {
    std::size_t in, out;
    double times;
  };
  static constexpr std::size_t rows = 48;  // a job's rows: whole tiles of every set

  void forward(std::size_t in, std::size_t out) {
    const auto& by = training::kernels().products;
    by.pack(weight_.data(), out, 1, in, out, packed_.data());
    workers_.run((positions_ + rows - 1) / rows, [&](std::size_t job, std::size_t worker) {
      const std::size_t first = job * rows;
      by.matmul(input_.data() + first * in, in, packed_.data(), std::min(rows, positions_ - first),
                in, out, output_.data() + first * out, out, false, nullptr,
                scratch_[worker].data());
    });
  }
  void weight_gradient(std::size_t in, std::size_t out) {
    constexpr std::size_t most = training::transposed_limit;
    const std::size_t across = (out + most - 1) / most;
    workers_.run((in + most - 1) / most * across, [&](std::size_t job, std::size_t worker) {
      const std::size_t i = job / across * most;
      const std::size_t j = job % across * most;
      training::kernels().products.matmul_transposed(
          input_.data() + i, in, output_.data() + j, out, positions_, std::min(most, in - i),
          std::min(most, out - j), weight_.data() + i * out + j, out, scratch_[worker].data());
    });
  }

  std::size_t positions_, layers_;
  training::team workers_;
  std::vector<shape> shapes_;
  std::vector<float> input_, output_, weight_, packed_;
  std::vector<std::vector<float>> scratch_;
};

/// The best time of each side.
bench_row race_products(const model_architecture& arch, std::size_t positions,
                        const bench_options& options, const reference_library& reference) {
  step_products products(arch, positions, options.threads);
  double ours = std::numeric_limits<double>::infinity();
  double peer = ours;
  (void)race([&] { ours = std::min(ours, products.seconds()); },
             [&] { peer = std::min(peer, products.peer_seconds(reference)); },
             options.seconds * 0.2);
  return {"products of that step", ours, peer, "OpenBLAS sgemm", "GFLOP", products.gigaflop()};
}

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
  auto alone = plain;
  alone.threads = 1;
  std::size_t one_thread = 0;
  if (options_.threads > 1) {
    one_thread = rivals.size();
    rivals.push_back(stepping(training::trainer::start(weights, {data}, alone)));
  }
  const reference_library* reference = nullptr;
  if (!no_eager_) {
    const auto loaded = load_reference(options_.threads);
    if (!loaded) return make_unexpected(loaded.error());
    reference = *loaded;
    rivals.push_back(*reference->eager_steps(weights, {data}, plain));
  }

  const auto medians = race_all(rivals, options_.seconds * (no_eager_ ? 1.0 : 0.8));
  const double kilobytes = batch_ * static_cast<double>(arch->max_seq) / 1e3;
  std::vector<bench_row> rows;
  for (std::size_t i = no_eager_ ? 1 : 0; i < names.size(); ++i) {
    rows.push_back({names[i], medians[i], no_eager_ ? medians[0] : medians.back(),
                    no_eager_ ? "the f32 step" : "libtorch, eager", "kB", kilobytes});
  }
  if (one_thread > 0) {
    rows.push_back({names[0] + ", " + std::to_string(options_.threads) + " threads", medians[0],
                    medians[one_thread], "one thread", "kB", kilobytes});
  }
  if (reference != nullptr) {
    const std::size_t positions = std::size_t{batch_} * arch->max_seq;
    rows.push_back(race_products(*arch, positions, options_, *reference));
  }
  return rows;
}

}  // namespace

std::unique_ptr<verb> make_bench_train() {
  return std::make_unique<bench_train>();
}

}  // namespace soma::cli
