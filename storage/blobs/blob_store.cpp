#include "storage/blobs/blob_store.hpp"

#include <fcntl.h>

#include <algorithm>

#include "messages/crypto/merkle.hpp"
#include "messages/values/assert.hpp"
#include "storage/blobs/state.hpp"

namespace soma::blobs {

blob_store::blob_store(const std::filesystem::path& directory, blob_options options)
    : state_(std::make_shared<blob_store_state>(directory, std::move(options))) {}
blob_store::~blob_store() = default;

expected<blob_id, blob_refusal> blob_store::put(byte_view data) {
  if (data.empty()) return make_unexpected(blob_refusal::empty);
  const blob_layout layout{data.size()};
  const auto chunk = [&](std::uint32_t number) {
    return data.subspan(layout.chunk_offset(number), layout.chunk_size(number));
  };
  std::vector<hash256> hashes;
  for (std::uint32_t number = 0; number < layout.chunks(); ++number) {
    hashes.push_back(crypto::chunk_hash(chunk(number)));
  }
  // A blob that is here already is read again, since put must not acknowledge bytes that have
  // changed on the disk. If a chunk is bad, the blob goes to quarantine and is written anew below.
  if (const auto here = open(crypto::blob_root(data.size(), hashes))) {
    for (std::uint32_t number = 0; number < here->chunks(); ++number) {
      if (!here->chunk(number)) break;
    }
  }
  auto writer = begin_put(data.size(), hashes);
  if (!writer) return make_unexpected(writer.error());
  for (const auto number : writer->missing()) {
    const auto put = writer->put_chunk(number, chunk(number));
    SOMA_ASSERT(put.has_value(), "a chunk has the hash that was just computed of it");
  }
  return writer->finish();
}

expected<blob_writer, blob_refusal> blob_store::begin_put(std::uint64_t size_bytes,
                                                          std::span<const hash256> chunk_hashes,
                                                          put_terms terms) {
  auto& store = *state_;
  SOMA_ASSERT(!store.options.read_only, "a store opened for reading takes no blobs");
  if (size_bytes == 0) return make_unexpected(blob_refusal::empty);
  if (size_bytes > max_blob_bytes) return make_unexpected(blob_refusal::too_large);
  const blob_layout layout{size_bytes};
  if (chunk_hashes.size() != layout.chunks()) return make_unexpected(blob_refusal::wrong_hashes);
  auto begun = std::make_unique<blob_writer::state>();
  begun->store = state_;
  begun->id = crypto::blob_root(size_bytes, chunk_hashes);
  begun->layout = layout;
  begun->hashes.assign(chunk_hashes.begin(), chunk_hashes.end());
  begun->terms = terms;
  begun->present.assign(chunk_hashes.size(), false);
  begun->unread.assign(chunk_hashes.size(), false);
  const blob_id& id = begun->id;
  blob_store_state::incoming_file known;
  {
    const std::lock_guard guard(store.mutex);
    if (store.active.contains(id)) return make_unexpected(blob_refusal::put_in_progress);
    if (store.complete.file_bytes(id)) {
      store.complete.touch(id, store.now_ms());
      begun->present.assign(chunk_hashes.size(), true);
      return blob_writer(std::move(begun));
    }
    auto usable = store.incoming.file_bytes(id);
    if (usable && *usable != layout.file_bytes()) {  // a kill cut the file short
      (void)store.drop_incoming(id);
      usable.reset();
    }
    if (!usable && store.quarantined.file_bytes(id) == layout.file_bytes()) {
      store.quarantined.move_to(store.incoming, id);
      store.unfinished[id] = {layout.file_bytes(), {}, {}};
    }
    // The list of the hashes is written at once; of a put that is piecemeal all else comes later.
    const auto list_bytes = layout.file_bytes() - layout.size_bytes;
    if (layout.file_bytes() > store.options.quota_bytes ||
        !store.count_incoming(id, terms.is_piecemeal ? list_bytes : layout.file_bytes(),
                              terms.leaves_free_bytes)) {
      return make_unexpected(blob_refusal::quota_exceeded);
    }
    known = store.unfinished[id];
    store.active.insert(id);
    begun->active = true;
  }
  try {
    begun->open_file(known);
  } catch (const blob_failure&) {
    // The file is removed, and all the bytes that were counted for it are freed, however much of it
    // was created.
    begun->active = false;
    const std::lock_guard guard(store.mutex);
    (void)store.drop_incoming(id);
    store.active.erase(id);
    throw;
  }
  return blob_writer(std::move(begun));
}

bool blob_store::have(const blob_id& id) const {
  return state_->have(id);
}

std::optional<std::uint64_t> blob_store::size_of(const blob_id& id) const {
  const auto opened = open(id);
  if (!opened) return std::nullopt;
  return opened->size_bytes();
}

std::optional<std::uint64_t> blob_store::stated_size(const blob_id& id) const {
  if (!state_->have(id)) return std::nullopt;
  const auto file = state_->complete.open(id, O_RDONLY);
  const auto layout = file.open() ? blob_layout::of_file(file.get()) : std::nullopt;
  if (!layout) return std::nullopt;
  return layout->size_bytes;
}

expected<blob_reader, blob_refusal> blob_store::open(const blob_id& id) const {
  if (!state_->have(id)) return make_unexpected(blob_refusal::unknown);
  auto opened = std::make_unique<blob_reader::state>();
  opened->store = state_;
  opened->id = id;
  opened->file = state_->complete.open(id, O_RDONLY);
  if (!opened->file.open()) return make_unexpected(blob_refusal::unknown);
  const int fd = opened->file.get();
  const auto corrupt = [&] {
    state_->quarantine(id, fd);
    return make_unexpected(blob_refusal::corrupt_chunk);
  };
  const auto layout = blob_layout::of_file(fd);
  if (!layout) return corrupt();
  opened->layout = *layout;
  bytes list(layout->chunks() * blob_layout::hash_bytes);
  if (!read_at(fd, layout->hashes_offset(), list)) return corrupt();
  for (std::size_t at = 0; at < list.size(); at += blob_layout::hash_bytes) {
    opened->hashes.push_back(*hash256::from(byte_view(list).subspan(at, blob_layout::hash_bytes)));
  }
  if (crypto::blob_root(layout->size_bytes, opened->hashes) != id) return corrupt();
  opened->parts_given.resize(layout->chunks());
  return blob_reader(std::move(opened));
}

expected<bytes, blob_refusal> blob_store::get(const blob_id& id, std::uint64_t max_bytes) const {
  const auto opened = open(id);
  if (!opened) return make_unexpected(opened.error());
  if (opened->size_bytes() > max_bytes) return make_unexpected(blob_refusal::too_large);
  bytes data;
  data.reserve(opened->size_bytes());
  for (std::uint32_t number = 0; number < opened->chunks(); ++number) {
    const auto chunk = opened->chunk(number);
    if (!chunk) return make_unexpected(chunk.error());
    data.insert(data.end(), chunk->begin(), chunk->end());
  }
  return data;
}

std::vector<blob_id> blob_store::list() const {
  const std::lock_guard guard(state_->mutex);
  std::vector<blob_id> ids;
  state_->complete.each([&](const blob_id& id, const struct stat&) {
    if (!state_->active.contains(id)) ids.push_back(id);
  });
  return ids;
}

std::uint64_t blob_store::used_bytes() const {
  const std::lock_guard guard(state_->mutex);
  return state_->used_bytes;
}

std::uint64_t blob_store::quota_bytes() const {
  return state_->options.quota_bytes;
}

blob_collection blob_store::collect(std::span<const blob_id> live, std::uint64_t min_age_ms) {
  auto& store = *state_;
  SOMA_ASSERT(!store.options.read_only, "a store opened for reading removes no blobs");
  const std::set<blob_id> kept(live.begin(), live.end());
  blob_collection collected;
  const std::lock_guard guard(store.mutex);
  const auto sweep = [&](const blob_directory& place) {
    place.each([&](const blob_id& id, const struct stat& file) {
      if (store.active.contains(id) || kept.contains(id)) return;
      if (store.age_ms(file) < min_age_ms) return;
      const std::uint64_t freed = place.remove(id);
      store.used_bytes -= freed;
      collected.freed_bytes += freed;
      ++collected.blobs;
    });
  };
  sweep(store.complete);
  sweep(store.quarantined);
  store.incoming.each([&](const blob_id& id, const struct stat& file) {
    if (store.active.contains(id)) return;
    if (store.age_ms(file) < store.options.incoming_max_age_ms) return;
    collected.freed_bytes += store.drop_incoming(id);
    ++collected.blobs;
  });
  return collected;
}

}  // namespace soma::blobs
