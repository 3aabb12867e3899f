// Shared by the sources of the codec: how single fields are written and read. A `reading` keeps the
// first refusal that it meets.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "messages/codec/codec.hpp"
#include "messages/schema/blocks.capnp.h"
#include "messages/schema/models.capnp.h"
#include "messages/schema/transactions.capnp.h"
#include "messages/wire/canonical.hpp"
#include "messages/wire/message.hpp"

namespace soma::inline codec::fields {

/// A reading keeps its first refusal. Later reads go on without harm and do not change it.
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

/// Schema enums and plain enums name the same values in the same order. The parser has checked the
/// range.
template <class To, class From>
[[nodiscard]] constexpr To same_enum(From value) {
  return static_cast<To>(static_cast<std::uint16_t>(value));
}

/// Asserts a limit that the code that made the value had to keep.
inline unsigned length(std::size_t size, std::size_t max_size) {
  SOMA_ASSERT(size <= max_size, "a list within its limit");
  return static_cast<unsigned>(size);
}

/// init(size) makes the list. An empty list is left out: its absence is its only encoding.
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

/// A copy of a message's bytes whose words are aligned. A small copy needs no heap memory.
class aligned_words {
 public:
  explicit aligned_words(byte_view data) : count_(data.size() / 8) {
    if (count_ > near_.size()) far_.resize(count_);
    std::memcpy(at(), data.data(), count_ * 8);
  }
  [[nodiscard]] std::span<const std::uint64_t> view() const {
    return {far_.empty() ? near_.data() : far_.data(), count_};
  }

 private:
  [[nodiscard]] std::uint64_t* at() { return far_.empty() ? near_.data() : far_.data(); }
  std::size_t count_;
  std::array<std::uint64_t, 128> near_;
  std::vector<std::uint64_t> far_;
};

// Parts that several topics share.
void put(schema::WeightsManifest::Builder to, const weights_manifest& from);
void take(reading& in, schema::WeightsManifest::Reader from, weights_manifest& to);
void put(schema::ModelVersionRef::Builder to, const model_version_ref& from);
void take(reading& in, schema::ModelVersionRef::Reader from, model_version_ref& to);
void put(schema::StakePool::Builder to, const stake_pool& from);
void take(reading& in, schema::StakePool::Reader from, stake_pool& to);
void put(schema::SignedTransaction::Builder to, const signed_transaction& from);
void take(reading& in, schema::SignedTransaction::Reader from, signed_transaction& to);
void put(schema::Block::Builder to, const block& from);
void take(reading& in, schema::Block::Reader from, block& to);

/// The canonical bytes of schema struct T, filled by write(builder, value). They lie in the draft's
/// memory and are valid until the thread encodes again. Asserts that there are not more of them
/// than decode accepts.
template <class T, class Value, class Write>
[[nodiscard]] byte_view draft_as(const Value& value, std::size_t max_bytes, Write&& write) {
  wire::detail::message_draft draft;
  write(draft.root<T>(), value);
  const auto words = draft.finish<T>();
  SOMA_ASSERT(words.size() * 8 <= max_bytes, "a message within its size limit");
  return {reinterpret_cast<const std::uint8_t*>(words.data()), words.size() * 8};
}

template <class T, class Value, class Write>
[[nodiscard]] bytes encode_as(const Value& value, std::size_t max_bytes, Write&& write) {
  const auto view = draft_as<T>(value, max_bytes, write);
  return {view.begin(), view.end()};
}

/// Which program encoded the bytes.
enum class origin : std::uint8_t {
  foreign,
  own,  // encoded by this program, and a checksum has shown that they are still the same
};

/// The value that read(reading, reader, value) takes from the message in `data`. A part that it did
/// not take (a list that is there but empty) would be lost when the value is encoded again, so such
/// bytes are refused as no encoding of the value. For bytes of our own this is not checked.
template <class T, class Value, class Write, class Read>
[[nodiscard]] expected<Value, parse_refusal> decode_as(byte_view data, std::size_t max_bytes,
                                                       origin from, Write&& write, Read&& read) {
  if (const auto fits = check_size(data, max_bytes); !fits) return make_unexpected(fits.error());
  const aligned_words words(data);
  if (const auto checked = check_words(words.view(), structure_for<T>()); !checked) {
    return make_unexpected(checked.error());
  }
  Value value;
  reading in;
  read(
      in,
      capnp::readMessageUnchecked<T>(reinterpret_cast<const capnp::word*>(words.view().data() + 1)),
      value);
  if (in.refusal()) return make_unexpected(*in.refusal());
  if (from == origin::foreign && !std::ranges::equal(draft_as<T>(value, max_bytes, write), data)) {
    return make_unexpected(parse_refusal::not_canonical);
  }
  return value;
}

}  // namespace soma::inline codec::fields

/// Defines encode, decode and decode_own of `type`, whose encoding has at most max_bytes, by the
/// functions put(builder, value) and take(reading, reader, value).
#define SOMA_CODEC_OF(type, Schema, max_bytes)                                            \
  bytes encode(const type& value) {                                                       \
    return fields::encode_as<schema::Schema>(                                             \
        value, max_bytes, [](auto to, const type& from) { fields::put(to, from); });      \
  }                                                                                       \
  static expected<type, parse_refusal> decode_of(const type*, byte_view data,             \
                                                 fields::origin whose) {                  \
    return fields::decode_as<schema::Schema, type>(                                       \
        data, max_bytes, whose, [](auto to, const type& from) { fields::put(to, from); }, \
        [](fields::reading& in, auto from, type& to) { fields::take(in, from, to); });    \
  }                                                                                       \
  template <>                                                                             \
  expected<type, parse_refusal> decode<type>(byte_view data) {                            \
    return decode_of(static_cast<const type*>(nullptr), data, fields::origin::foreign);   \
  }                                                                                       \
  template <>                                                                             \
  expected<type, parse_refusal> decode_own<type>(byte_view data) {                        \
    return decode_of(static_cast<const type*>(nullptr), data, fields::origin::own);       \
  }
