// The parts of the twin one by one, on plain vectors, for tests against recorded tensors. Shapes
// are row major; letters as in network.hpp.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace soma::model::twin_modules {

using values = std::vector<float>;
/// Tensors by the names of a weights file, with shapes.
struct shaped {
  std::vector<std::int64_t> shape;
  values data;
};
using tensors = std::map<std::string, shaped>;

[[nodiscard]] values layer_norm(const shaped& x, const values& gamma, const values& beta);
[[nodiscard]] values linear(const shaped& x, const shaped& weight, const values& bias);
[[nodiscard]] values embed(const std::vector<std::int64_t>& ids, const shaped& table);
[[nodiscard]] values feed_forward(const shaped& x, const shaped& inner, const values& inner_bias,
                                  const shaped& outer, const values& outer_bias);
/// x: [N, S, H, W] at positions 0..S-1 plus `first`.
[[nodiscard]] values rotate(const shaped& x, std::uint32_t first = 0);
/// x: [N, S, D]; `weights` holds query.weight, query.bias, … output.bias.
[[nodiscard]] values attention(const shaped& x, const tensors& weights, std::int64_t heads);
/// A whole network with the tensors of a weights file, of any vocabulary; hidden: [N, S, D]
/// embeddings. Without final_norm there is only `encoded`.
struct outputs {
  values encoded;         // after the layers, without the final norm
  values representation;  // [N, S, D]
  values logits;          // [N, S, V]
};
[[nodiscard]] outputs run_network(const shaped& hidden, const tensors& weights, std::int64_t layers,
                                  std::int64_t heads);
/// SIGReg's statistic, mean over the rows of x; noise: [D, K].
[[nodiscard]] double sigreg(const shaped& x, const shaped& noise, std::int64_t points);

/// Largest difference between the trainer's attention kernel and the plain attention under
/// autograd: output, then gradient of the input.
struct gradient_check {
  double output = 0;
  double gradient = 0;
};
/// qkv: [N, S, 3D], queries, keys, values side by side.
[[nodiscard]] gradient_check compare_attention(const shaped& qkv, std::int64_t heads);

/// The same for GELU, at `scale` times x.
[[nodiscard]] gradient_check compare_gelu(const shaped& x, double scale);

}  // namespace soma::model::twin_modules
