// SHA-256 (FIPS 180-4), so that this library can compute digests with the standard library alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace soma::exact {

class sha256 {
 public:
  void add(const std::uint8_t* data, std::size_t size);
  /// The digest of all bytes added. The object must not be used afterwards.
  [[nodiscard]] std::array<std::uint8_t, 32> finish();

 private:
  void compress(const std::uint8_t* block);

  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::uint8_t, 64> rest_{};
  std::uint64_t size_ = 0;
};

}  // namespace soma::exact
