// Answers questions with all models of the network as one model. For a text it gets the text's
// embedding by each model from the scorer, the k nearest models (the experts) from the router, and
// each expert's next-byte distributions from the scorer. It mixes them by Bayes (model/mixture):
// an expert's weight is a prior from the router's distance times its likelihood on the text so far.
#pragma once

#include <functional>

#include "actors/global_model/global_model_actor.hpp"
#include "actors/model_registry/model_registry_actor.hpp"
#include "actors/router/router_actor.hpp"
#include "actors/scorer/scorer_actor.hpp"

namespace soma::global_model {

struct global_model_ports {
  model_registry::model_registry_actor registry;
  router::router_actor router;
  scorer::scorer_actor scorer;
  std::uint32_t max_seq = 1024;  // the longest context in bytes, by the network's architecture
  /// Gets every byte of a continuation as soon as it is chosen, before the answer. It may be empty.
  /// With several questions at once it gets the bytes of all of them, so only who asks one question
  /// at a time sets it. An exception ends the global model with its text as the reason.
  std::function<void(std::uint8_t)> on_byte = {};
};

/// The numbers are those of schema::GlobalModelRefusal.
enum class ask_refusal : std::uint16_t {
  none = 0,
  empty_text = 1,      // the text is too short to continue or to evaluate
  no_models = 2,       // the network has no active model
  bad_request = 3,     // a number is outside the limits of the schema
  scoring_failed = 4,  // the scorer refused or died
};
[[nodiscard]] const char* to_text(ask_refusal refusal);
/// Writes a refusal other than `none`. An empty `why` stands for the refusal's own sentence.
void fill_refusal(schema::Refusal::Builder out, ask_refusal refusal, std::string_view why = {});

/// The most models that compute a text's embedding. The experts are the nearest of them.
inline constexpr unsigned max_probed_models = 16;
/// The most bytes of a text from which its embedding is computed.
inline constexpr std::size_t probe_bytes = 4'096;
inline constexpr std::uint32_t max_written_bytes = 65'536;

global_model_actor::behavior_type global_model(global_model_actor::pointer self,
                                               global_model_ports ports);

}  // namespace soma::global_model
