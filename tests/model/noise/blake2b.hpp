// BLAKE2b-256 (RFC 7693), for tests alone, because the recorded digests of noise use it.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "messages/values/bytes.hpp"

namespace soma::test {

inline std::array<std::uint8_t, 32> blake2b_256(byte_view data) {
  constexpr std::array<std::uint64_t, 8> start{
      0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
      0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
  constexpr std::uint8_t order[10][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                          {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
                                          {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
                                          {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
                                          {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
                                          {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
                                          {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
                                          {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
                                          {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
                                          {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};
  auto h = start;
  h[0] ^= 0x01010000 ^ 32;
  std::uint64_t done = 0;
  do {
    const std::size_t size = std::min<std::size_t>(128, data.size());
    std::array<std::uint64_t, 16> m{};
    if (size > 0) std::memcpy(m.data(), data.data(), size);
    data = data.subspan(size);
    done += size;
    std::array<std::uint64_t, 16> v{};
    for (int i = 0; i < 8; ++i) v[i] = h[i], v[i + 8] = start[i];
    v[12] ^= done;
    if (data.empty()) v[14] = ~v[14];
    const auto mix = [&v](int a, int b, int c, int d, std::uint64_t x, std::uint64_t y) {
      v[a] += v[b] + x, v[d] = std::rotr(v[d] ^ v[a], 32);
      v[c] += v[d], v[b] = std::rotr(v[b] ^ v[c], 24);
      v[a] += v[b] + y, v[d] = std::rotr(v[d] ^ v[a], 16);
      v[c] += v[d], v[b] = std::rotr(v[b] ^ v[c], 63);
    };
    for (int round = 0; round < 12; ++round) {
      const auto& s = order[round % 10];
      for (int i = 0; i < 4; ++i) mix(i, i + 4, i + 8, i + 12, m[s[2 * i]], m[s[2 * i + 1]]);
      for (int i = 0; i < 4; ++i) {
        mix(i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12, m[s[8 + 2 * i]],
            m[s[9 + 2 * i]]);
      }
    }
    for (int i = 0; i < 8; ++i) h[i] ^= v[i] ^ v[i + 8];
  } while (!data.empty());
  std::array<std::uint8_t, 32> digest{};
  std::memcpy(digest.data(), h.data(), 32);
  return digest;
}

}  // namespace soma::test
