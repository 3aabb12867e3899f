// A worker scores with one engine at a time, on a background thread. It fetches what it lacks
// (weights, data) from the blob store, decrypts, checks the hash that was revealed, and keeps the
// models it used last.
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
  bad_request = 1,        // not what the schema's comments ask for
  data_unavailable = 2,   // the blob store does not have it
  wrong_size = 3,         // the data is not as long as was said
  model_unavailable = 4,  // weights not in the blob store
  bad_model = 5,          // weights are not what was revealed
  busy = 6,               // queues are full: ask again later
  worker_lost = 7,        // every worker that tried it died
  failed = 8,             // the engine could not: out of memory, for one
};
[[nodiscard]] const char* to_text(work_refusal refusal);
/// Not none. The sentence is the refusal's own when `why` is empty.
void fill_refusal(schema::Refusal::Builder out, work_refusal refusal, std::string_view why = {});
/// `none` when nothing was refused. A refusal that is no scorer's is trouble: `failed`.
[[nodiscard]] work_refusal work_refusal_of(schema::Refusal::Reader refusal);

/// A ScoreReport, ModelCheck or PredictReport that says why it holds nothing else.
template <class Reply>
[[nodiscard]] message<Reply> refused(work_refusal refusal, std::string_view why = {}) {
  return message<Reply>::build([&](auto out) { fill_refusal(out.initRefusal(), refusal, why); });
}

/// Makes an engine of weights. Where the exact engine and its twin are chosen.
using engine_factory =
    std::function<std::unique_ptr<scoring::scoring_engine>(const weights::model_weights&)>;
/// Called once for each worker: engines of one factory may share what one thread uses at a time.
using worker_engines = std::function<engine_factory()>;

struct scorer_worker_ports {
  blob_store::blob_store_actor blobs;
  background::background_actor background;  // its own: engines are not shared between threads
  engine_factory make_engine;
  std::uint64_t cache_bytes = 2ull << 30;  // of weights kept ready
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
