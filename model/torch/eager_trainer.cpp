#include "model/torch/eager_trainer.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <chrono>
#include <cmath>
#include <map>
#include <numeric>

#include "messages/types/assert.hpp"
#include "model/tokens/tokens.hpp"
#include "model/torch/boundary.hpp"
#include "model/torch/network.hpp"
#include "model/torch/threads.hpp"
#include "model/torch/training_plan.hpp"

namespace soma::model {

using at::Tensor;
using namespace twin;

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
  training_plan plan;
  std::uint64_t done = 0;
  std::vector<trained_tensor> tensors;  // in the order of tensor_table
  network net;
  progress_meter meter;

  state(training_plan from, const weights& model);
  [[nodiscard]] Tensor cross_entropy(const Tensor& y, const step_input& input) const;
  void update(double rate, double scale);
  expected<train_progress, train_refusal> step();
};

eager_trainer::state::state(training_plan from, const weights& model) : plan(std::move(from)) {
  std::map<std::string, Tensor> named;
  for (const auto& spec : tensor_table(plan.architecture)) {
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

Tensor eager_trainer::state::cross_entropy(const Tensor& y, const step_input& input) const {
  const Tensor log_p = at::log_softmax(linear(y, net.predictor), -1);
  return at::nll_loss(log_p.view({-1, log_p.size(-1)}), integers(input.targets), {},
                      at::Reduction::Mean, pad_token);
}

void eager_trainer::state::update(double rate, double scale) {
  const at::NoGradGuard quiet;
  const auto count = static_cast<double>(done + 1);
  const double size = rate / (1 - std::pow(adamw_beta_1, count));
  const double correction = std::sqrt(1 - std::pow(adamw_beta_2, count));
  for (auto& t : tensors) {
    const Tensor slope = t.value.grad() * scale;
    t.first_moment.mul_(adamw_beta_1).add_(slope, 1 - adamw_beta_1);
    t.second_moment.mul_(adamw_beta_2).addcmul_(slope, slope, 1 - adamw_beta_2);
    if (t.value.dim() == 2) t.value.mul_(1 - rate * plan.options.weight_decay);
    const Tensor below = t.second_moment.sqrt().div_(correction).add_(adamw_epsilon);
    t.value.addcdiv_(t.first_moment, below, -size);
  }
}

expected<train_progress, train_refusal> eager_trainer::state::step() {
  const auto began = std::chrono::steady_clock::now();
  const step_input input = plan.draw(done);
  std::vector<std::uint32_t> positions(static_cast<std::size_t>(input.slots));
  std::iota(positions.begin(), positions.end(), 0u);
  const auto width = static_cast<std::int64_t>(plan.architecture.dim / plan.architecture.heads);

  for (auto& t : tensors) t.value.mutable_grad() = Tensor();
  const at::AutoGradMode recording(true);
  const Tensor y = represent(integers(input.ids).view({input.rows, input.slots}), net,
                             make_rotary(positions, 1, width), causal_mask(input.slots));
  const Tensor likely = cross_entropy(y, input);
  Tensor loss = likely;
  if (!input.sigreg_rows.empty()) {
    const Tensor noise = at::from_blob(const_cast<float*>(input.sigreg_noise.data()),
                                       {plan.architecture.dim, sigreg_slices}, at::kFloat);
    const Tensor chosen = y.view({-1, y.size(-1)}).index_select(0, integers(input.sigreg_rows));
    loss = loss + sigreg_mean(chosen, directions(noise)) * sigreg_coefficient;
  }
  const auto value = loss.item<double>();
  if (!std::isfinite(value)) return make_unexpected(train_refusal::diverged);
  loss.backward();
  double squares = 0;
  for (const auto& t : tensors) squares += std::pow(t.value.grad().norm().item<double>(), 2);
  const double norm = std::sqrt(squares);
  if (!std::isfinite(norm)) return make_unexpected(train_refusal::diverged);
  const double clip = plan.options.gradient_clip;
  update(plan.rate_at(done), norm > clip ? clip / norm : 1.0);
  ++done;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  return meter.record(done, plan, input, value, likely.item<double>(), took.count());
}

eager_trainer::eager_trainer(std::unique_ptr<state> inside) : state_(std::move(inside)) {}
eager_trainer::eager_trainer(eager_trainer&&) noexcept = default;
eager_trainer& eager_trainer::operator=(eager_trainer&&) noexcept = default;
eager_trainer::~eager_trainer() = default;

expected<eager_trainer, train_refusal> eager_trainer::start(const weights& from,
                                                            std::vector<bytes> data,
                                                            trainer_options options) {
  auto plan = make_plan(std::move(data), std::move(options));
  if (!plan) return make_unexpected(plan.error());
  return at_boundary([&] {
    configure_threads_by_default();
    plan->architecture = from.architecture();
    return eager_trainer(std::make_unique<state>(std::move(*plan), from));
  });
}

expected<train_progress, train_refusal> eager_trainer::step() {
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

}  // namespace soma::model
