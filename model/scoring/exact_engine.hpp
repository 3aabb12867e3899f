// The exact engine, with which scorers and auditors score. All machines of a network agree on its
// results bit by bit.
#pragma once

#include <memory>

#include "model/exact/engine.hpp"
#include "model/scoring/engine.hpp"

namespace soma::scoring {

/// The tensors of the weights, each at its place in the network. The weights must outlive the view.
[[nodiscard]] exact::network_view view_of(const weights::model_weights& model);

/// The engine shares ownership of the weights, and keeps packed layers if options say so. Engines
/// that share a workspace must run in the same thread. A run that would not fit
/// options.budget_bytes is refused as out_of_memory before anything is allocated.
[[nodiscard]] std::unique_ptr<scoring_engine> make_exact_engine(
    const weights::model_weights& model, std::shared_ptr<exact::workspace> space,
    const exact::engine_options& options = {});

/// A function that makes the engines of one worker. They share a workspace of `threads` threads.
/// Besides its weights each engine may take a sixteenth of the machine's memory, but at least
/// 256 MiB; layers that do not fit in packed form are packed again for each sweep.
[[nodiscard]] std::function<std::unique_ptr<scoring_engine>(const weights::model_weights&)>
exact_engines(unsigned threads = 1);

}  // namespace soma::scoring
