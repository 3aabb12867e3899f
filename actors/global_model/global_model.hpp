// The specialists as one model. For a text: its embedding as each model sees it, the k nearest
// experts by the router, each expert's next-byte distributions from the scorer, mixed by Bayes
// (model/mixture): prior from the router's distances times likelihood so far on this very text.
#pragma once

#include "actors/global_model/global_model_actor.hpp"
#include "actors/model_registry/model_registry_actor.hpp"
#include "actors/router/router_actor.hpp"
#include "actors/scorer/scorer_actor.hpp"

namespace soma::global_model {

struct global_model_ports {
  model_registry::model_registry_actor registry;
  router::router_actor router;
  scorer::scorer_actor scorer;
  std::uint32_t max_seq = 1024;  // of the network's architecture: the longest context
};

/// In the order of schema::GlobalModelRefusal.
enum class ask_refusal : std::uint16_t {
  none = 0,
  empty_text = 1,      // there is no text to go on
  no_models = 2,       // the network has no active model
  bad_request = 3,     // a size is outside what the schema says
  scoring_failed = 4,  // the scorer refused or died
};
[[nodiscard]] const char* to_text(ask_refusal refusal);
/// Not none. The sentence is the refusal's own when `why` is empty.
void fill_refusal(schema::Refusal::Builder out, ask_refusal refusal, std::string_view why = {});

/// Models that are asked for a text's embedding; experts are the nearest of them.
inline constexpr unsigned max_probed_models = 16;
/// Bytes of a text that its embedding is taken from.
inline constexpr std::size_t probe_bytes = 4'096;
inline constexpr std::uint32_t max_written_bytes = 65'536;

global_model_actor::behavior_type global_model(global_model_actor::pointer self,
                                               global_model_ports ports);

}  // namespace soma::global_model
