#include "model/training/trainer.hpp"

#include <unistd.h>

#include <chrono>
#include <cmath>

#include "messages/values/assert.hpp"
#include "model/training/checkpoint.hpp"
#include "model/training/kernels.hpp"
#include "model/training/pass.hpp"
#include "model/training/plan.hpp"
#include "model/training/team.hpp"

namespace soma::training {
namespace {

/// Consecutive parameters of one tensor, which one job of an update covers.
struct parameter_range {
  std::size_t first, count;
  bool decays;  // only matrices have weight decay
};

std::vector<parameter_range> ranges_of(const model_architecture& arch) {
  constexpr std::size_t most = 32'768;
  std::vector<parameter_range> result;
  std::size_t offset = 0;
  for (const auto& spec : weights::tensor_table(arch)) {
    const std::size_t end = offset + spec.elements();
    for (; offset < end; offset += result.back().count) {
      result.push_back({offset, std::min(most, end - offset), spec.shape.size() == 2});
    }
  }
  return result;
}

bool recomputes(const training_plan& plan) {
  if (plan.options.recompute != train_recompute::automatic) {
    return plan.options.recompute == train_recompute::always;
  }
  const auto memory = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                      static_cast<std::uint64_t>(::sysconf(_SC_PAGE_SIZE));
  const std::uint64_t allowed =
      plan.options.activation_bytes == 0 ? memory / 2 : plan.options.activation_bytes;
  return activation_bytes(plan.architecture, plan.max_positions()) > allowed;
}

const matmul_kernels& products_of(train_precision precision) {
  return precision == train_precision::bf16 ? *bf16_products() : kernels().products;
}

}  // namespace

struct trainer::state {
  training_plan plan;
  checkpoint now;
  std::vector<float> gradients;  // in the order of the parameters
  std::vector<parameter_range> ranges;
  team workers;
  training_pass pass;
  progress_meter meter;

  state(training_plan from, checkpoint at)
      : plan(std::move(from)),
        now(std::move(at)),
        gradients(now.parameters.size()),
        ranges(ranges_of(now.architecture)),
        workers(plan.options.threads),
        pass(now.architecture, plan.max_positions(), products_of(plan.options.precision),
             recomputes(plan), workers) {}

  void update(double learning_rate, double scale);
  [[nodiscard]] double gradient_norm();
  expected<train_progress, train_refusal> step();
};

double trainer::state::gradient_norm() {
  std::vector<double> squares(ranges.size());
  workers.run(ranges.size(), [&](std::size_t i, std::size_t) {
    squares[i] = kernels().sum_of_squares(gradients.data() + ranges[i].first, ranges[i].count);
  });
  double sum = 0;
  for (const double part : squares) sum += part;
  return std::sqrt(sum);
}

/// One AdamW update; gradients are multiplied by `scale` first.
void trainer::state::update(double learning_rate, double scale) {
  const auto count = static_cast<double>(now.step + 1);
  const adamw_scalars scalars{
      static_cast<float>(learning_rate / (1 - std::pow(adamw_beta_1, count))),
      static_cast<float>(1 / (1 - std::pow(adamw_beta_2, count))), 1.0f, static_cast<float>(scale)};
  workers.run(ranges.size(), [&](std::size_t i, std::size_t) {
    const parameter_range& range = ranges[i];
    adamw_scalars own = scalars;
    if (range.decays)
      own.weight_decay_keep -= static_cast<float>(learning_rate) * plan.options.weight_decay;
    kernels().adamw(now.parameters.data() + range.first, now.first_moments.data() + range.first,
                    now.second_moments.data() + range.first, gradients.data() + range.first,
                    range.count, own);
  });
}

expected<train_progress, train_refusal> trainer::state::step() {
  // The time is only reported; no decision depends on it.
  const auto began = std::chrono::steady_clock::now();
  const step_input input = plan.draw(now.step);
  SOMA_ASSERT(gradients.size() == now.parameters.size(), "there is a gradient for each parameter");
  const step_loss loss = pass.forward(now.parameters.data(), input);
  if (!std::isfinite(static_cast<float>(loss.total))) {
    return make_unexpected(train_refusal::diverged);
  }
  pass.backward(now.parameters.data(), input, gradients.data());
  const double norm = gradient_norm();
  if (!std::isfinite(norm)) return make_unexpected(train_refusal::diverged);
  const double clip = plan.options.gradient_clip;
  update(plan.learning_rate_at(now.step), norm > clip ? clip / norm : 1.0);
  ++now.step;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  return meter.record(now.step, plan, input, loss.total, loss.cross_entropy, took.count());
}

trainer::trainer(std::unique_ptr<state> inside) : state_(std::move(inside)) {}
trainer::trainer(trainer&&) noexcept = default;
trainer& trainer::operator=(trainer&&) noexcept = default;
trainer::~trainer() = default;

expected<trainer, train_refusal> trainer::start(const weights::model_weights& from,
                                                std::vector<bytes> data, trainer_options options) {
  auto plan = make_plan(std::move(data), std::move(options));
  if (!plan) return make_unexpected(plan.error());
  plan->architecture = from.architecture();
  checkpoint begin{plan->fingerprint(), from.architecture(), 0, {}, {}, {}};
  for (const auto& spec : weights::tensor_table(from.architecture())) {
    const auto values = from.tensor(spec.name);
    begin.parameters.insert(begin.parameters.end(), values.begin(), values.end());
  }
  begin.first_moments.assign(begin.parameters.size(), 0.0f);
  begin.second_moments = begin.first_moments;
  return trainer(std::make_unique<state>(std::move(*plan), std::move(begin)));
}

expected<trainer, train_refusal> trainer::resume(const std::filesystem::path& from,
                                                 std::vector<bytes> data, trainer_options options) {
  auto plan = make_plan(std::move(data), std::move(options));
  if (!plan) return make_unexpected(plan.error());
  auto found = read_checkpoint(from);
  if (!found) return make_unexpected(train_refusal::checkpoint_unreadable);
  if (found->fingerprint != plan->fingerprint()) {
    return make_unexpected(train_refusal::checkpoint_of_another_run);
  }
  plan->architecture = found->architecture;
  return trainer(std::make_unique<state>(std::move(*plan), std::move(*found)));
}

std::uint64_t trainer::steps_done() const {
  return state_->now.step;
}
bool trainer::finished() const {
  return state_->now.step >= state_->plan.options.steps;
}

expected<train_progress, train_refusal> trainer::step() {
  SOMA_ASSERT(!finished(), "a finished run has no next step");
  return state_->step();
}

expected<train_progress, train_refusal> trainer::run(const std::stop_token& stop) {
  const auto& options = state_->plan.options;
  train_progress last{state_->now.step, options.steps, 0, 0, 0};
  while (!finished() && !stop.stop_requested()) {
    const auto progress = step();
    if (!progress) return progress;
    last = *progress;
    if (options.on_progress) options.on_progress(last);
    if (!options.checkpoint.empty() && options.checkpoint_every > 0 &&
        last.step % options.checkpoint_every == 0) {
      save(options.checkpoint);
    }
  }
  if (!options.checkpoint.empty()) save(options.checkpoint);
  return last;
}

weights::model_weights trainer::snapshot() const {
  return weights::make_weights(state_->now.architecture, state_->now.parameters);
}

void trainer::save(const std::filesystem::path& path) const {
  write_checkpoint(path, state_->now);
}

std::string_view to_text(train_refusal refusal) {
  switch (refusal) {
    case train_refusal::no_data:
      return "there is no data to train on";
    case train_refusal::bad_options:
      return "the training options make no sense: a count is zero or a rate out of range";
    case train_refusal::checkpoint_unreadable:
      return "the checkpoint is missing, damaged or of another version";
    case train_refusal::checkpoint_of_another_run:
      return "the checkpoint belongs to other data or other options";
    case train_refusal::diverged:
      return "training diverged: the loss is not a number; use a lower learning rate";
    case train_refusal::precision_unsupported:
      return "this processor cannot multiply bfloat16: train in f32";
  }
  return "unknown";
}

}  // namespace soma::training
