// SHA-256 with domain tags: H(tag, x) = SHA-256(u8 len(tag) || tag || x). Each use has a tag of its
// own (protocol §1.3).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "messages/values/bytes.hpp"
#include "messages/values/ids.hpp"

namespace soma::crypto {

/// The streaming form: parts are hashed as if they were one string. Integers are hashed little
/// endian unless a name says otherwise. Parts are gathered in a buffer, so that many small ones
/// cost as much as one.
class tagged_hash {
 public:
  explicit tagged_hash(std::string_view tag);
  ~tagged_hash();
  tagged_hash(tagged_hash&&) noexcept;
  tagged_hash& operator=(tagged_hash&&) noexcept;

  tagged_hash& add(byte_view data);
  tagged_hash& add_u8(std::uint8_t value);
  tagged_hash& add_u16(std::uint16_t value);
  tagged_hash& add_u32(std::uint32_t value);
  tagged_hash& add_u64(std::uint64_t value);
  template <class Tag>
  tagged_hash& add(const id32<Tag>& id) {
    return add(id.view());
  }

  /// The digest; the object must not be used afterwards.
  [[nodiscard]] hash256 finish();
  template <class Id>
  [[nodiscard]] Id finish_as() {
    return Id{finish().value};
  }

 private:
  struct context;
  struct give_back {
    void operator()(context* done) const noexcept;
  };
  void feed(byte_view data);

  std::unique_ptr<context, give_back> context_;  // empty as long as all parts fit into `gathered_`
  std::array<std::uint8_t, 128> gathered_;
  std::size_t gathered_bytes_ = 0;
};

/// H(tag, data) in one call.
[[nodiscard]] hash256 hash(std::string_view tag, byte_view data);
/// Plain SHA-256, for files whose published checksum is plain.
[[nodiscard]] hash256 sha256(byte_view data);

}  // namespace soma::crypto
