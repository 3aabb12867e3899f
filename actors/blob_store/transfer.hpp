// Moves whole blobs to and from a blob store, chunk by chunk, for any actor that has a handle to
// the store. The caller bounds the size before it asks for the first byte.
#pragma once

#include <functional>
#include <memory>

#include "actors/blob_store/blob_store_actor.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/crypto/merkle.hpp"
#include "messages/values/expected.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::blob_store {

inline constexpr std::uint64_t chunk_bytes = crypto::blob_chunk_bytes;

enum class transfer_refusal : std::uint8_t {
  unavailable,   // the store does not have the blob, or can't read it
  wrong_size,    // the blob does not have the expected size
  store_failed,  // the store is gone
  not_stored,    // the store refused, because of its quota or its disk
};

namespace detail {

[[nodiscard]] inline std::vector<hash256> chunk_hashes(byte_view data) {
  std::vector<hash256> hashes;
  for (std::size_t at = 0; at < data.size(); at += chunk_bytes) {
    hashes.push_back(crypto::chunk_hash(data.subspan(at, std::min(chunk_bytes, data.size() - at))));
  }
  return hashes;
}

template <class Self>
struct download : std::enable_shared_from_this<download<Self>> {
  Self self;
  blob_store_actor store;
  blob_id blob;
  std::uint64_t size;
  bytes received;
  std::function<void(expected<bytes, transfer_refusal>)> done;

  void next() {
    const auto number = static_cast<std::uint32_t>(received.size() / chunk_bytes);
    auto keep = this->shared_from_this();
    self->request(store, caf::infinite, message<schema::GetChunk>::build([&](auto out) {
                    out.setBlob(data_of(blob));
                    out.setNumber(number);
                  }))
        .then([keep](const message<schema::Chunk>& reply) { keep->take(reply.root()); },
              [keep](caf::error&) { keep->done(make_unexpected(transfer_refusal::store_failed)); });
  }

  void take(schema::Chunk::Reader chunk) {
    if (is_refused(chunk.getRefusal())) return done(make_unexpected(transfer_refusal::unavailable));
    const auto data = view_of(chunk.getData());
    const auto due = std::min<std::uint64_t>(chunk_bytes, size - received.size());
    if (chunk.getSizeBytes() != size || data.size() != due) {
      return done(make_unexpected(transfer_refusal::wrong_size));
    }
    received.insert(received.end(), data.begin(), data.end());
    SOMA_ASSERT(received.size() <= size, "no more than was asked for");
    if (received.size() < size) return next();
    done(std::move(received));
  }
};

template <class Self>
struct upload : std::enable_shared_from_this<upload<Self>> {
  Self self;
  blob_store_actor store;
  bytes data;
  std::function<void(expected<blob_id, transfer_refusal>)> done;

  template <class Request>
  void send(message<Request> request) {
    auto keep = this->shared_from_this();
    self->request(store, caf::infinite, std::move(request))
        .then([keep](const message<schema::PutProgress>& reply) { keep->go_on(reply.root()); },
              [keep](caf::error&) { keep->done(make_unexpected(transfer_refusal::store_failed)); });
  }

  void go_on(schema::PutProgress::Reader progress) {
    if (is_refused(progress.getRefusal()))
      return done(make_unexpected(transfer_refusal::not_stored));
    const auto blob = id_or_zero<blob_id>(progress.getBlob());
    if (progress.getMissing().size() == 0) return done(blob);
    const auto number = progress.getMissing()[0];
    const auto begin = std::min<std::uint64_t>(data.size(), number * chunk_bytes);
    const auto size = std::min<std::uint64_t>(chunk_bytes, data.size() - begin);
    send(message<schema::PutChunk>::build([&](auto out) {
      out.setBlob(data_of(blob));
      out.setNumber(number);
      out.setData(data_of(byte_view(data).subspan(begin, size)));
    }));
  }
};

}  // namespace detail

/// Fetches a blob of exactly `size_bytes`, which is at least 1. `done` is called once, in the
/// actor's own context.
template <class Self>
void fetch_blob(Self self, const blob_store_actor& store, const blob_id& blob,
                std::uint64_t size_bytes,
                std::function<void(expected<bytes, transfer_refusal>)> done) {
  if (size_bytes == 0) return done(make_unexpected(transfer_refusal::wrong_size));
  auto work = std::make_shared<detail::download<Self>>();
  work->self = self;
  work->store = store;
  work->blob = blob;
  work->size = size_bytes;
  work->done = std::move(done);
  work->next();
}

/// Stores a blob. `done` gets its id when the blob is durable. It is called once, in the actor's
/// own context.
template <class Self>
void store_blob(Self self, const blob_store_actor& store, bytes data,
                std::function<void(expected<blob_id, transfer_refusal>)> done) {
  auto work = std::make_shared<detail::upload<Self>>();
  work->self = self;
  work->store = store;
  work->data = std::move(data);
  work->done = std::move(done);
  if (work->data.size() <= chunk_bytes) {
    work->send(
        message<schema::PutBlob>::build([&](auto out) { out.setData(data_of(work->data)); }));
  } else {
    const auto hashes = detail::chunk_hashes(work->data);
    work->send(message<schema::BeginPut>::build([&](auto out) {
      out.setSizeBytes(work->data.size());
      auto list = out.initChunkHashes(static_cast<unsigned>(hashes.size()));
      for (unsigned i = 0; i < hashes.size(); ++i) list.set(i, data_of(hashes[i]));
    }));
  }
}

}  // namespace soma::blob_store
