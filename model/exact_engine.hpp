// The exact engine over a set of weights: what scorers and auditors use. Its bits are the
// network's.
#pragma once

#include <memory>

#include "model/engine.hpp"
#include "model/exact/scorer.hpp"

namespace soma::model {

/// Tensors of the weights by their places in the network. The weights must outlive the view.
[[nodiscard]] exact::network_view view_of(const weights& model);

/// Keeps a share of the weights, and packed layers as options say. Engines that share a workspace
/// take turns in one thread. A run that would not fit options.budget_bytes is refused as
/// out_of_memory before anything is allocated.
[[nodiscard]] std::unique_ptr<scoring_engine> make_exact_engine(
    const weights& model, std::shared_ptr<exact::workspace> space,
    const exact::engine_options& options = {});

/// Makes engines of one worker: they share a workspace of so many threads. Each may take a
/// sixteenth of the machine's memory (at least 256 MiB) besides its weights; layers that do not fit
/// packed are packed again for each sweep.
[[nodiscard]] std::function<std::unique_ptr<scoring_engine>(const weights&)> exact_engines(
    unsigned threads = 1);

}  // namespace soma::model
