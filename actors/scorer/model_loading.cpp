#include "actors/scorer/model_loading.hpp"

#include <algorithm>

#include "actors/blob_store/transfer.hpp"
#include "actors/interface/describe_error.hpp"
#include "messages/crypto/aes_ctr.hpp"
#include "messages/crypto/hash.hpp"

namespace soma::scorer {
namespace {

loading bad_model(model_verdict verdict, std::string why) {
  SOMA_ASSERT(verdict != model_verdict::good, "a bad model has a fault");
  return {work_refusal::bad_model, verdict, std::move(why), nullptr};
}

/// The check was not made, which says nothing about the model.
loading not_checked(work_refusal refusal, std::string why) {
  return {refusal, std::nullopt, std::move(why), nullptr};
}

/// What is wrong with a file that cannot be read as weights.
model_verdict fault_of(weights::weights_refusal refusal) {
  return refusal == weights::weights_refusal::value_not_finite ? model_verdict::not_finite
                                                               : model_verdict::malformed;
}

loading load(const model_entry& entry, bytes encrypted, const engine_factory& make_engine) {
  crypto::aes_ctr(entry.key, entry.manifest.iv).apply(0, encrypted);
  if (crypto::hash("soma.weights", encrypted) != entry.weights.as<hash_tag>()) {
    return bad_model(model_verdict::wrong_hash, "the decrypted weights have another hash");
  }
  const auto size_bytes = encrypted.size();
  auto parsed = weights::parse_weights(std::move(encrypted));
  if (!parsed)
    return bad_model(fault_of(parsed.error()), std::string(weights::to_text(parsed.error())));
  if (parsed->architecture().dim != entry.embedding.size()) {
    return bad_model(model_verdict::wrong_architecture, "the weights are of another architecture");
  }
  auto loaded = std::make_shared<loaded_model>();
  loaded->architecture = parsed->architecture();
  // The weights as they came, and once more in the layout of the engine.
  loaded->size_bytes = 2 * size_bytes;
  loaded->engine = make_engine(*parsed);
  return {work_refusal::none, model_verdict::good, {}, std::move(loaded)};
}

void remember(scorer_worker_state& state, const weights_hash& weights,
              std::shared_ptr<loaded_model> model, std::uint64_t limit_bytes) {
  if (const auto known = state.models.find(weights); known != state.models.end()) {
    state.cached_bytes -= known->second->size_bytes;
    state.recently_used.remove(weights);
  }
  SOMA_ASSERT(model && model->engine, "only a model that can score is kept");
  state.cached_bytes += model->size_bytes;
  state.models[weights] = std::move(model);
  state.recently_used.push_front(weights);
  while (state.cached_bytes > limit_bytes && state.recently_used.size() > 1) {
    const auto oldest = state.models.find(state.recently_used.back());
    state.cached_bytes -= oldest->second->size_bytes;
    state.models.erase(oldest);
    state.recently_used.pop_back();
  }
  SOMA_ASSERT(state.models.size() == state.recently_used.size(), "each kept model has its turn");
}

std::shared_ptr<loaded_model> recall(scorer_worker_state& state, const weights_hash& weights) {
  const auto found = state.models.find(weights);
  if (found == state.models.end()) return nullptr;
  auto& order = state.recently_used;
  order.splice(order.begin(), order, std::find(order.begin(), order.end(), weights));
  return found->second;
}

}  // namespace

void in_background(worker_pointer self, const scorer_worker_ports& ports,
                   std::function<void()> work, std::function<void()> then,
                   std::function<void(std::string)> failed) {
  self->request(ports.background, caf::infinite, background::make_job(std::move(work)))
      .then([then = std::move(then)](const message<schema::Ack>&) { then(); },
            [failed = std::move(failed)](caf::error& why) { failed(describe_error(why)); });
}

void load_afresh(worker_pointer self, const scorer_worker_ports& ports, const model_entry& entry,
                 std::function<void(loading)> done) {
  if (entry.manifest.size_bytes > max_weights_bytes) {
    return done(not_checked(work_refusal::failed, "the weights are too large for this worker"));
  }
  blob_store::fetch_blob(
      self, ports.blobs, entry.manifest.root, entry.manifest.size_bytes,
      [=](expected<bytes, blob_store::transfer_refusal> encrypted) {
        if (!encrypted && encrypted.error() == blob_store::transfer_refusal::store_failed) {
          return done(not_checked(work_refusal::failed, "the blob store is gone"));
        }
        if (!encrypted) {
          return done(
              not_checked(work_refusal::model_unavailable, "the weights cannot be fetched"));
        }
        auto result = std::make_shared<loading>();
        auto raw = std::make_shared<bytes>(std::move(*encrypted));
        in_background(
            self, ports, [=] { *result = load(entry, std::move(*raw), ports.make_engine); },
            [=] {
              if (result->model) {
                remember(self->state, entry.weights, result->model, ports.cache_bytes);
              }
              done(*result);
            },
            [=](std::string why) { done(not_checked(work_refusal::failed, std::move(why))); });
      });
}

void load_model(worker_pointer self, const scorer_worker_ports& ports, const model_entry& entry,
                std::function<void(loading)> done) {
  if (auto known = recall(self->state, entry.weights)) {
    return done({work_refusal::none, model_verdict::good, {}, std::move(known)});
  }
  load_afresh(self, ports, entry, std::move(done));
}

namespace {

void load_next(worker_pointer self, const scorer_worker_ports& ports,
               std::shared_ptr<const std::vector<model_entry>> entries,
               std::shared_ptr<loaded_models> loaded,
               std::function<void(expected<loaded_models, load_failure>)> done) {
  if (loaded->size() == entries->size()) return done(std::move(*loaded));
  load_model(self, ports, (*entries)[loaded->size()], [=](loading result) {
    // A bad model takes part and loses: its place stays empty.
    if (!result.model && result.refusal != work_refusal::bad_model)
      return done(make_unexpected(load_failure{result.refusal, result.why}));
    loaded->push_back(result.model);
    load_next(self, ports, entries, loaded, done);
  });
}

}  // namespace

void load_models(worker_pointer self, const scorer_worker_ports& ports,
                 std::shared_ptr<const std::vector<model_entry>> entries,
                 std::function<void(expected<loaded_models, load_failure>)> done) {
  load_next(self, ports, std::move(entries), std::make_shared<loaded_models>(), std::move(done));
}

}  // namespace soma::scorer
