// The engine that the network agrees on: loss and embedding of one network on pieces of data, bit
// for bit the same for every instruction set, number of threads and memory budget. ARITHMETIC.md
// beside this file defines every bit of it; nothing in that text may change without a new tag of
// the digest.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "model/exact/forward.hpp"
#include "model/exact/score.hpp"

namespace soma::exact {

struct engine_options {
  std::uint64_t budget_bytes = no_budget;
  bool keep_packed = true;  // keep packed layers for further runs
};

class engine {
 public:
  /// The memory that the view points into must outlive the engine. Nothing is computed yet.
  engine(network_view network, std::shared_ptr<workspace> space, engine_options options);
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  /// How a run over so many sequences would use memory; nullopt if it cannot keep within the
  /// budget.
  [[nodiscard]] std::optional<memory_plan> plan(std::uint64_t sequences, std::uint32_t batch) const;

  /// Scores each item, and gives nullopt for an item that the hook gave up. `batch` is 16 for
  /// scores that the network agrees on (arithmetic §5.9). Weights are packed once for all items.
  /// plan() must have an answer for the sequences of all items together.
  [[nodiscard]] std::vector<std::optional<score>> run(std::span<const score_item> items,
                                                      std::uint32_t batch,
                                                      const progress_hook& hook = {});

  /// See scoring_engine::next_byte_log_probs. Arithmetic §5.14.
  [[nodiscard]] std::vector<float> next_byte_log_probs(byte_view context, std::uint32_t offset);

  [[nodiscard]] const workspace& space() const { return *space_; }

 private:
  network_view network_;
  std::shared_ptr<workspace> space_;
  engine_options options_;
  layer_store layers_;
};

}  // namespace soma::exact
