// Keys whose bytewise order is the order of their fields: ids are stored as they are, numbers big
// endian.
#pragma once

#include <cstdint>

#include "messages/values/amounts.hpp"
#include "messages/values/bytes.hpp"
#include "messages/values/ids.hpp"

namespace soma::tables {

class ordered_key {
 public:
  ordered_key& add(std::uint64_t number) { return add_bytes(number, 8); }
  ordered_key& add_u32(std::uint32_t number) { return add_bytes(number, 4); }
  template <class Tag>
  ordered_key& add(const counter<Tag>& number) {
    return add(number.value);
  }
  template <class Tag>
  ordered_key& add(const id32<Tag>& id) {
    key_.insert(key_.end(), id.value.begin(), id.value.end());
    return *this;
  }
  [[nodiscard]] byte_view view() const { return key_; }

 private:
  ordered_key& add_bytes(std::uint64_t number, int bytes_wanted) {
    for (int i = bytes_wanted - 1; i >= 0; --i) {
      key_.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
    }
    return *this;
  }
  bytes key_;
};

/// The number that all bytes of `data`, at most eight, hold in big endian order.
[[nodiscard]] inline std::uint64_t big_endian(byte_view data) {
  std::uint64_t number = 0;
  for (const auto byte : data) number = (number << 8) | byte;
  return number;
}

}  // namespace soma::tables
