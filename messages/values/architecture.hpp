// The one architecture of a network, fixed by its genesis. Only the weights differ between its
// models.
#pragma once

#include <compare>
#include <cstdint>

namespace soma::inline values {

/// Protocol §6.1. The letters for shapes, everywhere in this program: L layers, D dim, H heads, F
/// ffn, S max_seq, V vocab.
struct model_architecture {
  std::uint32_t layers = 24;
  std::uint32_t dim = 2048;
  std::uint32_t heads = 8;
  std::uint32_t ffn = 8192;
  std::uint32_t max_seq = 1024;
  static constexpr std::uint32_t vocab = 264;  // 256 bytes, PAD, EOS, 6 unused

  friend auto operator<=>(const model_architecture&, const model_architecture&) = default;
};

/// The largest values accepted from outside. They bound every size that is computed from an
/// architecture.
inline constexpr std::uint32_t max_layers = 256;
inline constexpr std::uint32_t max_dim = 16'384;
inline constexpr std::uint32_t max_ffn = 65'536;
inline constexpr std::uint32_t max_max_seq = 65'536;

/// True if every field is at least 1 and within its bound, heads divides dim, and the width of a
/// head is even (the rotary embedding works on pairs).
[[nodiscard]] constexpr bool is_valid(const model_architecture& a) {
  return a.layers >= 1 && a.layers <= max_layers && a.dim >= 2 && a.dim <= max_dim &&
         a.heads >= 1 && a.ffn >= 1 && a.ffn <= max_ffn && a.max_seq >= 2 &&
         a.max_seq <= max_max_seq && a.dim % a.heads == 0 && (a.dim / a.heads) % 2 == 0;
}

}  // namespace soma::inline values
