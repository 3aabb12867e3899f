#include "model/exact/network.hpp"

namespace soma::exact {
namespace {

struct matrix {
  const float* weight;
  std::size_t depth;
  std::size_t outputs;
};

/// The panels that one tile of packing takes: about a quarter of a MiB.
std::size_t panels_a_tile(std::size_t depth, std::size_t panel) {
  const std::size_t wanted = (std::size_t{1} << 16) / (depth * panel);
  return wanted < 8 ? 8 : wanted;
}

}  // namespace

std::size_t packed_layer_floats(const model_architecture& arch, std::size_t panel) {
  return 4 * packed_floats(arch.dim, arch.dim, panel) + packed_floats(arch.dim, arch.ffn, panel) +
         packed_floats(arch.ffn, arch.dim, panel);
}

packed_layer packed_layer_at(const model_architecture& arch, std::size_t panel,
                             const float* buffer) {
  const std::size_t square = packed_floats(arch.dim, arch.dim, panel);
  const float* const inner = buffer + 4 * square;
  return {buffer,
          buffer + square,
          buffer + 2 * square,
          buffer + 3 * square,
          inner,
          inner + packed_floats(arch.dim, arch.ffn, panel)};
}

void pack_matrix(const float* weight, std::size_t depth, std::size_t outputs,
                 const kernel_table& kernels, tile_pool& pool, float* buffer) {
  const std::size_t panels = round_up(outputs, kernels.panel) / kernels.panel;
  const std::size_t step = panels_a_tile(depth, kernels.panel);
  pool.run((panels + step - 1) / step, [&](std::size_t tile, unsigned) {
    const std::size_t first = tile * step;
    const std::size_t last = first + step < panels ? first + step : panels;
    kernels.pack(weight, depth, outputs, outputs, first, last, buffer);
  });
}

void pack_layer(const model_architecture& arch, const layer_view& layer,
                const kernel_table& kernels, tile_pool& pool, float* buffer) {
  const std::size_t d = arch.dim;
  const std::size_t f = arch.ffn;
  for (const auto& [weight, depth, outputs] :
       {matrix{layer.query.weight, d, d}, matrix{layer.key.weight, d, d},
        matrix{layer.value.weight, d, d}, matrix{layer.output.weight, d, d},
        matrix{layer.inner.weight, d, f}, matrix{layer.outer.weight, f, d}}) {
    pack_matrix(weight, depth, outputs, kernels, pool, buffer);
    buffer += packed_floats(depth, outputs, kernels.panel);
  }
}

}  // namespace soma::exact
