#include "model/exact/forward.hpp"

#include <algorithm>
#include <cmath>

#include "messages/values/assert.hpp"
#include "model/exact/float_state.hpp"
#include "model/noise/elementary.hpp"

namespace soma::exact {
namespace {

constexpr double ln_10000 = 0x1.26bb1bbb55516p+3;

/// The frequencies of arithmetic §5.4.
std::vector<double> rotary_frequencies(std::size_t head_dim) {
  const float_state_guard exact_rounding;
  std::vector<double> all;
  for (std::size_t i = 0; i < head_dim / 2; ++i) {
    const double part = static_cast<double>(2 * i) / static_cast<double>(head_dim);
    all.push_back(noise::exact_exp(-(part * ln_10000)));
  }
  return all;
}

}  // namespace

packed_layer layer_store::get(std::size_t index, tile_pool& pool, float* buffer) {
  const auto& arch = network_.architecture;
  if (buffer != nullptr) {
    pack_layer(arch, network_.layers[index], kernels_, pool, buffer);
    return packed_layer_at(arch, kernels_.panel, buffer);
  }
  kept_.resize(arch.layers);
  auto& kept = kept_[index];
  if (kept.size() == 0) {
    float_buffer fresh(packed_layer_floats(arch, kernels_.panel));
    pack_layer(arch, network_.layers[index], kernels_, pool, fresh.data());
    kept = std::move(fresh);
  }
  return packed_layer_at(arch, kernels_.panel, kept.data());
}

const float* layer_store::predictor(tile_pool& pool) {
  if (predictor_.size() == 0) {
    const std::size_t dim = network_.architecture.dim;
    constexpr std::size_t vocab = model_architecture::vocab;
    float_buffer fresh(packed_floats(dim, vocab, kernels_.panel));
    pack_matrix(network_.predictor.weight, dim, vocab, kernels_, pool, fresh.data());
    predictor_ = std::move(fresh);
  }
  return predictor_.data();
}

std::size_t workspace_floats(const model_architecture& arch, const memory_plan& plan, simd::isa set,
                             unsigned threads) {
  const run_sizes s = sizes_of(arch, set);
  return plan.sweep * (s.x + s.q + s.keys + s.values + s.angles + s.losses) + threads * s.scratch +
         (plan.keeps_layers ? 0 : s.layer);
}

forward_pass::forward_pass(const network_view& network, workspace& space, const memory_plan& plan)
    : network_(network),
      space_(space),
      k_(space.kernels()),
      plan_(plan),
      sizes_(sizes_of(network.architecture, k_.set)),
      dim_(network.architecture.dim),
      heads_(network.architecture.heads),
      head_dim_(dim_ / heads_),
      padded_dim_(round_up(dim_, k_.panel)),
      ffn_(network.architecture.ffn),
      tile_blocks_(tile_blocks(dim_)) {
  frequencies_ = rotary_frequencies(head_dim_);
  float* at = space.memory(workspace_floats(network.architecture, plan, k_.set, space.threads()));
  const auto take = [&at](std::size_t floats) {
    float* const here = at;
    at += floats;
    return here;
  };
  memory_.x = take(plan.sweep * sizes_.x);
  memory_.q = take(plan.sweep * sizes_.q);
  memory_.keys = take(plan.sweep * sizes_.keys);
  memory_.values = take(plan.sweep * sizes_.values);
  memory_.angles = take(plan.sweep * sizes_.angles);
  memory_.losses = take(plan.sweep * sizes_.losses);
  memory_.scratch = take(space.threads() * sizes_.scratch);
  memory_.layer = plan.keeps_layers ? nullptr : take(sizes_.layer);
}

forward_pass::tile_place forward_pass::place_of(std::size_t tile) const {
  const std::size_t first = tile % tiles_a_sequence() * tile_blocks_;
  return {tile / tiles_a_sequence(), first, std::min(tile_blocks_, blocks_ - first)};
}

void forward_pass::embed(std::span<const sequence> sequences) {
  space_.pool().run(sequences.size() * blocks_, [&](std::size_t tile, unsigned) {
    const std::size_t s = tile / blocks_;
    const std::size_t block = tile % blocks_;
    const auto& from = sequences[s];
    float* const x = x_block(s, block);
    std::uint32_t positions[block_tokens];
    for (std::size_t t = 0; t < block_tokens; ++t) {
      const std::size_t token = block * block_tokens + t;
      const bool is_real = token < from.tokens.size();
      positions[t] = is_real ? from.positions[token] : from.positions.back();
      const float* const row =
          network_.embedding + dim_ * (is_real ? from.tokens[token] : tokens::pad_token);
      for (std::size_t d = 0; d < dim_; ++d) x[d * block_tokens + t] = row[d];
    }
    float* const cosine = angles_block(s, block);
    k_.rotary_angles(positions, frequencies_.data(), head_dim_ / 2, cosine,
                     cosine + head_dim_ / 2 * block_tokens);
  });
}

void forward_pass::multiply(const float* panels, std::size_t depth, std::size_t outputs,
                            const float* x, std::size_t x_rows, float* out, std::size_t out_rows,
                            std::size_t blocks) const {
  k_.multiply({panels, depth * k_.panel, outputs, x, x_rows * block_tokens, out,
               out_rows * block_tokens, blocks, depth, true});
}

/// The first norm, then queries, keys and values of a few blocks, with rotary embedding.
void forward_pass::project_qkv_tile(const tile_place& at, unsigned worker, const layer_view& layer,
                                    const packed_layer& packed) {
  float* const normalized = scratch(worker);
  float* const out = normalized + tile_blocks_ * block_tokens * dim_;
  const std::size_t x_floats = block_tokens * dim_;
  const std::size_t out_floats = block_tokens * padded_dim_;
  for (std::size_t b = 0; b < at.blocks; ++b) {
    k_.layer_norm(x_block(at.sequence, at.block + b), layer.norm_1.gamma, layer.norm_1.beta, dim_,
                  normalized + b * x_floats);
  }
  const auto rotate_head = [&](float* rows, const float* bias, std::size_t head,
                               std::size_t number) {
    const float* const cosine = angles_block(at.sequence, number);
    k_.rotate(rows, bias + head * head_dim_, cosine, cosine + head_dim_ / 2 * block_tokens,
              head_dim_);
  };
  multiply(packed.query, dim_, dim_, normalized, dim_, q_block(at.sequence, at.block), padded_dim_,
           at.blocks);
  for (std::size_t b = 0; b < at.blocks; ++b) {
    for (std::size_t head = 0; head < heads_; ++head) {
      rotate_head(q_block(at.sequence, at.block + b) + head * head_dim_ * block_tokens,
                  layer.query.bias, head, at.block + b);
    }
  }
  multiply(packed.key, dim_, dim_, normalized, dim_, out, padded_dim_, at.blocks);
  for (std::size_t b = 0; b < at.blocks; ++b) {
    for (std::size_t head = 0; head < heads_; ++head) {
      float* const rows = out + b * out_floats + head * head_dim_ * block_tokens;
      rotate_head(rows, layer.key.bias, head, at.block + b);
      k_.pack_keys(rows, head_dim_, (at.block + b) * block_tokens, head_keys(at.sequence, head));
    }
  }
  multiply(packed.value, dim_, dim_, normalized, dim_, out, padded_dim_, at.blocks);
  for (std::size_t b = 0; b < at.blocks; ++b) {
    k_.add_bias(out + b * out_floats, layer.value.bias, dim_);
    for (std::size_t head = 0; head < heads_; ++head) {
      k_.pack_values(out + b * out_floats + head * head_dim_ * block_tokens, head_dim_,
                     sizes_.padded_length, (at.block + b) * block_tokens,
                     head_values(at.sequence, head));
    }
  }
}

void forward_pass::attend_block(std::size_t s, std::size_t head, std::size_t block,
                                unsigned worker) {
  k_.attend({q_block(s, block) + head * head_dim_ * block_tokens, head_keys(s, head),
             head_values(s, head), head_dim_, sizes_.padded_length, block * block_tokens,
             1.0f / std::sqrt(static_cast<float>(head_dim_)), scratch(worker)});
}

/// Adds the output projection of attention to the residual stream, then the feed-forward part
/// (arithmetic §5.2).
void forward_pass::feed_forward_tile(const tile_place& at, unsigned worker, const layer_view& layer,
                                     const packed_layer& packed) {
  const std::size_t panel = k_.panel;
  const std::size_t chunk = std::min(ffn_, ffn_chunk);
  const std::size_t chunk_rows = round_up(chunk, panel);
  float* const normalized = scratch(worker);
  float* const out = normalized + tile_blocks_ * block_tokens * dim_;
  float* const hidden = out + tile_blocks_ * block_tokens * padded_dim_;

  multiply(packed.output, dim_, dim_, q_block(at.sequence, at.block), padded_dim_, out, padded_dim_,
           at.blocks);
  for (std::size_t b = 0; b < at.blocks; ++b) {
    float* const x = x_block(at.sequence, at.block + b);
    k_.add_residual(x, out + b * block_tokens * padded_dim_, layer.output.bias, dim_);
    k_.layer_norm(x, layer.norm_2.gamma, layer.norm_2.beta, dim_,
                  normalized + b * block_tokens * dim_);
  }
  for (std::size_t f = 0; f < ffn_; f += chunk) {
    const std::size_t count = std::min(chunk, ffn_ - f);
    multiply(packed.inner + f * dim_, dim_, count, normalized, dim_, hidden, chunk_rows, at.blocks);
    for (std::size_t b = 0; b < at.blocks; ++b) {
      k_.bias_gelu(hidden + b * block_tokens * chunk_rows, layer.inner.bias + f, count);
    }
    k_.multiply({packed.outer + f * panel, ffn_ * panel, dim_, hidden, chunk_rows * block_tokens,
                 out, padded_dim_ * block_tokens, at.blocks, count, f == 0});
  }
  for (std::size_t b = 0; b < at.blocks; ++b) {
    k_.add_residual(x_block(at.sequence, at.block + b), out + b * block_tokens * padded_dim_,
                    layer.outer.bias, dim_);
  }
}

void forward_pass::run(std::span<const sequence> sequences, layer_store& layers) {
  SOMA_ASSERT(!sequences.empty() && sequences.size() <= plan_.sweep,
              "a sweep has no more sequences than its plan");
  std::size_t longest = 0;
  for (const auto& s : sequences) longest = std::max(longest, s.tokens.size());
  blocks_ = round_up(longest, block_tokens) / block_tokens;
  SOMA_ASSERT(longest >= 1 && blocks_ <= sizes_.blocks, "a sequence has 1..S tokens");
  auto& pool = space_.pool();
  embed(sequences);
  const std::size_t tiles = sequences.size() * tiles_a_sequence();
  for (std::size_t l = 0; l < network_.layers.size(); ++l) {
    const auto& layer = network_.layers[l];
    const packed_layer packed = layers.get(l, pool, memory_.layer);
    pool.run(tiles, [&](std::size_t tile, unsigned worker) {
      project_qkv_tile(place_of(tile), worker, layer, packed);
    });
    // Later blocks have more keys. They come first, so that no thread ends with a long one.
    pool.run(sequences.size() * heads_ * blocks_, [&](std::size_t tile, unsigned worker) {
      const std::size_t block = blocks_ - 1 - tile % blocks_;
      attend_block(tile / blocks_ / heads_, tile / blocks_ % heads_, block, worker);
    });
    pool.run(tiles, [&](std::size_t tile, unsigned worker) {
      feed_forward_tile(place_of(tile), worker, layer, packed);
    });
  }
}

}  // namespace soma::exact
