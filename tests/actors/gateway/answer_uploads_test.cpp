#include <doctest/doctest.h>

#include <chrono>
#include <random>

#include "actors/gateway_client/blob_push.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/crypto/merkle.hpp"
#include "messages/signing/signing.hpp"
#include "tests/actors/gateway/served_ledger.hpp"
#include "tests/support/scratch.hpp"

using namespace soma;
using namespace soma::test;

namespace {

constexpr std::size_t chunk = crypto::blob_chunk_bytes;

std::uint64_t unix_ms() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(
      duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
}

/// Account 1 has 100 SOMA, account 2 has one, and that of key 77 is none.
struct upload_world {
  scratch_directory folder;
  std::shared_ptr<blobs::blob_store> store =
      std::make_shared<blobs::blob_store>(folder.path() / "blobs");
  served_ledger served;
  std::mt19937_64 random{11};
  bytes data;
  gateway_client::blob_outline outline;
  blob_id id;

  explicit upload_world(std::size_t size, const served_ledger::change& set = {})
      : served(
            [&](auto& options) {
              options.uploads.bytes_per_soma = 4 * chunk;
              if (set) set(options);
            },
            store),
        data(random_bytes(random, size)),
        outline(gateway_client::outline_of(data)),
        id(crypto::blob_id_of(data)) {}

  [[nodiscard]] chain_id chain() {
    const std::lock_guard lock(served.shared().mutex);
    return served.shared().chain.chain();
  }
  [[nodiscard]] std::string reserve(std::uint64_t key = 1) {
    return gateway_client::make_reservation(key_of(key), chain(), id, data.size(),
                                            unix_ms() + 60'000);
  }
  [[nodiscard]] bytes announcement() const {
    const auto made = message<schema::BeginPut>::build([&](auto out) {
      out.setSizeBytes(outline.size_bytes);
      auto list = out.initChunkHashes(static_cast<unsigned>(outline.chunk_hashes.size()));
      for (unsigned i = 0; i < outline.chunk_hashes.size(); ++i) {
        list.set(i, data_of(outline.chunk_hashes[i]));
      }
    });
    return {made.bytes().begin(), made.bytes().end()};
  }
  [[nodiscard]] std::string path() const { return "/v1/blobs/" + id.text(); }
  answered begin(const std::string& reservation) {
    return served.put(path(), announcement(), {{"Soma-Reservation", reservation}});
  }
  [[nodiscard]] byte_view part(std::size_t number) const {
    return byte_view(data).subspan(number * chunk, std::min(chunk, data.size() - number * chunk));
  }
  answered put(std::size_t number, byte_view body, const std::string& reservation) {
    return served.put(path() + "/chunks/" + std::to_string(number), body,
                      {{"Soma-Reservation", reservation}});
  }
};

}  // namespace

TEST_CASE("an account uploads a blob chunk by chunk, and it is there as a whole at the end") {
  upload_world world(2 * chunk + 10);
  const auto by = world.reserve();
  const auto begun = world.begin(by);
  CHECK(begun.status == 200);
  CHECK(begun.json()["missing_chunks"].text == "3");
  CHECK_FALSE(begun.json()["complete"].is_true());
  CHECK(world.put(2, world.part(2), by).json()["missing_chunks"].text == "2");
  CHECK(world.put(0, world.part(0), by).json()["missing_chunks"].text == "1");
  CHECK(world.put(0, world.part(0), by).json()["missing_chunks"].text == "1");  // once more
  CHECK_FALSE(world.store->have(world.id));
  CHECK(world.put(1, world.part(1), by).json()["complete"].is_true());
  CHECK(world.store->get(world.id).value() == world.data);
  CHECK(world.begin(by).json()["complete"].is_true());
}

TEST_CASE("strangers, foreigners and the late are refused by name, and nothing is written") {
  upload_world world(chunk + 1);
  const auto make = [&](std::uint64_t key, const chain_id& chain, const blob_id& blob,
                        std::uint64_t size, std::uint64_t expiry) {
    return gateway_client::make_reservation(key_of(key), chain, blob, size, expiry);
  };
  const auto chain = world.chain();
  const auto size = world.data.size();
  const auto soon = unix_ms() + 60'000;
  const auto told = [](const answered& got) { return std::to_string(got.status) + got.code(); };
  CHECK(told(world.served.put(world.path(), world.announcement())) == "401no_reservation");
  CHECK(told(world.begin("00")) == "400bad_reservation");
  CHECK(told(world.begin(std::string(3'000, 'a'))) == "400bad_reservation");
  CHECK(told(world.begin(make(1, {{1}}, world.id, size, soon))) == "403other_chain");
  CHECK(told(world.begin(make(1, chain, {{1}}, size, soon))) == "403other_blob");
  CHECK(told(world.begin(make(1, chain, world.id, size - 1, soon))) == "403other_blob");
  CHECK(told(world.begin(make(1, chain, world.id, size, unix_ms() - 5'000))) ==
        "403reservation_expired");
  CHECK(told(world.begin(make(1, chain, world.id, size, unix_ms() + 25 * 3'600'000))) ==
        "403expiry_too_far");
  CHECK(told(world.begin(make(77, chain, world.id, size, soon))) == "403no_account");
  auto forged = make(1, chain, world.id, size, soon);
  forged[forged.size() - 4] = forged[forged.size() - 4] == '0' ? '1' : '0';
  const auto no = world.begin(forged);
  CHECK((no.code() == "bad_signature" || no.code() == "bad_reservation"));
  auto other = message<schema::UploadReservation>::build([&](auto out) {
    const auto sig = signing::sign_upload(key_of(2), chain, world.id, size, soon);
    out.setChain(data_of(chain));
    out.setBlob(data_of(world.id));
    out.setSizeBytes(size);
    out.setExpiryMs(soon);
    out.setKey(data_of(byte_view(key_of(1).public_half())));
    out.setSignature(data_of(byte_view(sig)));
  });
  CHECK(told(world.begin(to_hex(other.bytes()))) == "401bad_signature");
  CHECK(told(world.put(0, world.part(0), make(77, chain, world.id, size, soon))) ==
        "403no_account");
  CHECK(told(world.put(0, world.part(0), make(1, chain, world.id, size, soon))) == "409not_begun");
  CHECK(world.store->used_bytes() == 0);
}

TEST_CASE("what is announced has to be the blob, and what is put has to be its chunk") {
  upload_world world(2 * chunk);
  const auto by = world.reserve();
  const auto begin = [&](byte_view body) {
    return world.served.put(world.path(), body, {{"Soma-Reservation", by}}).code();
  };
  CHECK(begin(as_bytes("nonsense")) == "bad_message");
  CHECK(begin({}) == "bad_message");
  auto wrong = world.outline;
  wrong.chunk_hashes[1].value[0] ^= 1;
  std::swap(world.outline, wrong);
  CHECK(world.begin(by).code() == "wrong_hashes");
  world.outline.chunk_hashes.pop_back();
  CHECK(world.begin(by).code() == "wrong_hashes");
  std::swap(world.outline, wrong);
  CHECK(world.begin(by).status == 200);
  CHECK(world.put(0, world.part(1), by).code() == "wrong_chunk");
  CHECK(world.put(0, world.part(0).first(chunk - 1), by).code() == "wrong_chunk");
  CHECK(world.put(0, {}, by).code() == "wrong_chunk");
  CHECK(world.put(2, world.part(1), by).code() == "wrong_chunk");
  CHECK(world.put(0, bytes(chunk + 1), by).status == 413);
  CHECK(world.put(0, world.part(0), by).status == 200);
  CHECK(world.put(1, world.part(1), by).json()["complete"].is_true());
}

TEST_CASE("an allowance ends, and the same reservation uses it once") {
  upload_world world(4 * chunk, [](auto& options) { options.uploads.bytes_per_soma = 5 * chunk; });
  const auto by = world.reserve(2);  // of an account that has one SOMA
  for (int i = 0; i < 20; ++i) CHECK(world.begin(by).status == 200);
  // The same account, another blob.
  world.data = random_bytes(world.random, 2 * chunk);
  world.outline = gateway_client::outline_of(world.data);
  world.id = crypto::blob_id_of(world.data);
  const auto second = world.begin(world.reserve(2));
  CHECK(second.status == 429);
  CHECK(second.code() == "allowance_used");
  CHECK(second.header("retry-after") != "");
  CHECK(world.begin(world.reserve(1)).status == 200);  // of another account
  world.data = random_bytes(world.random, 6 * chunk);
  world.outline = gateway_client::outline_of(world.data);
  world.id = crypto::blob_id_of(world.data);
  const auto large = world.begin(world.reserve(2));
  CHECK(large.status == 413);
  CHECK(large.code() == "blob_too_large");
}

TEST_CASE("uploads under way and their bytes a second are bounded, and a full store says so") {
  {
    upload_world world(2 * chunk, [](auto& options) { options.uploads.open = 1; });
    CHECK(world.begin(world.reserve()).status == 200);
    world.data = random_bytes(world.random, 2 * chunk);
    world.outline = gateway_client::outline_of(world.data);
    world.id = crypto::blob_id_of(world.data);
    const auto second = world.begin(world.reserve());
    CHECK(second.status == 503);
    CHECK(second.code() == "uploads_full");
  }
  {
    upload_world world(8 * chunk, [](auto& options) {
      options.blob_rates = {.all_per_second = chunk, .host_per_second = chunk, .burst_seconds = 1};
      options.paced_ms = 50;
    });
    const auto by = world.reserve();
    CHECK(world.begin(by).status == 200);
    std::string refused;
    for (std::size_t i = 0; i < 8 && refused.empty(); ++i) {
      const auto got = world.put(i, world.part(i), by);
      if (got.status != 200) refused = std::to_string(got.status) + got.code();
    }
    CHECK(refused == "429too_fast");
  }
  {
    upload_world world(2 * chunk, [](auto& options) {
      options.signature_checks = {.all_per_second = 100, .host_per_second = 2, .burst_seconds = 1};
    });
    // One that is known is not checked again, and one whose signature is wrong is each time.
    const auto good = world.reserve();
    for (int i = 0; i < 5; ++i) CHECK(world.begin(good).status == 200);
    auto wrong = world.reserve();
    wrong.back() = wrong.back() == '0' ? '1' : '0';
    CHECK(world.begin(wrong).code() == "bad_signature");
    const auto refused = world.begin(wrong);
    CHECK(refused.status == 429);
    CHECK(refused.code() == "too_many_signatures");
  }
  scratch_directory folder;
  upload_world world(2 * chunk);
  blobs::blob_options small;
  small.quota_bytes = chunk;
  served_ledger full([](auto& options) { options.uploads.bytes_per_soma = 4 * chunk; },
                     std::make_shared<blobs::blob_store>(folder.path() / "b", small));
  const auto chain = [&] {
    const std::lock_guard lock(full.shared().mutex);
    return full.shared().chain.chain();
  }();
  const auto by = gateway_client::make_reservation(key_of(1), chain, world.id, world.data.size(),
                                                   unix_ms() + 60'000);
  const auto got = full.put(world.path(), world.announcement(), {{"Soma-Reservation", by}});
  CHECK(got.status == 503);
  CHECK(got.code() == "store_full");
}

TEST_CASE("an upload that is cut at any byte goes on with the chunks that are missing") {
  upload_world world(2 * chunk + 500);
  const auto by = world.reserve();
  CHECK(world.begin(by).status == 200);
  CHECK(world.put(0, world.part(0), by).status == 200);
  const auto body = world.part(2);
  const auto head = "PUT " + world.path() +
                    "/chunks/2 HTTP/1.1\r\nHost: h\r\nSoma-Reservation: " + by +
                    "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  const auto whole = head + std::string(body.begin(), body.end());
  for (std::size_t cut = 1; cut < whole.size(); cut += 37) {
    CAPTURE(cut);
    raw_client client(world.served.port());
    client.send(whole.substr(0, cut));
  }
  const auto resumed = world.begin(by);
  CHECK(resumed.json()["missing"].elements.size() == 2);
  CHECK(world.put(2, world.part(2), by).status == 200);
  CHECK(world.put(1, world.part(1), by).json()["complete"].is_true());
  CHECK(world.store->get(world.id).value() == world.data);
}
