#include "actors/blob_store/blob_store_role.hpp"

#include <doctest/doctest.h>

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <fstream>
#include <random>

#include "actors/cluster/system_config.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/crypto/merkle.hpp"
#include "messages/wire/refusals.hpp"
#include "tests/support/scratch.hpp"

using namespace soma;
using namespace soma::test;

namespace {

constexpr std::size_t chunk = crypto::blob_chunk_bytes;

struct served_store {
  scratch_directory folder;
  std::shared_ptr<blobs::blob_store> disk;
  cluster::system_config config;
  caf::actor_system system{config};
  blob_store::blob_store_actor role;
  std::mt19937_64 random{3};

  explicit served_store(blobs::blob_options options = {})
      : disk(std::make_shared<blobs::blob_store>(folder.path() / "blobs", options)),
        role(system.spawn(blob_store::blob_store_role, blob_store::blob_store_ports{disk})) {}
  ~served_store() { caf::anon_send_exit(role, caf::exit_reason::user_shutdown); }

  template <class Reply, class Request>
  message<Reply> ask(const message<Request>& request) {
    std::optional<message<Reply>> got;
    caf::scoped_actor self(system);
    self->request(role, std::chrono::seconds(20), request)
        .receive([&](const message<Reply>& reply) { got = reply; },
                 [](const caf::error& error) { FAIL(caf::to_string(error)); });
    return *got;
  }
  message<schema::PutProgress> begin(const bytes& data) {
    return ask<schema::PutProgress>(message<schema::BeginPut>::build([&](auto out) {
      out.setSizeBytes(data.size());
      const auto count = static_cast<unsigned>(crypto::chunk_count(data.size()));
      auto list = out.initChunkHashes(count);
      for (unsigned i = 0; i < count; ++i) {
        const auto hash = crypto::chunk_hash(part(data, i));
        list.set(i, data_of(hash));
      }
    }));
  }
  [[nodiscard]] static byte_view part(const bytes& data, std::size_t number) {
    return byte_view(data).subspan(number * chunk, std::min(chunk, data.size() - number * chunk));
  }
  message<schema::PutProgress> put(const bytes& data, unsigned number) {
    const auto id = crypto::blob_id_of(data);
    return ask<schema::PutProgress>(message<schema::PutChunk>::build([&](auto out) {
      out.setBlob(data_of(id));
      out.setNumber(number);
      out.setData(data_of(part(data, number)));
    }));
  }
  message<schema::BlobDescription> describe(const blob_id& id) {
    return ask<schema::BlobDescription>(
        message<schema::GetBlob>::build([&](auto out) { out.setBlob(data_of(id)); }));
  }
};

}  // namespace

TEST_CASE("the description of a blob proves itself, and there is none before the blob is whole") {
  served_store store;
  const auto data = random_bytes(store.random, 2 * chunk + 9);
  const auto id = crypto::blob_id_of(data);
  CHECK(store.describe(id).root().getRefusal().getBlobStore() == schema::BlobStoreRefusal::UNKNOWN);
  CHECK(store.begin(data).root().getMissing().size() == 3);
  for (unsigned i = 0; i < 3; ++i) {
    CHECK(is_refused(store.describe(id).root().getRefusal()));
    CHECK(store.put(data, i).root().getMissing().size() == 2 - i);
  }
  const auto told = store.describe(id);
  CHECK(told.root().getSizeBytes() == data.size());
  const auto hashes = view_of(told.root().getChunkHashes());
  REQUIRE(hashes.size() == 3 * 32);
  std::vector<hash256> read(3);
  for (std::size_t i = 0; i < 3; ++i) {
    std::ranges::copy(hashes.subspan(32 * i, 32), read[i].value.begin());
  }
  CHECK(crypto::blob_root(data.size(), read) == id);
}

TEST_CASE("a put that nobody goes on with makes room, and goes on when it is announced again") {
  served_store store;
  std::vector<bytes> all;
  for (std::size_t i = 0; i < blob_store::max_open_puts + 1; ++i) {
    all.push_back(random_bytes(store.random, chunk + 1));
    CHECK(store.begin(all.back()).root().getMissing().size() == 2);
    if (i == 0) {
      CHECK(store.put(all[0], 0).root().getMissing().size() == 1);
    }
    // The second one is used all the time, and stays.
    if (i > 0) {
      CHECK(store.begin(all[1]).root().getMissing().size() == 2);
    }
  }
  CHECK(store.put(all[0], 1).root().getRefusal().getBlobStore() ==
        schema::BlobStoreRefusal::UNKNOWN);
  CHECK(store.begin(all[0]).root().getMissing().size() == 1);  // what came is still here
  CHECK(store.put(all[0], 1).root().getMissing().size() == 0);
  CHECK(store.disk->have(crypto::blob_id_of(all[0])));
  CHECK(store.put(all[1], 0).root().getMissing().size() == 1);
}

TEST_CASE("a quota that is full refuses, and the role goes on") {
  blobs::blob_options small;
  small.quota_bytes = 3 * chunk;
  served_store store(small);
  const auto large = random_bytes(store.random, 4 * chunk),
             fits = random_bytes(store.random, chunk);
  CHECK(store.begin(large).root().getRefusal().getBlobStore() ==
        schema::BlobStoreRefusal::QUOTA_EXCEEDED);
  const auto put = store.ask<schema::PutProgress>(
      message<schema::PutBlob>::build([&](auto out) { out.setData(data_of(byte_view(fits))); }));
  CHECK_FALSE(is_refused(put.root().getRefusal()));
  CHECK(store.describe(crypto::blob_id_of(fits)).root().getSizeBytes() == chunk);
}

TEST_CASE("a chunk is given as bytes, or as the part of a file that has them") {
  served_store store;
  const auto data = random_bytes(store.random, chunk + 9);
  const auto id = store.disk->put(data).value();
  const auto get = [&](std::uint32_t number, bool as_part) {
    return store.ask<schema::Chunk>(message<schema::GetChunk>::build([&](auto out) {
      out.setBlob(data_of(id));
      out.setNumber(number);
      out.setAsPart(as_part);
    }));
  };
  const auto whole = get(1, false), part = get(1, true);
  CHECK(std::ranges::equal(view_of(whole.root().getData()), store.part(data, 1)));
  CHECK(part.root().getData().size() == 0);
  CHECK(part.root().getPartBytes() == 9);
  CHECK(part.root().getSizeBytes() == data.size());
  std::ifstream file(part.root().getFile().cStr(), std::ios::binary);
  file.seekg(static_cast<std::streamoff>(part.root().getOffset()));
  bytes read(9);
  file.read(reinterpret_cast<char*>(read.data()), 9);
  CHECK(std::ranges::equal(read, store.part(data, 1)));
  for (const bool as_part : {false, true}) {
    CHECK(get(2, as_part).root().getRefusal().getBlobStore() ==
          schema::BlobStoreRefusal::WRONG_CHUNK);
  }
}
