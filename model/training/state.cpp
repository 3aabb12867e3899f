#include "model/training/state.hpp"

#include <map>
#include <string>

#include "messages/values/assert.hpp"
#include "model/weights/weights.hpp"

namespace soma::training {
namespace {

constexpr std::size_t packed_columns = 256;  // the columns that one job packs: whole panels

network_offsets offsets_of(const model_architecture& arch) {
  std::map<std::string, std::size_t> by_name;
  std::size_t offset = 0;
  for (const auto& spec : weights::tensor_table(arch)) {
    by_name[spec.name] = offset;
    offset += spec.elements();
  }
  const auto linear = [&](const std::string& name) {
    return affine_offsets{by_name.at(name + ".weight"), by_name.at(name + ".bias")};
  };
  const auto norm = [&](const std::string& name) {
    return affine_offsets{by_name.at(name + ".gamma"), by_name.at(name + ".beta")};
  };
  network_offsets all{by_name.at("embedding.weight"), {}, norm("final_norm"), linear("predictor")};
  for (std::uint32_t l = 0; l < arch.layers; ++l) {
    const std::string p = "encoder.layers." + std::to_string(l) + ".";
    all.layers.push_back({norm(p + "norm_1"), linear(p + "attention.query"),
                          linear(p + "attention.key"), linear(p + "attention.value"),
                          linear(p + "attention.output"), norm(p + "norm_2"),
                          linear(p + "pwff.linear_inner"), linear(p + "pwff.linear_outer")});
  }
  return all;
}

packed_weight room_for(const matmul_kernels& products, std::size_t in, std::size_t out) {
  return {in, out, float_buffer(products.packed_size(in, out)),
          float_buffer(products.packed_size(out, in))};
}

}  // namespace

tile_sum_offsets::tile_sum_offsets(std::size_t d, std::size_t f)
    : outer(0),
      inner(outer + d),
      norm_2(inner + f),
      output(norm_2 + 2 * d),
      qkv(output + d),
      norm_1(qkv + 3 * d),
      all(std::max(norm_1 + 2 * d, std::size_t{model_architecture::vocab} + 2 * d)) {}

training_state::training_state(const model_architecture& arch, std::uint64_t max_positions,
                               const matmul_kernels& by, bool again, team& threads,
                               const kernel_set& kernels)
    : layers(arch.layers),
      d(arch.dim),
      f(arch.ffn),
      heads(arch.heads),
      kernel(kernels),
      products(by),
      recompute(again),
      workers(threads),
      offsets(offsets_of(arch)),
      sums(d, f),
      angles(make_rotary_table(arch.max_seq, arch.dim / arch.heads)) {
  SOMA_ASSERT(is_valid(arch) && max_positions >= 1, "a pass is made for a network and a step");
  const auto most = static_cast<std::size_t>(max_positions);
  for (packed_weight* square : {&query, &key, &value, &output}) *square = room_for(by, d, d);
  inner = room_for(by, d, f);
  outer = room_for(by, f, d);
  predictor = room_for(by, d, vocab);
  for (std::size_t l = 0; l <= layers; ++l) x.emplace_back(most * d);
  for (std::size_t l = 0; l < (recompute ? 1 : layers); ++l) {
    activations.push_back({float_buffer(most * 3 * d), float_buffer(most * d),
                           float_buffer(most * heads), float_buffer(most * d),
                           float_buffer(most * f)});
  }
  for (float_buffer* buffer : {&normalized, &d_x, &d_residual, &d_attended}) {
    *buffer = float_buffer(most * d);
  }
  d_hidden = float_buffer(most * f);
  d_qkv = float_buffer(most * 3 * d);
  d_logits = float_buffer(most * vocab);
  const std::size_t most_tiles = (most + tile - 1) / tile;
  tile_sums = float_buffer(most_tiles * sums.all);
  tile_losses.resize(most_tiles);
  const attention_shape longest{arch.max_seq, heads, d / heads};
  // In scratch, the rows of the tile itself, [tile][D] and [tile][F or V], come before the scratch
  // of a product.
  const std::size_t room =
      std::max({products.attention.scratch(longest), products.transposed_scratch,
                tile * (d + std::max(f, vocab)) +
                    std::max(products.matmul_scratch(tile), kernel.products.matmul_scratch(tile))});
  for (std::size_t worker = 0; worker < workers.size(); ++worker) scratch.emplace_back(room);
}

void training_state::run(const job_list& work) {
  workers.run(work.size(),
              [&](std::size_t job, std::size_t worker) { work[job](scratch[worker].data()); });
}

void training_state::add_packing(job_list& work, packed_weight& to, const affine_offsets& at,
                                 bool packed, bool transposed) const {
  const float* const from = weight(at);
  const auto add = [&](std::size_t k, std::size_t n, std::size_t row_stride,
                       std::size_t column_stride, float* out) {
    for (std::size_t j = 0; j < n; j += packed_columns) {
      work.push_back([this, from, k, n, row_stride, column_stride, out, j](float*) {
        products.pack(from + j * column_stride, row_stride, column_stride, k,
                      std::min(packed_columns, n - j), out + products.packed_size(k, j));
      });
    }
  };
  if (packed) add(to.in, to.out, to.out, 1, to.packed.data());
  if (transposed) add(to.out, to.in, 1, to.out, to.packed_transposed.data());
}

void training_state::add_weight_gradient(job_list& work, const float* input, std::size_t in,
                                         const float* d_output, std::size_t d_output_stride,
                                         std::size_t out, std::size_t to) const {
  for (std::size_t i = 0; i < in; i += transposed_limit) {
    for (std::size_t j = 0; j < out; j += transposed_limit) {
      work.push_back([=, this](float* spare) {
        products.matmul_transposed(input + i, in, d_output + j, d_output_stride, positions,
                                   std::min(transposed_limit, in - i),
                                   std::min(transposed_limit, out - j),
                                   gradients + to + i * out + j, out, spare);
      });
    }
  }
}

void training_state::add_tile_sums(job_list& work, std::size_t from, std::size_t n,
                                   std::size_t to) const {
  SOMA_ASSERT(from + n <= sums.all, "the columns lie in a tile's row of sums");
  for (std::size_t j = 0; j < n; j += sum_columns) {
    work.push_back([=, this](float*) {
      const std::size_t columns = std::min(sum_columns, n - j);
      float* const sum = gradients + to + j;
      std::fill_n(sum, columns, 0.0f);
      kernel.add_column_sums(tile_sums.data() + from + j, sums.all, tiles, columns, sum);
    });
  }
}

}  // namespace soma::training
