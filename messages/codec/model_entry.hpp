// Reading and writing single schema fields: ids, views, floats, model entries. The readers here
// come from a message<T>, whose words were checked once on entry; what is checked here is what a
// schema can't express, such as lengths.
#pragma once

#include <capnp/blob.h>
#include <capnp/list.h>

#include <optional>
#include <string_view>
#include <vector>

#include "messages/values/bytes.hpp"
#include "messages/values/ids.hpp"
#include "messages/values/transactions.hpp"
#include "messages/wire/role_messages.hpp"

namespace soma::inline codec {

using wire::view_of;  // of Data; the function below is for Text

[[nodiscard]] inline bytes bytes_of(capnp::Data::Reader data) {
  return {data.begin(), data.end()};
}
[[nodiscard]] inline std::string_view view_of(capnp::Text::Reader text) {
  return {text.begin(), text.size()};
}

/// nullopt unless the field has exactly the array's size.
template <std::size_t N>
[[nodiscard]] std::optional<std::array<std::uint8_t, N>> array_of(capnp::Data::Reader data) {
  if (data.size() != N) return std::nullopt;
  std::array<std::uint8_t, N> out;
  std::copy(data.begin(), data.end(), out.begin());
  return out;
}
template <class Id>
[[nodiscard]] std::optional<Id> id_of(capnp::Data::Reader data) {
  return Id::from(view_of(data));
}
/// For messages of our own roles. A field of the wrong length reads as the zero id, which no object
/// has.
template <class Id>
[[nodiscard]] Id id_or_zero(capnp::Data::Reader data) {
  return id_of<Id>(data).value_or(Id{});
}

[[nodiscard]] std::vector<float> floats_of(capnp::List<float>::Reader list);
/// Fills a list of the same size.
void fill(capnp::List<float>::Builder list, std::span<const float> values);

[[nodiscard]] model_version_ref ref_of(schema::ModelVersionRef::Reader ref);
void fill(schema::ModelVersionRef::Builder out, const model_version_ref& ref);

/// One version of a model, with all that is needed to find, decrypt, check and place it.
struct model_entry {
  model_version_ref ref;
  address owner;
  shannons stake;
  std::uint64_t activation_order = 0;
  weights_hash weights;
  cipher_key key{};
  weights_manifest manifest;
  std::vector<float> embedding;
  friend bool operator==(const model_entry&, const model_entry&) = default;
};

/// nullopt when a field has the wrong length.
[[nodiscard]] std::optional<model_entry> entry_of(schema::ModelEntry::Reader entry);
void fill(schema::ModelEntry::Builder out, const model_entry& entry);

}  // namespace soma::inline codec
