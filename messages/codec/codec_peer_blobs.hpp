// Private to messages/codec: the fields of the messages about blobs, as part of
// codec_consensus.cpp.
#pragma once

#include "messages/codec/codec_detail.hpp"
#include "messages/schema/consensus.capnp.h"
#include "messages/values/votes.hpp"

namespace soma::inline codec::fields {

/// Fills a row of fixed fields, `width` bytes each, from the entries of a list.
template <class Entry, class Fill>
bytes row_of(const std::vector<Entry>& from, std::size_t width, Fill&& fill) {
  SOMA_ASSERT(!from.empty(), "a message about blobs names one");
  bytes row(length(from.size(), max_seek_blobs) * width);
  for (std::size_t i = 0; i < from.size(); ++i) fill(from[i], row.data() + i * width);
  return row;
}

/// The number of entries in a row whose fields have `width` bytes; 0 after a refusal.
inline std::size_t row_length(reading& in, byte_view row, std::size_t width) {
  if (row.size() / width > max_seek_blobs) {
    in.refuse(parse_refusal::list_too_long);
  } else if (row.empty() || row.size() % width != 0) {
    in.refuse(parse_refusal::wrong_size);
  }
  return in.refusal() ? 0 : row.size() / width;
}

inline void put(schema::PeerMessage::Builder message, const peer::seek& from) {
  message.initSeek().setBlobs(data_of(row_of(
      from.blobs, 32, [](const blob_id& id, auto* to) { std::ranges::copy(id.value, to); })));
}
inline void take(reading& in, schema::PeerSeek::Reader from, peer::seek& to) {
  const auto row = view_of(from.getBlobs());
  to.blobs.resize(row_length(in, row, 32));
  for (std::size_t i = 0; i < to.blobs.size(); ++i) {
    std::ranges::copy(row.subspan(32 * i, 32), to.blobs[i].value.begin());
  }
}

inline void put(schema::PeerMessage::Builder message, const peer::have& from) {
  auto to = message.initHave();
  to.setBlobs(data_of(row_of(from.blobs, 32, [](const auto& entry, auto* at) {
    std::ranges::copy(entry.blob.value, at);
  })));
  to.setSizes(data_of(row_of(from.blobs, 8, [](const auto& entry, auto* at) {
    for (int i = 0; i < 8; ++i) at[i] = static_cast<std::uint8_t>(entry.size_bytes >> (8 * i));
  })));
}
inline void take(reading& in, schema::PeerHave::Reader from, peer::have& to) {
  const auto ids = view_of(from.getBlobs());
  const auto sizes = view_of(from.getSizes());
  const auto count = row_length(in, ids, 32);
  if (row_length(in, sizes, 8) != count) in.refuse(parse_refusal::wrong_size);
  if (in.refusal()) return;
  to.blobs.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto& entry = to.blobs[i];
    std::ranges::copy(ids.subspan(32 * i, 32), entry.blob.value.begin());
    for (std::size_t k = 0; k < 8; ++k) {
      entry.size_bytes |= std::uint64_t{sizes[8 * i + k]} << (8 * k);
    }
    in.refuse_if(entry.size_bytes == 0 || entry.size_bytes > max_exchanged_blob_bytes,
                 parse_refusal::wrong_size);
  }
}

inline void put(schema::PeerMessage::Builder message, const peer::get& from) {
  auto to = message.initGet();
  to.setBlob(data_of(from.wanted.blob));
  to.setOfList(from.wanted.of_list);
  to.setNumber(from.wanted.number);
}
inline void take(reading& in, schema::PeerGet::Reader from, peer::get& to) {
  in.take(from.getBlob(), to.wanted.blob);
  to.wanted.of_list = from.getOfList();
  to.wanted.number = from.getNumber();
}

inline void put(schema::PeerMessage::Builder message, const peer::part& from) {
  SOMA_ASSERT(!from.later || from.data.empty(), "a part that comes later is not here yet");
  auto to = message.initPart();
  to.setBlob(data_of(from.answered.blob));
  to.setOfList(from.answered.of_list);
  to.setNumber(from.answered.number);
  (void)length(from.data.size(), max_part_bytes);
  if (!from.data.empty()) to.setData(data_of(from.data));
  to.setLater(from.later);
}
inline void take(reading& in, schema::PeerPart::Reader from, peer::part& to) {
  in.take(from.getBlob(), to.answered.blob);
  to.answered.of_list = from.getOfList();
  to.answered.number = from.getNumber();
  in.take(from.getData(), to.data, max_part_bytes);
  to.later = from.getLater();
  in.refuse_if(to.later && !to.data.empty(), parse_refusal::wrong_size);
}

}  // namespace soma::inline codec::fields
