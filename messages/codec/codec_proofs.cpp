#include "messages/codec/codec_proofs.hpp"

#include "messages/codec/codec_detail.hpp"
#include "messages/schema/proofs.capnp.h"

namespace soma::inline codec {

namespace fields {
namespace {

void append(bytes& to, const hash256& hash) {
  to.insert(to.end(), hash.value.begin(), hash.value.end());
}
void append(bytes& to, const state_pair& pair) {
  append(to, pair.key);
  append(to, pair.value);
}

void read(byte_view from, hash256& to) {
  std::ranges::copy(from, to.value.begin());
}
void read(byte_view from, state_pair& to) {
  read(from.first(32), to.key);
  read(from.subspan(32), to.value);
}

/// Calls set(data) if there are elements: the absence of the field is the only encoding of an empty
/// list.
template <class Element, class Set>
void put_row(const std::vector<Element>& from, std::size_t most, Set&& set) {
  if (from.empty()) return;
  bytes all;
  all.reserve(length(from.size(), most) * sizeof(Element));
  for (const auto& element : from) append(all, element);
  set(data_of(all));
}
template <class Element>
void take_row(reading& in, capnp::Data::Reader from, std::vector<Element>& to, std::size_t most) {
  if (from.size() % sizeof(Element) != 0) return in.refuse(parse_refusal::wrong_size);
  if (from.size() / sizeof(Element) > most) return in.refuse(parse_refusal::list_too_long);
  to.resize(from.size() / sizeof(Element));
  for (std::size_t i = 0; i < to.size(); ++i) {
    read(view_of(from).subspan(i * sizeof(Element), sizeof(Element)), to[i]);
  }
}
}  // namespace

static_assert(sizeof(hash256) == 32 && sizeof(state_pair) == 64);

static void put(schema::StateProof::Builder to, const state_proof& from) {
  put_row(from.leaf, max_leaf_rows, [&](auto data) { to.setLeaf(data); });
  put_row(from.siblings, max_state_depth, [&](auto data) { to.setSiblings(data); });
  to.setRows(from.totals.rows);
  to.setBytes(from.totals.bytes);
}
static void take(reading& in, schema::StateProof::Reader from, state_proof& to) {
  take_row(in, from.getLeaf(), to.leaf, max_leaf_rows);
  take_row(in, from.getSiblings(), to.siblings, max_state_depth);
  to.totals = {from.getRows(), from.getBytes()};
}

static void put(schema::ChunkProof::Builder to, const chunk_proof& from) {
  put_row(from.siblings, max_chunk_siblings, [&](auto data) { to.setSiblings(data); });
  to.setRows(from.totals.rows);
  to.setBytes(from.totals.bytes);
}
static void take(reading& in, schema::ChunkProof::Reader from, chunk_proof& to) {
  take_row(in, from.getSiblings(), to.siblings, max_chunk_siblings);
  to.totals = {from.getRows(), from.getBytes()};
}

static void put(schema::ProvenRow::Builder to, const proven_row& from) {
  SOMA_ASSERT(!from.key.empty() && from.key.size() <= max_proven_key_bytes, "a row's key");
  to.setHeader(data_of(header_layout(from.header)));
  to.setKey(data_of(from.key));
  to.setPresent(from.value.has_value());
  if (from.value && !from.value->empty()) {
    SOMA_ASSERT(from.value->size() <= max_proven_value_bytes, "a value within its limit");
    to.setValue(data_of(*from.value));
  }
  put(to.initProof(), from.proof);
}
static void take(reading& in, schema::ProvenRow::Reader from, proven_row& to) {
  if (auto header = decode<block_header>(view_of(from.getHeader()))) {
    to.header = *header;
  } else {
    in.refuse(header.error());
  }
  in.refuse_if(from.getKey().size() == 0, parse_refusal::wrong_size);
  in.take(from.getKey(), to.key, max_proven_key_bytes);
  if (from.getPresent()) in.take(from.getValue(), to.value.emplace(), max_proven_value_bytes);
  take(in, from.getProof(), to.proof);
}

}  // namespace fields

SOMA_CODEC_OF(state_proof, StateProof, 16'384)
SOMA_CODEC_OF(chunk_proof, ChunkProof, 8'192)
SOMA_CODEC_OF(proven_row, ProvenRow, max_proven_value_bytes + 20'000)

}  // namespace soma::inline codec
