#include "model/reference/eager_trainer.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <chrono>
#include <cmath>
#include <map>
#include <numeric>

#include "messages/values/assert.hpp"
#include "model/reference/boundary.hpp"
#include "model/reference/network.hpp"
#include "model/reference/threads.hpp"
#include "model/tokens/tokens.hpp"
#include "model/training/plan.hpp"

namespace soma::reference {

using at::Tensor;

namespace {

struct trained_tensor {
  Tensor value, first_moment, second_moment;
};

Tensor integers(const std::vector<std::int64_t>& values) {
  return at::from_blob(const_cast<std::int64_t*>(values.data()),
                       {static_cast<std::int64_t>(values.size())}, at::kLong)
      .clone();
}

}  // namespace

struct eager_trainer::state {
  training::training_plan plan;
  std::uint64_t done = 0;
  std::vector<trained_tensor> tensors;  // in the order of tensor_table
  network net;
  training::progress_meter meter;

  state(training::training_plan from, const weights::model_weights& model);
  [[nodiscard]] Tensor cross_entropy(const Tensor& y, const training::step_input& input) const;
  void update(double learning_rate, double scale);
  expected<training::train_progress, training::train_refusal> step();
};

eager_trainer::state::state(training::training_plan from, const weights::model_weights& model)
    : plan(std::move(from)) {
  std::map<std::string, Tensor> named;
  for (const auto& spec : weights::tensor_table(plan.architecture)) {
    const std::vector<std::int64_t> shape(spec.shape.begin(), spec.shape.end());
    const auto values = model.tensor(spec.name);
    Tensor leaf = at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat).clone();
    leaf.requires_grad_(true);
    named.emplace(spec.name, leaf);
    tensors.push_back({leaf, at::zeros(shape, at::kFloat), at::zeros(shape, at::kFloat)});
  }
  net = make_network(plan.architecture.layers, plan.architecture.heads,
                     [&](const std::string& name) { return named.at(name); });
}

Tensor eager_trainer::state::cross_entropy(const Tensor& y,
                                           const training::step_input& input) const {
  const Tensor log_p = at::log_softmax(linear(y, net.predictor), -1);
  return at::nll_loss(log_p.view({-1, log_p.size(-1)}), integers(input.targets), {},
                      at::Reduction::Mean, tokens::pad_token);
}

void eager_trainer::state::update(double learning_rate, double scale) {
  const at::NoGradGuard no_grad;
  const auto count = static_cast<double>(done + 1);
  const double step_size = learning_rate / (1 - std::pow(training::adamw_beta_1, count));
  const double v_correction = std::sqrt(1 - std::pow(training::adamw_beta_2, count));
  for (auto& t : tensors) {
    const Tensor gradient = t.value.grad() * scale;
    t.first_moment.mul_(training::adamw_beta_1).add_(gradient, 1 - training::adamw_beta_1);
    t.second_moment.mul_(training::adamw_beta_2)
        .addcmul_(gradient, gradient, 1 - training::adamw_beta_2);
    if (t.value.dim() == 2) t.value.mul_(1 - learning_rate * plan.options.weight_decay);
    const Tensor denominator =
        t.second_moment.sqrt().div_(v_correction).add_(training::adamw_epsilon);
    t.value.addcdiv_(t.first_moment, denominator, -step_size);
  }
}

expected<training::train_progress, training::train_refusal> eager_trainer::state::step() {
  const auto began = std::chrono::steady_clock::now();
  const training::step_input input = plan.draw(done);
  std::vector<std::uint32_t> positions(static_cast<std::size_t>(input.length));
  std::iota(positions.begin(), positions.end(), 0u);
  const auto head_dim = static_cast<std::int64_t>(plan.architecture.dim / plan.architecture.heads);

  for (auto& t : tensors) t.value.mutable_grad() = Tensor();
  const at::AutoGradMode recording(true);
  const Tensor y = represent(integers(input.ids).view({input.sequences, input.length}), net,
                             make_rotary(positions, 1, head_dim), causal_mask(input.length));
  const Tensor mean_cross_entropy = cross_entropy(y, input);
  Tensor loss = mean_cross_entropy;
  if (!input.sigreg_positions.empty()) {
    const Tensor noise = at::from_blob(const_cast<float*>(input.sigreg_noise.data()),
                                       {plan.architecture.dim, sigreg_slices}, at::kFloat);
    const Tensor chosen =
        y.view({-1, y.size(-1)}).index_select(0, integers(input.sigreg_positions));
    loss = loss + sigreg_mean(chosen, directions(noise)) * sigreg_coefficient;
  }
  const auto value = loss.item<double>();
  if (!std::isfinite(value)) return make_unexpected(training::train_refusal::diverged);
  loss.backward();
  double squares = 0;
  for (const auto& t : tensors) squares += std::pow(t.value.grad().norm().item<double>(), 2);
  const double norm = std::sqrt(squares);
  if (!std::isfinite(norm)) return make_unexpected(training::train_refusal::diverged);
  const double clip = plan.options.gradient_clip;
  update(plan.learning_rate_at(done), norm > clip ? clip / norm : 1.0);
  ++done;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  return meter.record(done, plan, input, value, mean_cross_entropy.item<double>(), took.count());
}

eager_trainer::eager_trainer(std::unique_ptr<state> inside) : state_(std::move(inside)) {}
eager_trainer::eager_trainer(eager_trainer&&) noexcept = default;
eager_trainer& eager_trainer::operator=(eager_trainer&&) noexcept = default;
eager_trainer::~eager_trainer() = default;

expected<eager_trainer, training::train_refusal> eager_trainer::start(
    const weights::model_weights& from, std::vector<bytes> data,
    training::trainer_options options) {
  auto plan = training::make_plan(std::move(data), std::move(options));
  if (!plan) return make_unexpected(plan.error());
  return at_boundary([&] {
    configure_threads_by_default();
    plan->architecture = from.architecture();
    return eager_trainer(std::make_unique<state>(std::move(*plan), from));
  });
}

expected<training::train_progress, training::train_refusal> eager_trainer::step() {
  SOMA_ASSERT(state_->done < state_->plan.options.steps, "a finished run has no next step");
  return at_boundary([&] { return state_->step(); });
}

std::vector<float> eager_trainer::last_gradient() const {
  return at_boundary([&] {
    std::vector<float> all;
    for (const auto& t : state_->tensors) {
      const Tensor part = t.value.grad().contiguous();
      all.insert(all.end(), part.data_ptr<float>(), part.data_ptr<float>() + part.numel());
    }
    return all;
  });
}

}  // namespace soma::reference
