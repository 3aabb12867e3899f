// Shared by the codec's sources: how single fields are written and read. A reading carries the
// first refusal met.
#pragma once

#include <algorithm>
#include <bit>
#include <span>
#include <utility>
#include <vector>

#include "messages/schema/models.capnp.h"
#include "messages/schema/transactions.capnp.h"
#include "messages/types/codec.hpp"
#include "messages/types/message.hpp"

namespace soma::codec {

/// Sticky: after a first refusal all further reads go on harmlessly and change nothing about it.
class reading {
 public:
  void refuse(parse_refusal why) {
    if (!refusal_) refusal_ = why;
  }
  void refuse_if(bool wrong, parse_refusal why) {
    if (wrong) refuse(why);
  }
  [[nodiscard]] const std::optional<parse_refusal>& refusal() const { return refusal_; }

  template <std::size_t N>
  void take(capnp::Data::Reader from, std::array<std::uint8_t, N>& to) {
    if (from.size() != N) return refuse(parse_refusal::wrong_size);
    std::copy(from.begin(), from.end(), to.begin());
  }
  template <class Tag>
  void take(capnp::Data::Reader from, id32<Tag>& to) {
    take(from, to.value);
  }
  void take(capnp::Data::Reader from, bytes& to, std::size_t max_size) {
    if (from.size() > max_size) return refuse(parse_refusal::list_too_long);
    to.assign(from.begin(), from.end());
  }
  void take(capnp::List<std::uint32_t>::Reader from, std::vector<float>& to) {
    if (from.size() > max_dim) return refuse(parse_refusal::list_too_long);
    to.resize(from.size());
    for (unsigned i = 0; i < from.size(); ++i) to[i] = std::bit_cast<float>(from[i]);
  }
  /// each(reader of the element, new element of `to`)
  template <class List, class Element, class Each>
  void take_list(const List& from, std::vector<Element>& to, std::size_t max_size, Each&& each) {
    if (from.size() > max_size) return refuse(parse_refusal::list_too_long);
    to.resize(from.size());
    for (unsigned i = 0; i < from.size(); ++i) each(from[i], to[i]);
  }

 private:
  std::optional<parse_refusal> refusal_;
};

/// Schema enums and plain ones name the same values in the same order; the parser has checked the
/// range.
template <class To, class From>
[[nodiscard]] constexpr To same_enum(From value) {
  return static_cast<To>(static_cast<std::uint16_t>(value));
}

/// Asserts a limit that whoever made the value had to keep.
inline unsigned length(std::size_t size, std::size_t max_size) {
  SOMA_ASSERT(size <= max_size, "a list within its limit");
  return static_cast<unsigned>(size);
}

/// init(size) makes the list. An empty one is left away: absence is its only encoding.
template <class Init>
void put_floats(Init&& init, const std::vector<float>& from) {
  if (from.empty()) return;
  auto list = init(length(from.size(), max_dim));
  for (unsigned i = 0; i < from.size(); ++i) list.set(i, std::bit_cast<std::uint32_t>(from[i]));
}
template <class Init, class Element, class Each>
void put_list(Init&& init, const std::vector<Element>& from, std::size_t max_size, Each&& each) {
  if (from.empty()) return;
  auto list = init(length(from.size(), max_size));
  for (unsigned i = 0; i < from.size(); ++i) each(list[i], from[i]);
}

// Parts that several topics share.
void put(schema::WeightsManifest::Builder to, const weights_manifest& from);
void take(reading& in, schema::WeightsManifest::Reader from, weights_manifest& to);
void put(schema::ModelVersionRef::Builder to, const model_version_ref& from);
void take(reading& in, schema::ModelVersionRef::Reader from, model_version_ref& to);
void put(schema::StakePool::Builder to, const stake_pool& from);
void take(schema::StakePool::Reader from, stake_pool& to);
void put(schema::SignedTransaction::Builder to, const signed_transaction& from);
void take(reading& in, schema::SignedTransaction::Reader from, signed_transaction& to);

/// Canonical bytes of schema struct T filled by write(builder, value).
template <class T, class Value, class Write>
[[nodiscard]] bytes encode_as(const Value& value, Write&& write) {
  const auto made = message<T>::build([&](typename T::Builder to) { write(to, value); });
  const auto view = made.bytes();
  return {view.begin(), view.end()};
}

/// The value that read(reading, reader, value) takes from the message in `data`. What it did not
/// take (a list that is there but empty) would be lost on the way back, so such bytes are no
/// encoding of the value.
template <class T, class Value, class Write, class Read>
[[nodiscard]] expected<Value, parse_refusal> decode_as(byte_view data, std::size_t max_bytes,
                                                       Write&& write, Read&& read) {
  const auto parsed = message<T>::parse(data, max_bytes);
  if (!parsed) return make_unexpected(parsed.error());
  Value value;
  reading in;
  read(in, parsed->root(), value);
  if (in.refusal()) return make_unexpected(*in.refusal());
  if (!std::ranges::equal(encode_as<T>(value, write), data)) {
    return make_unexpected(parse_refusal::not_canonical);
  }
  return value;
}

}  // namespace soma::codec

/// encode and decode of `type`, whose encoding has at most max_bytes, by the functions put(builder,
/// value) and take(reading, reader, value).
#define SOMA_CODEC_OF(type, Schema, max_bytes)                                       \
  bytes encode(const type& value) {                                                  \
    return codec::encode_as<schema::Schema>(                                         \
        value, [](auto to, const type& from) { codec::put(to, from); });             \
  }                                                                                  \
  template <>                                                                        \
  expected<type, parse_refusal> decode<type>(byte_view data) {                       \
    return codec::decode_as<schema::Schema, type>(                                   \
        data, max_bytes, [](auto to, const type& from) { codec::put(to, from); },    \
        [](codec::reading& in, auto from, type& to) { codec::take(in, from, to); }); \
  }
