// A worker scores with one engine at a time, on a background thread. It fetches the weights and
// data that it lacks from the blob store, decrypts them, checks the hash that was revealed, and
// keeps the models that it used last.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>

#include "actors/background/background_actor.hpp"
#include "actors/blob_store/blob_store_actor.hpp"
#include "actors/scorer/scorer_actor.hpp"
#include "messages/codec/model_entry.hpp"
#include "model/scoring/engine.hpp"

namespace soma::scorer {

/// Why work was not done, in the order of schema::ScorerRefusal.
enum class work_refusal : std::uint16_t {
  none = 0,
  bad_request = 1,        // the request is not as the schema's comments say
  data_unavailable = 2,   // the blob store does not have the data
  wrong_size = 3,         // the data does not have the expected size
  model_unavailable = 4,  // the blob store does not have the weights
  bad_model = 5,          // the weights are not those that were revealed
  busy = 6,               // the queue is full; the same request may succeed later
  worker_lost = 7,        // every worker that tried it died
  failed = 8,             // the engine failed, for example for want of memory
};
[[nodiscard]] const char* to_text(work_refusal refusal);
/// Writes a refusal, which is not `none`. An empty `why` stands for the refusal's own sentence.
void fill_refusal(schema::Refusal::Builder out, work_refusal refusal, std::string_view why = {});
/// The refusal in a reply: `none` when nothing was refused, `failed` for one that is no scorer's.
[[nodiscard]] work_refusal work_refusal_of(schema::Refusal::Reader refusal);

/// A ScoreReport, ModelCheck or PredictReport that holds only this refusal.
template <class Reply>
[[nodiscard]] message<Reply> refused(work_refusal refusal, std::string_view why = {}) {
  return message<Reply>::build([&](auto out) { fill_refusal(out.initRefusal(), refusal, why); });
}

/// Makes an engine of weights. The factory decides between the exact engine and the reference.
using engine_factory =
    std::function<std::unique_ptr<scoring::scoring_engine>(const weights::model_weights&)>;
/// Makes the factory of one worker. Engines of one factory are used by one thread and may share its
/// buffers.
using worker_engines = std::function<engine_factory()>;

struct scorer_worker_ports {
  blob_store::blob_store_actor blobs;
  background::background_actor background;  // one a worker: threads do not share engines
  engine_factory make_engine;
  std::uint64_t cache_bytes = 2ull << 30;  // the most memory for models that are kept
};

inline constexpr unsigned max_models_per_request = 16;
inline constexpr std::uint64_t max_weights_bytes = 64ull << 30;
inline constexpr unsigned max_worker_window = 8;

struct loaded_model {
  std::unique_ptr<scoring::scoring_engine> engine;
  model_architecture architecture;
  std::uint64_t size_bytes = 0;  // of memory
};

struct scorer_worker_state {
  std::map<weights_hash, std::shared_ptr<loaded_model>> models;
  std::list<weights_hash> recently_used;  // newest first
  std::uint64_t cached_bytes = 0;
  unsigned in_flight = 0;
};

scorer_worker_actor::behavior_type scorer_worker(
    scorer_worker_actor::stateful_pointer<scorer_worker_state> self, scorer_worker_ports ports);

}  // namespace soma::scorer
