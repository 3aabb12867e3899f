// Makes an engine that is ready to score from a model's entry. The weights are fetched from the
// blob store, decrypted, checked against the hash that was revealed, parsed, and kept for the next
// time. Continuations run in the worker's own context.
#pragma once

#include "actors/scorer/scorer_worker.hpp"
#include "messages/values/expected.hpp"

namespace soma::scorer {

using worker_pointer = scorer_worker_actor::stateful_pointer<scorer_worker_state>;
using loaded_models = std::vector<std::shared_ptr<loaded_model>>;  // nullptr: a bad model

/// The result of loading a model. There is a verdict when the model was loaded or is bad. Any other
/// refusal says nothing about the model.
struct loading {
  work_refusal refusal = work_refusal::none;
  std::optional<model_verdict> verdict = model_verdict::good;
  std::string why;
  std::shared_ptr<loaded_model> model;
};

struct load_failure {
  work_refusal refusal;
  std::string why;
};

/// Runs `work` on the background thread and then `then` in the worker; if `work` has thrown, it
/// calls `failed` with the text of the exception.
void in_background(worker_pointer self, const scorer_worker_ports& ports,
                   std::function<void()> work, std::function<void()> then,
                   std::function<void(std::string)> failed);

/// Fetches the weights and makes an engine, even if an equal one is kept. `done` is called once.
void load_afresh(worker_pointer self, const scorer_worker_ports& ports, const model_entry& entry,
                 std::function<void(loading)> done);

/// As load_afresh, but it uses a kept engine of weights with the same hash if there is one.
void load_model(worker_pointer self, const scorer_worker_ports& ports, const model_entry& entry,
                std::function<void(loading)> done);

/// Loads all entries in order; `done` is called once, with as many models as entries. A bad model
/// is a nullptr.
void load_models(worker_pointer self, const scorer_worker_ports& ports,
                 std::shared_ptr<const std::vector<model_entry>> entries,
                 std::function<void(expected<loaded_models, load_failure>)> done);

}  // namespace soma::scorer
