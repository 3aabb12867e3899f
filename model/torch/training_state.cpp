#include "model/torch/training_state.hpp"

#include <map>
#include <numeric>
#include <string>

#include "model/weights/weights.hpp"

namespace soma::model::twin {
namespace {

constexpr std::size_t packed_columns = 256;  // of one piece; whole panels

network_place places_of(const model_architecture& arch) {
  std::map<std::string, std::size_t> offsets;
  std::size_t offset = 0;
  for (const auto& spec : tensor_table(arch)) {
    offsets[spec.name] = offset;
    offset += spec.elements();
  }
  const auto dense = [&](const std::string& name) {
    return affine_place{offsets.at(name + ".weight"), offsets.at(name + ".bias")};
  };
  const auto norm = [&](const std::string& name) {
    return affine_place{offsets.at(name + ".gamma"), offsets.at(name + ".beta")};
  };
  network_place place{offsets.at("embedding.weight"), {}, norm("final_norm"), dense("predictor")};
  for (std::uint32_t l = 0; l < arch.layers; ++l) {
    const std::string p = "encoder.layers." + std::to_string(l) + ".";
    place.layers.push_back({norm(p + "norm_1"), dense(p + "attention.query"),
                            dense(p + "attention.key"), dense(p + "attention.value"),
                            dense(p + "attention.output"), norm(p + "norm_2"),
                            dense(p + "pwff.linear_inner"), dense(p + "pwff.linear_outer")});
  }
  return place;
}

rotary angles_of(const model_architecture& arch) {
  std::vector<std::uint32_t> positions(arch.max_seq);
  std::iota(positions.begin(), positions.end(), 0u);
  return make_rotary(positions, 1, arch.dim / arch.heads);
}

packed_weight room_for(const product_set& products, std::size_t in, std::size_t out) {
  return {in, out, float_buffer(products.packed_size(in, out)),
          float_buffer(products.packed_size(out, in))};
}

}  // namespace

float_buffer::float_buffer(std::size_t count)
    : floats_(
          static_cast<float*>(std::aligned_alloc(64, (count * sizeof(float) + 127) / 64 * 64))) {
  if (floats_ == nullptr) throw std::bad_alloc();
}

sum_places::sum_places(std::size_t d, std::size_t f)
    : outer(0),
      inner(outer + d),
      norm_2(inner + f),
      output(norm_2 + 2 * d),
      qkv(output + d),
      norm_1(qkv + 3 * d),
      all(std::max(norm_1 + 2 * d, std::size_t{model_architecture::vocab} + 2 * d)) {}

training_state::training_state(const model_architecture& arch, std::uint64_t positions,
                               const product_set& by, bool again, team& threads,
                               const kernel_set& kernels)
    : layers(arch.layers),
      d(arch.dim),
      f(arch.ffn),
      heads(arch.heads),
      kernel(kernels),
      products(by),
      recompute(again),
      workers(threads),
      place(places_of(arch)),
      sums(d, f),
      angles(angles_of(arch)) {
  const auto most = static_cast<std::size_t>(positions);
  for (packed_weight* square : {&query, &key, &value, &output}) *square = room_for(by, d, d);
  inner = room_for(by, d, f);
  outer = room_for(by, f, d);
  predictor = room_for(by, d, vocab);
  for (std::size_t l = 0; l <= layers; ++l) x.emplace_back(most * d);
  for (std::size_t l = 0; l < (recompute ? 1 : layers); ++l) {
    kept.push_back({float_buffer(most * 3 * d), float_buffer(most * d), float_buffer(most * heads),
                    float_buffer(most * d), float_buffer(most * f)});
  }
  for (float_buffer* buffer : {&normed, &pull, &middle_pull, &aside}) {
    *buffer = float_buffer(most * d);
  }
  inner_pull = float_buffer(most * f);
  qkv_pull = float_buffer(most * 3 * d);
  logits_pull = float_buffer(most * vocab);
  const std::size_t most_tiles = (most + tile - 1) / tile;
  tile_sums = float_buffer(most_tiles * sums.all);
  tile_losses.resize(most_tiles);
  const attention_shape longest{arch.max_seq, heads, d / heads};
  // A tile's own rows stand before what a product needs: [tile, D] and [tile, F or V].
  const std::size_t room = std::max(
      {products.attention.scratch(longest), products.across_scratch,
       tile * (d + std::max(f, vocab)) +
           std::max(products.multiply_scratch(tile), kernel.products.multiply_scratch(tile))});
  for (std::size_t worker = 0; worker < workers.size(); ++worker) scratch.emplace_back(room);
}

void training_state::run(const pieces& work) {
  workers.run(work.size(),
              [&](std::size_t job, std::size_t worker) { work[job](scratch[worker].get()); });
}

void training_state::add_packing(pieces& work, packed_weight& to, const affine_place& at, bool own,
                                 bool across) const {
  const float* const from = weight(at);
  const auto add = [&](std::size_t k, std::size_t n, std::size_t row, std::size_t column,
                       float* packed) {
    for (std::size_t j = 0; j < n; j += packed_columns) {
      work.push_back([this, from, k, n, row, column, packed, j](float*) {
        products.pack(from + j * column, row, column, k, std::min(packed_columns, n - j),
                      packed + products.packed_size(k, j));
      });
    }
  };
  if (own) add(to.in, to.out, to.out, 1, to.own.get());
  if (across) add(to.out, to.in, 1, to.out, to.across.get());
}

void training_state::add_weight_gradient(pieces& work, const float* input, std::size_t in,
                                         const float* output_pull, std::size_t output_stride,
                                         std::size_t out, std::size_t to) const {
  for (std::size_t i = 0; i < in; i += across_most) {
    for (std::size_t j = 0; j < out; j += across_most) {
      work.push_back([=, this](float* spare) {
        products.multiply_across(input + i, in, output_pull + j, output_stride, count,
                                 std::min(across_most, in - i), std::min(across_most, out - j),
                                 gradients + to + i * out + j, out, spare);
      });
    }
  }
}

void training_state::add_sums(pieces& work, std::size_t from, std::size_t n, std::size_t to) const {
  for (std::size_t j = 0; j < n; j += sum_columns) {
    work.push_back([=, this](float*) {
      const std::size_t columns = std::min(sum_columns, n - j);
      float* const sum = gradients + to + j;
      std::fill_n(sum, columns, 0.0f);
      kernel.add_columns(tile_sums.get() + from + j, sums.all, tiles, columns, sum);
    });
  }
}

}  // namespace soma::model::twin
