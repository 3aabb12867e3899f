// Hashes and the strong ids made of them: 32 bytes each, ordered bytewise, shown as "0x" + 64 hex
// digits.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "messages/values/bytes.hpp"

namespace soma::inline values {

/// 32 bytes that identify something. `Tag` keeps the id of a target from being passed as that of a
/// model.
template <class Tag>
struct id32 {
  std::array<std::uint8_t, 32> value{};

  friend auto operator<=>(const id32&, const id32&) = default;
  [[nodiscard]] byte_view view() const { return value; }
  [[nodiscard]] bool is_zero() const { return *this == id32{}; }
  [[nodiscard]] std::string text() const { return "0x" + to_hex(value); }
  /// The first eight digits, which are enough for a person to tell two ids apart.
  [[nodiscard]] std::string short_text() const { return "0x" + to_hex(byte_view(value).first(4)); }

  /// nullopt unless `data` has exactly 32 bytes.
  [[nodiscard]] static std::optional<id32> from(byte_view data) {
    if (data.size() != 32) return std::nullopt;
    id32 id;
    std::copy(data.begin(), data.end(), id.value.begin());
    return id;
  }
  /// nullopt unless `text` is 64 hex digits, with or without "0x".
  [[nodiscard]] static std::optional<id32> parse(std::string_view text) {
    const auto data = from_hex(text);
    return data ? from(*data) : std::nullopt;
  }
  /// The same 32 bytes as an id of another kind, for the few places where one id is defined as
  /// another.
  template <class Other>
  [[nodiscard]] id32<Other> as() const {
    return id32<Other>{value};
  }
};

using hash256 = id32<struct hash_tag>;                // any SHA-256 value without a role of its own
using chain_id = id32<struct chain_tag>;              // H("soma.chain", genesis)
using address = id32<struct address_tag>;             // H("soma.address", public key)
using transaction_id = id32<struct transaction_tag>;  // H("soma.tx", signed bytes)
using block_id = id32<struct block_tag>;              // H("SX1/block", header)
/// H("soma.model", id of the transaction that committed it)
using model_id = id32<struct model_tag>;
using target_id = id32<struct target_tag>;      // H("soma.target-id", entropy || index)
using data_hash = id32<struct data_tag>;        // H("soma.blob-data", bytes) of submitted data
using weights_hash = id32<struct weights_tag>;  // H("soma.weights", plain safetensors file)
using blob_id = id32<struct blob_tag>;          // Merkle root of a stored blob's chunk hashes
using state_root = id32<struct state_tag>;      // Merkle root of the ledger's rows

using public_key = std::array<std::uint8_t, 32>;  // Ed25519
using signature = std::array<std::uint8_t, 64>;   // Ed25519
using cipher_key = std::array<std::uint8_t, 32>;  // AES-256
using cipher_iv = std::array<std::uint8_t, 16>;   // AES-CTR initial counter block

}  // namespace soma::inline values

template <class Tag>
struct std::hash<soma::id32<Tag>> {
  std::size_t operator()(const soma::id32<Tag>& id) const noexcept {
    // Ids are hashes already, so any eight bytes of an id are spread evenly.
    std::size_t result;
    std::memcpy(&result, id.value.data(), sizeof result);
    return result;
  }
};
