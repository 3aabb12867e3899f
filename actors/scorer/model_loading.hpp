// From a model's entry to an engine that is ready to score: fetched from the blob store, decrypted,
// checked against the hash that was revealed, parsed, kept for the next time. Continuations run in
// the worker's own context.
#pragma once

#include "actors/scorer/scorer_worker.hpp"
#include "messages/values/expected.hpp"

namespace soma::scorer {

using worker_pointer = scorer_worker_actor::stateful_pointer<scorer_worker_state>;
using loaded_models = std::vector<std::shared_ptr<loaded_model>>;

/// What became of a model's weights on their way from the blob store to an engine. `failed` is our
/// own trouble and says nothing about the model; `verdict` says what is wrong with it otherwise.
struct loading {
  work_refusal refusal = work_refusal::none;
  model_verdict verdict = model_verdict::good;
  std::string why;
  std::shared_ptr<loaded_model> model;
};

struct load_failure {
  work_refusal refusal;
  std::string why;
};

/// Runs `work` on the background thread, then `then` here; `failed` with a text when it threw.
void in_background(worker_pointer self, const scorer_worker_ports& ports,
                   std::function<void()> work, std::function<void()> then,
                   std::function<void(std::string)> failed);

/// From the blob store to an engine, whether or not an equal one is at hand. `done` is called once.
void load_afresh(worker_pointer self, const scorer_worker_ports& ports, const model_entry& entry,
                 std::function<void(loading)> done);

/// Weights are what their hash says, so an engine that was made of the same hash serves.
void load_model(worker_pointer self, const scorer_worker_ports& ports, const model_entry& entry,
                std::function<void(loading)> done);

/// Loads all entries in order; `done` is called once, with as many models as entries.
void load_models(worker_pointer self, const scorer_worker_ports& ports,
                 std::shared_ptr<const std::vector<model_entry>> entries,
                 std::function<void(expected<loaded_models, load_failure>)> done);

}  // namespace soma::scorer
