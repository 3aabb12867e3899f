#include "model/exact/scorer.hpp"

#include <algorithm>
#include <cmath>

#include "messages/types/assert.hpp"
#include "model/exact/float_state.hpp"
#include "model/exact/losses.hpp"

namespace soma::exact {
namespace {

using model::score;

/// One row of one batch of one item.
struct row_place {
  std::size_t item;
  std::uint64_t sequence;  // of the item
};

/// The items of a run, cut into rows; scores grow as rows come back in order.
class score_sheet {
 public:
  score_sheet(std::span<const score_item> items, const model_architecture& arch,
              std::uint32_t batch, const progress_hook& hook)
      : items_(items), arch_(arch), batch_(batch), hook_(hook), sums_(arch.dim) {
    for (const auto& item : items) {
      SOMA_ASSERT(!item.data.empty() && item.data.size() <= UINT32_MAX, "there is data to score");
      rows_.push_back(model::sequence_count(item.data.size(), arch.max_seq));
    }
    scores_.resize(items.size());
    begin();
  }

  /// The next rows, all of items that have not been given up.
  [[nodiscard]] std::vector<row_place> next(std::size_t most) const {
    std::vector<row_place> places;
    std::uint64_t row = row_;
    for (std::size_t i = item_; i < items_.size() && places.size() < most; ++i, row = 0) {
      for (; row < rows_[i] && places.size() < most; ++row) places.push_back({i, row});
    }
    return places;
  }
  [[nodiscard]] std::uint64_t seed_of(const row_place& place) const {
    return items_[place.item].seed + place.sequence / batch_;
  }
  [[nodiscard]] model::token_batch tokens_of(const row_place& place) const {
    return model::make_batch(items_[place.item].data, arch_.max_seq, place.sequence, 1);
  }
  /// False: the item of this row was given up before.
  [[nodiscard]] bool wants(const row_place& place) const { return place.item == item_; }

  void add(const row_place& place, const float* cross_entropies, const float* statistics,
           const float* embedding, std::span<const model::token> targets) {
    sums_.add(cross_entropies, statistics, embedding, targets);
    row_ = place.sequence + 1;
    if (row_ % batch_ != 0 && row_ != rows_[item_]) return;
    const std::uint64_t done = (row_ + batch_ - 1) / batch_;
    sums_.fold_into(now_, done);
    const std::uint64_t batches = (rows_[item_] + batch_ - 1) / batch_;
    if (done == batches) {
      finish();
    } else if (hook_ && !hook_({item_, done, batches, now_.loss})) {
      ++item_;
      begin();
    }
  }

  [[nodiscard]] std::vector<std::optional<score>> take() { return std::move(scores_); }

 private:
  void begin() {
    row_ = 0;
    now_ = {};
    now_.embedding.assign(arch_.dim, 0.0f);
    sums_ = batch_sums(arch_.dim);
  }
  void finish() {
    now_.bits_per_byte =
        sums_.predicted == 0
            ? 0.0f
            : static_cast<float>(sums_.bits / static_cast<double>(sums_.predicted));
    now_.valid =
        std::isfinite(now_.loss) && std::all_of(now_.embedding.begin(), now_.embedding.end(),
                                                [](float value) { return std::isfinite(value); });
    scores_[item_++] = std::move(now_);
    begin();
  }

  std::span<const score_item> items_;
  model_architecture arch_;
  std::uint32_t batch_;
  const progress_hook& hook_;
  std::vector<std::uint64_t> rows_;  // of each item
  std::vector<std::optional<score>> scores_;
  std::size_t item_ = 0;
  std::uint64_t row_ = 0;
  score now_;
  batch_sums sums_;
};

/// One sweep: tokens of its rows, and what the passes need of them.
struct loaded_rows {
  std::vector<model::token_batch> tokens;
  std::vector<sequence> sequences;
  std::vector<std::span<const model::token>> targets;
};

loaded_rows load(const score_sheet& sheet, std::span<const row_place> places) {
  loaded_rows rows;
  for (const auto& place : places) rows.tokens.push_back(sheet.tokens_of(place));
  for (const auto& row : rows.tokens) {
    rows.sequences.push_back({row.tokens, row.positions});
    rows.targets.emplace_back(row.targets);
  }
  return rows;
}

}  // namespace

engine::engine(network_view network, std::shared_ptr<workspace> space, engine_options options)
    : network_(std::move(network)),
      space_(std::move(space)),
      options_(options),
      layers_(network_, space_->kernels()) {
  SOMA_ASSERT(is_valid(network_.architecture), "engines are made for valid architectures");
}

std::optional<memory_plan> engine::plan(std::uint64_t sequences, std::uint32_t batch) const {
  return plan_memory({network_.architecture, sequences, batch, space_->threads(),
                      space_->kernels().set, options_.again, options_.budget_bytes});
}

std::vector<std::optional<score>> engine::run(std::span<const score_item> items,
                                              std::uint32_t batch, const progress_hook& hook) {
  SOMA_ASSERT(batch >= 1, "a batch has a sequence");
  const float_state_guard exact_rounding;
  const auto& arch = network_.architecture;
  std::uint64_t total = 0;
  for (const auto& item : items) total += model::sequence_count(item.data.size(), arch.max_seq);
  score_sheet sheet(items, arch, batch, hook);
  if (total == 0) return sheet.take();
  const auto planned = plan(total, batch);
  SOMA_ASSERT(planned.has_value(), "whoever runs has asked for a plan");
  forward_pass pass(network_, *space_, *planned);
  const float* const predictor = layers_.predictor(space_->pool());
  std::vector<float> embeddings;
  for (auto places = sheet.next(planned->sweep); !places.empty();
       places = sheet.next(planned->sweep)) {
    const loaded_rows rows = load(sheet, places);
    pass.run(rows.sequences, layers_);
    // Directions belong to a batch: rows of one batch are measured together.
    for (std::size_t first = 0; first < places.size();) {
      const std::uint64_t seed = sheet.seed_of(places[first]);
      std::size_t last = first + 1;
      while (last < places.size() && sheet.seed_of(places[last]) == seed) ++last;
      const std::size_t count = last - first;
      measure_losses(pass, network_, *space_, predictor, space_->directions(seed, arch.dim),
                     std::span(rows.sequences).subspan(first, count),
                     std::span(rows.targets).subspan(first, count), first);
      first = last;
    }
    embeddings.resize(places.size() * arch.dim);
    space_->pool().run(places.size(), [&](std::size_t tile, unsigned) {
      embed_sequence(pass, tile, arch.max_seq, arch.dim, embeddings.data() + tile * arch.dim);
    });
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (!sheet.wants(places[i])) continue;
      const float* const losses = pass.memory().losses + i * pass.sizes().losses;
      sheet.add(places[i], losses, losses + pass.sizes().slots, embeddings.data() + i * arch.dim,
                rows.targets[i]);
    }
  }
  return sheet.take();
}

std::vector<float> engine::next_byte_log_probs(byte_view context, std::uint32_t offset) {
  constexpr std::size_t values = 256;
  const float_state_guard exact_rounding;
  const auto planned = plan(1, 1);
  SOMA_ASSERT(planned.has_value(), "whoever runs has asked for a plan");
  const std::vector<model::token> tokens(context.begin(), context.end());
  std::vector<std::uint32_t> positions(context.size());
  for (std::size_t j = 0; j < positions.size(); ++j) {
    positions[j] = offset + static_cast<std::uint32_t>(j);
  }
  const sequence whole{tokens, positions};
  forward_pass pass(network_, *space_, *planned);
  pass.run(std::span(&whole, 1), layers_);
  const auto& k = space_->kernels();
  const std::size_t dim = network_.architecture.dim;
  const float* const predictor = layers_.predictor(space_->pool());
  std::vector<float> log_probs(context.size() * values);
  const std::size_t blocks = round_up(tokens.size(), block_tokens) / block_tokens;
  space_->pool().run(blocks, [&](std::size_t block, unsigned worker) {
    float* const y = pass.scratch(worker);
    float* const logits = y + block_tokens * dim;
    k.layer_norm(pass.x_block(0, block), network_.final_norm.gamma, network_.final_norm.beta, dim,
                 y);
    k.multiply({predictor, dim * k.panel, values, y, 0, logits, 0, 1, dim, true});
    k.add_bias(logits, network_.predictor.bias, values);
    float top[block_tokens];
    float log_sum[block_tokens];
    k.log_sum_exp(logits, values, top, log_sum);
    const std::size_t start = block * block_tokens;
    const std::size_t count = std::min(block_tokens, tokens.size() - start);
    for (std::size_t t = 0; t < count; ++t) {
      for (std::size_t v = 0; v < values; ++v) {
        log_probs[(start + t) * values + v] = (logits[v * block_tokens + t] - top[t]) - log_sum[t];
      }
    }
  });
  return log_probs;
}

}  // namespace soma::exact
