// The single parts of the reference network, on plain vectors, for tests against recorded tensors.
// Tensors are row major. The letters of shapes are those of network.hpp.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace soma::reference {

using plain_values = std::vector<float>;
struct plain_tensor {
  std::vector<std::int64_t> shape;
  plain_values data;
};
/// Tensors under their names in a weights file.
using plain_tensors = std::map<std::string, plain_tensor>;

[[nodiscard]] plain_values layer_norm(const plain_tensor& x, const plain_values& gamma,
                                      const plain_values& beta);
[[nodiscard]] plain_values linear(const plain_tensor& x, const plain_tensor& weight,
                                  const plain_values& bias);
[[nodiscard]] plain_values embed(const std::vector<std::int64_t>& ids, const plain_tensor& table);
[[nodiscard]] plain_values feed_forward(const plain_tensor& x, const plain_tensor& inner,
                                        const plain_values& inner_bias, const plain_tensor& outer,
                                        const plain_values& outer_bias);
/// Rotary embedding of x [B, S, H, W] at the positions first .. first + S - 1.
[[nodiscard]] plain_values rotate(const plain_tensor& x, std::uint32_t first = 0);
/// x: [B, S, D]; `weights` holds query.weight, query.bias, … output.bias.
[[nodiscard]] plain_values attention(const plain_tensor& x, const plain_tensors& weights,
                                     std::int64_t heads);
struct network_outputs {
  plain_values encoded;         // after the layers, without the final norm
  plain_values representation;  // [B, S, D]
  plain_values logits;          // [B, S, V]
};
/// Runs a network of any vocabulary. Its tensors have the names of a weights file. `hidden` is the
/// result of the embedding, [B, S, D]. Without a final norm in `weights`, only `encoded` is
/// computed.
[[nodiscard]] network_outputs run_network(const plain_tensor& hidden, const plain_tensors& weights,
                                          std::int64_t layers, std::int64_t heads);
/// The mean of SIGReg's statistic over the rows of x; noise: [D, K].
[[nodiscard]] double sigreg(const plain_tensor& x, const plain_tensor& noise, std::int64_t points);

/// The largest difference between a kernel of the trainer and libtorch's autograd, in the output
/// and in the gradient of the input.
struct gradient_check {
  double output = 0;
  double gradient = 0;
};
/// Compares attention. qkv: [B, S, 3D], queries, keys and values side by side.
[[nodiscard]] gradient_check compare_attention(const plain_tensor& qkv, std::int64_t heads);

/// Compares GELU at `scale` times x.
[[nodiscard]] gradient_check compare_gelu(const plain_tensor& x, double scale);

}  // namespace soma::reference
