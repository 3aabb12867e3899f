#include "model/exact/engine.hpp"

#include <algorithm>
#include <cmath>

#include "messages/values/assert.hpp"
#include "model/exact/float_state.hpp"
#include "model/exact/losses.hpp"

namespace soma::exact {
namespace {

/// One sequence of one item.
struct sequence_ref {
  std::size_t item;
  std::uint64_t sequence;  // its number in the item
};

/// The items of a run, cut into sequences, and their scores. Sequences are handed out in order, and
/// their results come back in the same order.
class score_sheet {
 public:
  score_sheet(std::span<const score_item> items, const model_architecture& arch,
              std::uint32_t batch, const progress_hook& hook)
      : items_(items), arch_(arch), batch_(batch), hook_(hook), sums_(arch.dim) {
    for (const auto& item : items) {
      SOMA_ASSERT(!item.data.empty() && item.data.size() <= UINT32_MAX, "there is data to score");
      sequences_.push_back(tokens::sequence_count(item.data.size(), arch.max_seq));
    }
    scores_.resize(items.size());
    begin();
  }

  /// The next sequences, at most so many, of items that have not been given up.
  [[nodiscard]] std::vector<sequence_ref> next(std::size_t most) const {
    std::vector<sequence_ref> refs;
    std::uint64_t sequence = sequence_;
    for (std::size_t i = item_; i < items_.size() && refs.size() < most; ++i, sequence = 0) {
      for (; sequence < sequences_[i] && refs.size() < most; ++sequence) {
        refs.push_back({i, sequence});
      }
    }
    return refs;
  }
  /// The seed of the batch that the sequence belongs to (arithmetic §5.7).
  [[nodiscard]] std::uint64_t seed_of(const sequence_ref& ref) const {
    return items_[ref.item].seed + ref.sequence / batch_;
  }
  [[nodiscard]] tokens::token_batch tokens_of(const sequence_ref& ref) const {
    return tokens::make_batch(items_[ref.item].data, arch_.max_seq, ref.sequence, 1);
  }
  /// False if the item of this sequence was given up after the sequence was handed out.
  [[nodiscard]] bool wants(const sequence_ref& ref) const { return ref.item == item_; }

  /// Takes the results of the next sequence, and finishes its batch and its item where they end.
  void add(const sequence_ref& ref, const float* cross_entropies, const float* statistics,
           const float* embedding, std::span<const tokens::token> targets) {
    SOMA_ASSERT(ref.item == item_ && ref.sequence == sequence_, "results come back in order");
    sums_.add(cross_entropies, statistics, embedding, targets);
    sequence_ = ref.sequence + 1;
    if (sequence_ % batch_ != 0 && sequence_ != sequences_[item_]) return;
    const std::uint64_t done = (sequence_ + batch_ - 1) / batch_;
    sums_.fold_into(now_, done);
    const std::uint64_t batches = (sequences_[item_] + batch_ - 1) / batch_;
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
    sequence_ = 0;
    now_ = {};
    now_.embedding.assign(arch_.dim, 0.0f);
    sums_ = batch_sums(arch_.dim);
  }
  void finish() {  // arithmetic §5.12 and §5.13
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
  std::vector<std::uint64_t> sequences_;  // of each item
  std::vector<std::optional<score>> scores_;
  std::size_t item_ = 0;        // whose results come next
  std::uint64_t sequence_ = 0;  // of that item, whose results come next
  score now_;                   // of that item
  batch_sums sums_;
};

/// The sequences of one sweep: their tokens, and the views of them that the passes take.
struct loaded_sequences {
  std::vector<tokens::token_batch> tokens;
  std::vector<sequence> sequences;
  std::vector<std::span<const tokens::token>> targets;
};

loaded_sequences load(const score_sheet& sheet, std::span<const sequence_ref> refs) {
  loaded_sequences loaded;
  for (const auto& ref : refs) loaded.tokens.push_back(sheet.tokens_of(ref));
  for (const auto& one : loaded.tokens) {
    loaded.sequences.push_back({one.tokens, one.positions});
    loaded.targets.emplace_back(one.targets);
  }
  return loaded;
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
                      space_->kernels().set, options_.keep_packed, options_.budget_bytes});
}

std::vector<std::optional<score>> engine::run(std::span<const score_item> items,
                                              std::uint32_t batch, const progress_hook& hook) {
  SOMA_ASSERT(batch >= 1, "a batch has a sequence");
  const float_state_guard exact_rounding;
  const auto& arch = network_.architecture;
  std::uint64_t total = 0;
  for (const auto& item : items) total += tokens::sequence_count(item.data.size(), arch.max_seq);
  score_sheet sheet(items, arch, batch, hook);
  if (total == 0) return sheet.take();
  const auto planned = plan(total, batch);
  SOMA_ASSERT(planned.has_value(), "the caller has asked for a plan");
  forward_pass pass(network_, *space_, *planned);
  const float* const predictor = layers_.predictor(space_->pool());
  std::vector<float> embeddings;
  for (auto refs = sheet.next(planned->sweep); !refs.empty(); refs = sheet.next(planned->sweep)) {
    const loaded_sequences loaded = load(sheet, refs);
    pass.run(loaded.sequences, layers_);
    // SIGReg's directions belong to a batch, so the sequences of one batch are measured together.
    for (std::size_t first = 0; first < refs.size();) {
      const std::uint64_t seed = sheet.seed_of(refs[first]);
      std::size_t last = first + 1;
      while (last < refs.size() && sheet.seed_of(refs[last]) == seed) ++last;
      const std::size_t count = last - first;
      measure_losses(pass, network_, *space_, predictor, space_->directions(seed, arch.dim),
                     std::span(loaded.sequences).subspan(first, count),
                     std::span(loaded.targets).subspan(first, count), first);
      first = last;
    }
    embeddings.resize(refs.size() * arch.dim);
    space_->pool().run(refs.size(), [&](std::size_t tile, unsigned) {
      embed_sequence(pass, tile, arch.max_seq, arch.dim, embeddings.data() + tile * arch.dim);
    });
    for (std::size_t i = 0; i < refs.size(); ++i) {
      if (!sheet.wants(refs[i])) continue;
      const float* const losses = pass.memory().losses + i * pass.sizes().losses;
      sheet.add(refs[i], losses, losses + pass.sizes().padded_length,
                embeddings.data() + i * arch.dim, loaded.targets[i]);
    }
  }
  return sheet.take();
}

std::vector<float> engine::next_byte_log_probs(byte_view context, std::uint32_t offset) {
  constexpr std::size_t bytes_of_vocab = 256;
  const float_state_guard exact_rounding;
  const auto planned = plan(1, 1);
  SOMA_ASSERT(planned.has_value(), "the caller has asked for a plan");
  const std::vector<tokens::token> tokens(context.begin(), context.end());
  std::vector<std::uint32_t> positions(context.size());
  for (std::size_t j = 0; j < positions.size(); ++j) {
    positions[j] = offset + static_cast<std::uint32_t>(j);
  }
  const sequence all{tokens, positions};
  forward_pass pass(network_, *space_, *planned);
  pass.run(std::span(&all, 1), layers_);
  const auto& k = space_->kernels();
  const std::size_t dim = network_.architecture.dim;
  const float* const predictor = layers_.predictor(space_->pool());
  std::vector<float> log_probs(context.size() * bytes_of_vocab);
  const std::size_t blocks = round_up(tokens.size(), block_tokens) / block_tokens;
  space_->pool().run(blocks, [&](std::size_t block, unsigned worker) {
    float* const y = pass.scratch(worker);
    float* const logits = y + block_tokens * dim;
    k.layer_norm(pass.x_block(0, block), network_.final_norm.gamma, network_.final_norm.beta, dim,
                 y);
    k.multiply({predictor, dim * k.panel, bytes_of_vocab, y, 0, logits, 0, 1, dim, true});
    k.add_bias(logits, network_.predictor.bias, bytes_of_vocab);
    float maximum[block_tokens];
    float log_sum[block_tokens];
    k.log_sum_exp(logits, bytes_of_vocab, maximum, log_sum);
    const std::size_t start = block * block_tokens;
    const std::size_t count = std::min(block_tokens, tokens.size() - start);
    for (std::size_t t = 0; t < count; ++t) {
      for (std::size_t v = 0; v < bytes_of_vocab; ++v) {
        log_probs[(start + t) * bytes_of_vocab + v] =
            (logits[v * block_tokens + t] - maximum[t]) - log_sum[t];
      }
    }
  });
  return log_probs;
}

}  // namespace soma::exact
