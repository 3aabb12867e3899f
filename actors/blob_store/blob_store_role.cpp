#include "actors/blob_store/blob_store_role.hpp"

#include <algorithm>

#include "actors/interface/describe_error.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/crypto/merkle.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::blob_store {
namespace {

using progress = message<schema::PutProgress>;
constexpr std::size_t max_open_readers = 16;

void fill_refusal(schema::Refusal::Builder out, blobs::blob_refusal why) {
  static_assert(static_cast<int>(blobs::blob_refusal::incomplete) ==
                static_cast<int>(schema::BlobStoreRefusal::INCOMPLETE));
  out.setBlobStore(static_cast<schema::BlobStoreRefusal>(why));
  out.setWhy(bounded_why(blobs::to_text(why)));
}

progress refused(blobs::blob_refusal why) {
  return progress::build([&](auto out) { fill_refusal(out.initRefusal(), why); });
}

/// Closes the put or the blob that was used least lately. What has come of a put stays on the disk.
template <class Open>
void drop_oldest(Open& open) {
  open.erase(std::ranges::min_element(open, {}, [](const auto& one) { return one.second.used; }));
}

progress whole(const blob_id& blob) {
  return progress::build([&](auto out) { out.setBlob(data_of(blob)); });
}

/// Answers with the missing chunks, or finishes the blob when none is missing.
progress go_on(blob_store_role_state& state, const blob_id& blob) {
  auto& writer = state.writers.at(blob).of;
  state.writers.at(blob).used = ++state.uses;
  const auto missing = writer.missing();
  if (missing.empty()) {
    const auto finished = writer.finish();
    state.writers.erase(blob);
    return finished ? whole(*finished) : refused(finished.error());
  }
  return progress::build([&](auto out) {
    out.setBlob(data_of(blob));
    auto list = out.initMissing(static_cast<unsigned>(missing.size()));
    for (unsigned i = 0; i < missing.size(); ++i) list.set(i, missing[i]);
  });
}

progress begin_put(blob_store_role_state& state, blobs::blob_store& disk,
                   schema::BeginPut::Reader request) {
  std::vector<hash256> hashes;
  for (const auto& hash : request.getChunkHashes()) hashes.push_back(id_or_zero<hash256>(hash));
  // A put that was interrupted goes on when the same blob is announced again.
  if (const auto blob = crypto::blob_root(request.getSizeBytes(), hashes);
      state.writers.contains(blob)) {
    return go_on(state, blob);
  }
  auto writer = disk.begin_put(request.getSizeBytes(), hashes);
  if (!writer) return refused(writer.error());
  // A put that nobody goes on with must not stand in the way of others for ever.
  if (state.writers.size() >= max_open_puts) drop_oldest(state.writers);
  const auto blob = writer->id();
  state.writers.insert_or_assign(blob, used_lately<blobs::blob_writer>{std::move(*writer)});
  return go_on(state, blob);
}

progress put_chunk(blob_store_role_state& state, schema::PutChunk::Reader request) {
  const auto blob = id_or_zero<blob_id>(request.getBlob());
  const auto found = state.writers.find(blob);
  if (found == state.writers.end()) return refused(blobs::blob_refusal::unknown);
  const auto taken = found->second.of.put_chunk(request.getNumber(), view_of(request.getData()));
  if (!taken) return refused(taken.error());
  return go_on(state, blob);
}

/// The reader of a blob. It stays open for the next chunks; the one that was used least lately is
/// closed for it.
expected<blobs::blob_reader*, blobs::blob_refusal> reader_of(blob_store_role_state& state,
                                                             const blobs::blob_store& disk,
                                                             const blob_id& blob) {
  auto found = state.readers.find(blob);
  if (found == state.readers.end()) {
    auto opened = disk.open(blob);
    if (!opened) return make_unexpected(opened.error());
    if (state.readers.size() >= max_open_readers) drop_oldest(state.readers);
    found = state.readers.emplace(blob, used_lately<blobs::blob_reader>{std::move(*opened)}).first;
  }
  found->second.used = ++state.uses;
  return &found->second.of;
}

message<schema::Chunk> get_chunk(blob_store_role_state& state, const blobs::blob_store& disk,
                                 schema::GetChunk::Reader request) {
  const auto refuse = [](blobs::blob_refusal why) {
    return message<schema::Chunk>::build([&](auto out) { fill_refusal(out.initRefusal(), why); });
  };
  const auto blob = id_or_zero<blob_id>(request.getBlob());
  const auto reader = reader_of(state, disk, blob);
  if (!reader) return refuse(reader.error());
  const auto damaged = [&](blobs::blob_refusal why) {
    state.readers.erase(blob);
    return refuse(why);
  };
  if (request.getAsPart()) {
    const auto part = (*reader)->part(request.getNumber());
    if (!part) return damaged(part.error());
    return message<schema::Chunk>::build([&](auto out) {
      out.setSizeBytes((*reader)->size_bytes());
      out.setFile(part->file.string());
      out.setOffset(part->offset);
      out.setPartBytes(static_cast<std::uint32_t>(part->size));
    });
  }
  const auto data = (*reader)->chunk(request.getNumber());
  if (!data) return damaged(data.error());
  return message<schema::Chunk>::build([&](auto out) {
    out.setSizeBytes((*reader)->size_bytes());
    out.setData(data_of(*data));
  });
}

message<schema::BlobDescription> describe(blob_store_role_state& state,
                                          const blobs::blob_store& disk,
                                          schema::GetBlob::Reader request) {
  const auto blob = id_or_zero<blob_id>(request.getBlob());
  const auto reader = reader_of(state, disk, blob);
  return message<schema::BlobDescription>::build([&](auto out) {
    if (!reader) return fill_refusal(out.initRefusal(), reader.error());
    out.setBlob(data_of(blob));
    out.setSizeBytes((*reader)->size_bytes());
    const auto hashes = (*reader)->chunk_hashes();
    auto all = out.initChunkHashes(static_cast<unsigned>(32 * hashes.size()));
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      std::ranges::copy(hashes[i].value, all.begin() + 32 * i);
    }
  });
}

/// A disk that is full refuses the put; the role goes on, and others still read.
template <class Put>
progress unless_full(Put put) {
  try {
    return put();
  } catch (const blobs::blob_failure& failure) {
    if (failure.code() != blobs::blob_failure_code::disk_full) throw;
    return refused(blobs::blob_refusal::quota_exceeded);
  }
}

}  // namespace

blob_store_actor::behavior_type blob_store_role(
    blob_store_actor::stateful_pointer<blob_store_role_state> self, blob_store_ports ports) {
  name_exceptions(*self);
  return {[=](const message<schema::PutBlob>& request) {
            return unless_full([&] {
              const auto blob = ports.disk->put(view_of(request.root().getData()));
              return blob ? whole(*blob) : refused(blob.error());
            });
          },
          [=](const message<schema::BeginPut>& request) {
            return unless_full([&] { return begin_put(self->state, *ports.disk, request.root()); });
          },
          [=](const message<schema::PutChunk>& request) {
            return unless_full([&] { return put_chunk(self->state, request.root()); });
          },
          [=](const message<schema::GetChunk>& request) {
            return get_chunk(self->state, *ports.disk, request.root());
          },
          [=](const message<schema::GetBlob>& request) {
            return describe(self->state, *ports.disk, request.root());
          }};
}

}  // namespace soma::blob_store
