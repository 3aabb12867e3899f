#include "deploy/soma/model/specialist.hpp"

#include <algorithm>
#include <stdexcept>

#include "deploy/soma/model/kept_specialists.hpp"
#include "deploy/soma/shell/stop.hpp"
#include "model/scoring/exact_engine.hpp"
#include "model/training/trainer.hpp"

namespace soma::cli {
namespace {

constexpr std::size_t pieces = 8;
constexpr std::size_t piece_bytes = 2'048;
constexpr std::uint64_t checkpoint_steps = 250;

}  // namespace

std::vector<float> speciality_of(const weights::model_weights& trained,
                                 const std::vector<bytes>& data) {
  const auto engine = scoring::exact_engines()(trained);
  std::vector<double> sum(trained.architecture().dim, 0);
  std::size_t taken = 0;
  // The pieces come from the middle of files that are spread evenly over all files.
  for (std::size_t i = 0; i < pieces && !data.empty(); ++i) {
    const auto& file = data[i * data.size() / pieces];
    const auto size = std::min(file.size(), piece_bytes);
    const auto score = engine->run(byte_view(file).subspan((file.size() - size) / 2, size), 0);
    if (!score || !score->valid) continue;
    for (std::size_t d = 0; d < sum.size(); ++d) sum[d] += score->embedding[d];
    ++taken;
  }
  if (taken == 0) throw std::runtime_error("no piece of the data could be embedded");
  std::vector<float> mean;
  for (const auto value : sum)
    mean.push_back(static_cast<float>(value / static_cast<double>(taken)));
  return mean;
}

namespace {

/// Begins the training, or goes on with the one that was stopped. A checkpoint that cannot be used,
/// such as a damaged one, is worth no more than that work: it is replaced.
training::trainer begin_training(const weights::model_weights& start,
                                 const std::vector<bytes>& data,
                                 const training::trainer_options& options) {
  std::error_code ignored;
  if (!options.checkpoint.empty() && std::filesystem::exists(options.checkpoint, ignored)) {
    if (auto resumed = training::trainer::resume(options.checkpoint, data, options)) {
      return std::move(*resumed);
    }
  }
  auto begun = training::trainer::start(start, data, options);
  if (!begun) throw std::runtime_error(std::string(training::to_text(begun.error())));
  return std::move(*begun);
}

}  // namespace

trainer::trained_model train_specialist(const specialist_plan& plan, const std::vector<bytes>& data,
                                        std::uint64_t seed) {
  training::trainer_options options;
  options.steps = plan.steps;
  options.batch = plan.batch;
  options.seed = seed;
  const auto start = weights::init_weights(plan.architecture, seed);
  const bool is_kept = !plan.kept_in.empty();
  const kept_specialists kept(plan.kept_in);
  const auto key = is_kept ? training_key(start, data, options) : std::string();
  if (is_kept && !plan.trains_anew) {
    if (const auto found = kept.find(key)) {
      if (plan.on_kept) plan.on_kept();
      return {found->file_bytes(), speciality_of(*found, data)};
    }
    options.checkpoint = kept.checkpoint(key);
    options.checkpoint_every = checkpoint_steps;
  }
  std::stop_source stop;
  options.on_progress = [&](const training::train_progress& done) {
    if (plan.on_step) plan.on_step(done.step, done.bits_per_byte, done.bytes_per_second);
    if (stop_requested()) stop.request_stop();
  };
  auto trainer = begin_training(start, data, options);
  const auto last = trainer.run(stop.get_token());
  if (!last) throw std::runtime_error(std::string(training::to_text(last.error())));
  if (!trainer.finished()) throw std::runtime_error("stopped while training");
  const auto trained = trainer.snapshot();
  if (is_kept) kept.keep(key, trained);
  return {trained.file_bytes(), speciality_of(trained, data)};
}

}  // namespace soma::cli
