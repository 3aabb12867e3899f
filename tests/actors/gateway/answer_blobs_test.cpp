#include <doctest/doctest.h>

#include <random>

#include "actors/gateway_client/blob_pull.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/crypto/merkle.hpp"
#include "tests/actors/gateway/served_ledger.hpp"
#include "tests/support/scratch.hpp"

using namespace soma;
using namespace soma::test;

namespace {

constexpr std::size_t chunk = crypto::blob_chunk_bytes;
const http::name_values as_file{{"Accept", "application/octet-stream"}};

struct blob_disk {
  scratch_directory folder;
  std::shared_ptr<blobs::blob_store> store =
      std::make_shared<blobs::blob_store>(folder.path() / "blobs");
  std::mt19937_64 random{7};

  std::pair<blob_id, bytes> add(std::size_t size) {
    auto data = random_bytes(random, size);
    const auto id = store->put(data).value();
    return {id, std::move(data)};
  }
};

std::string path_of(const blob_id& blob) {
  return "/v1/blobs/" + blob.text();
}

std::string part(const bytes& of, std::size_t first, std::size_t last) {
  return {of.begin() + static_cast<std::ptrdiff_t>(first),
          of.begin() + static_cast<std::ptrdiff_t>(last) + 1};
}

/// A keeper that puts the blob into the store when it is asked for it.
struct keeper_state {};
using keeper_actor = blob_keeper::blob_keeper_actor;

keeper_actor::behavior_type giving_keeper(
    keeper_actor::stateful_pointer<keeper_state>,
    const std::function<void(schema::FetchBlobs::Reader)>& give) {
  return {[give](const message<schema::FetchBlobs>& asked) {
            give(asked.root());
            return message<schema::FetchedBlobs>{};
          },
          [](const message<schema::GetHolders>&) { return message<schema::Holders>{}; },
          [](const message<schema::FromPeer>&) { return message<schema::Ack>{}; },
          [](const message<schema::BlockNotice>&) {}};
}

}  // namespace

TEST_CASE("a blob is described as JSON and as a message that proves itself") {
  blob_disk disk;
  const auto [id, data] = disk.add(2 * chunk + 100);
  served_ledger served({}, disk.store);
  const auto shown = served.get(path_of(id));
  CHECK(shown.status == 200);
  CHECK(shown.json()["blob"].text == id.text());
  CHECK(shown.json()["size_bytes"].text == std::to_string(data.size()));
  CHECK(shown.json()["chunks"].text == "3");
  const auto told = served.get(path_of(id), as_message);
  const auto outline = gateway_client::read_outline(bytes(told.body.begin(), told.body.end()), id);
  REQUIRE(outline.has_value());
  CHECK(outline->size_bytes == data.size());
  CHECK(outline->chunk_hashes.size() == 3);
  CHECK(served.get(path_of({{9}})).status == 404);
  CHECK(served.get(path_of({{9}})).code() == "not_there");
  CHECK(served.get("/v1/blobs/0x12").code() == "bad_id");
}

TEST_CASE("a chunk comes as its bytes, for each number that there is") {
  blob_disk disk;
  const auto [id, data] = disk.add(2 * chunk + 100);
  served_ledger served({}, disk.store);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto got = served.get(path_of(id) + "/chunks/" + std::to_string(i));
    CHECK(got.status == 200);
    CHECK(got.type == "application/octet-stream");
    CHECK(got.body == part(data, i * chunk, std::min((i + 1) * chunk, data.size()) - 1));
  }
  for (const auto* number : {"3", "4294967296", "18446744073709551615"}) {
    CHECK(served.get(path_of(id) + "/chunks/" + number).code() == "not_there");
  }
  for (const auto* number : {"-1", "x", "1.0", "18446744073709551616"}) {
    CHECK(served.get(path_of(id) + "/chunks/" + number).code() == "bad_number");
  }
}

TEST_CASE("a blob that is collected while it is read is given to its end") {
  blob_disk disk;
  const auto [id, data] = disk.add(3 * chunk);
  served_ledger served({}, disk.store);
  CHECK(served.get(path_of(id) + "/chunks/0").status == 200);
  disk.store->collect({}, 0);
  REQUIRE_FALSE(disk.store->have(id));
  CHECK(served.get(path_of(id) + "/chunks/1").body == part(data, chunk, 2 * chunk - 1));
  CHECK(served.get(path_of(id), as_file).body == std::string(data.begin(), data.end()));
}

TEST_CASE("the whole content is streamed, and so is every part of it") {
  blob_disk disk;
  const auto [id, data] = disk.add(5 * chunk + 77);
  served_ledger served({}, disk.store);
  const auto whole = served.get(path_of(id), as_file);
  CHECK(whole.status == 200);
  CHECK(whole.body == std::string(data.begin(), data.end()));
  CHECK(whole.header("content-length") == std::to_string(data.size()));
  CHECK(whole.header("accept-ranges") == "bytes");
  CHECK(whole.header("etag") == "\"" + id.text() + "\"");
  CHECK(whole.header("cache-control").find("immutable") != std::string::npos);
  const auto size = data.size();
  for (const auto& [first, last] :
       std::vector<std::pair<std::size_t, std::size_t>>{{0, 0},
                                                        {size - 1, size - 1},
                                                        {0, size - 1},
                                                        {chunk - 1, chunk},
                                                        {chunk, 2 * chunk - 1},
                                                        {5 * chunk, size - 1},
                                                        {17, 4 * chunk + 3}}) {
    const auto range = std::to_string(first) + "-" + std::to_string(last);
    CAPTURE(range);
    const auto got = served.get(path_of(id), {{"Range", "bytes=" + range}});
    CHECK(got.status == 206);
    CHECK(got.header("content-range") == "bytes " + range + "/" + std::to_string(size));
    CHECK(got.body == part(data, first, last));
  }
  CHECK(served.get(path_of(id), {{"Range", "bytes=-7"}}).body == part(data, size - 7, size - 1));
  const auto beyond = served.get(path_of(id), {{"Range", "bytes=" + std::to_string(size) + "-"}});
  CHECK(beyond.status == 416);
  CHECK(beyond.code() == "range_not_satisfied");
  CHECK(beyond.header("content-range") == "bytes */" + std::to_string(size));
}

TEST_CASE("HEAD says the size alone, and what a client has already is not sent again") {
  blob_disk disk;
  const auto [id, data] = disk.add(chunk + 5);
  served_ledger served({}, disk.store);
  const auto head = served.get(path_of(id), as_file, http::method::head);
  CHECK(head.status == 200);
  CHECK(head.header("content-length") == std::to_string(data.size()));
  CHECK(head.body.empty());
  const auto etag = head.header("etag");
  CHECK(served.get(path_of(id), {as_file[0], {"If-None-Match", etag}}).status == 304);
  const auto with = [&](const std::string& condition) {
    return served.get(path_of(id), {{"Range", "bytes=0-3"}, {"If-Range", condition}}).status;
  };
  CHECK(with(etag) == 206);
  CHECK(with("\"other\"") == 200);
}

TEST_CASE("a gateway without a blob store says so by name") {
  served_ledger served;
  for (const auto* path : {"", "/chunks/0"}) {
    const auto got = served.get(path_of({{1}}) + path);
    CHECK(got.status == 404);
    CHECK(got.code() == "no_blob_store");
  }
  CHECK(served.put(path_of({{1}}), as_bytes("x")).code() == "no_blob_store");
}

TEST_CASE("a damaged blob is never given on: its description is, its bytes are not") {
  blob_disk disk;
  const auto [id, data] = disk.add(3 * chunk);
  served_ledger served({}, disk.store);
  {
    const auto name = id.text().substr(2);
    std::fstream file(disk.folder.path() / "blobs" / "whole" / name,
                      std::ios::in | std::ios::out | std::ios::binary);
    REQUIRE(file.good());
    file.seekp(static_cast<std::streamoff>(chunk + 9));
    file.put(static_cast<char>(data[chunk + 9] ^ 1));
  }
  CHECK_THROWS(served.get(path_of(id), as_file));  // cut in its middle
  CHECK(served.get(path_of(id) + "/chunks/1").status != 200);
}

TEST_CASE("a blob of another home is fetched once, when the ledger names it") {
  blob_disk disk;
  std::mt19937_64 random(3);
  const auto data = random_bytes(random, chunk + 3);
  const auto id = crypto::blob_id_of(data);
  std::atomic<int> asked{0};
  std::atomic<bool> only_named{true};
  served_ledger served({}, disk.store, [&](caf::actor_system& system) {
    return system.spawn(giving_keeper, [&](schema::FetchBlobs::Reader wanted) {
      ++asked;
      only_named = only_named && wanted.getOnlyNamed() && wanted.getWithinMs() > 0;
      if (id_or_zero<blob_id>(wanted.getBlobs()[0].getBlob()) == id) (void)disk.store->put(data);
    });
  });
  CHECK(served.get(path_of({{5}})).code() == "not_there");
  CHECK(asked == 1);
  CHECK(served.get(path_of(id) + "/chunks/1").body == part(data, chunk, data.size() - 1));
  CHECK(asked == 2);
  CHECK(served.get(path_of(id), as_file).body.size() == data.size());
  CHECK(asked == 2);
  CHECK(only_named);
}

TEST_CASE("streams have a limit for a host, and bytes have a rate") {
  blob_disk disk;
  const auto [id, data] = disk.add(8 * chunk);
  served_ledger served(
      [](auto& options) {
        options.blob_streams_per_host = 2;
        options.limits.socket_send_bytes = 32 * 1024;
      },
      disk.store);
  const auto ask = "GET " + path_of(id) + " HTTP/1.1\r\nHost: h\r\nRange: bytes=0-\r\n\r\n";
  std::vector<std::unique_ptr<raw_client>> slow;  // they ask, and read nothing
  for (int i = 0; i < 2; ++i) {
    slow.push_back(
        std::make_unique<raw_client>(served.port(), raw_client::setting{.receive_bytes = 2'048}));
    slow.back()->send(ask);
  }
  std::string code;
  for (int i = 0; i < 200 && code != "too_many_streams"; ++i) {
    const auto got = served.get(path_of(id), {{"Range", "bytes=0-0"}});
    code = got.status == 429 ? got.code() : "";
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  CHECK(code == "too_many_streams");
  slow.clear();  // their places are free again
  unsigned status = 0;
  for (int i = 0; i < 400 && status != 206; ++i) {
    status = served.get(path_of(id), {{"Range", "bytes=0-0"}}).status;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  CHECK(status == 206);

  served_ledger paced(
      [](auto& options) {
        options.blob_rates = {
            .all_per_second = 4 * chunk, .host_per_second = 4 * chunk, .burst_seconds = 1};
        options.paced_ms = 100;
      },
      disk.store);
  const auto began = std::chrono::steady_clock::now();
  CHECK(paced.get(path_of(id), as_file).body.size() == data.size());  // 8 chunks, at 4 a second
  const auto took = std::chrono::steady_clock::now() - began;
  CHECK(took >= std::chrono::milliseconds(700));
  std::string refused;
  for (int i = 0; i < 50 && refused.empty(); ++i) {
    const auto got = paced.get(path_of(id) + "/chunks/0");
    if (got.status != 200) refused = std::to_string(got.status) + got.code();
  }
  CHECK(refused == "429too_fast");
}

TEST_CASE("a slow reader makes room for another when all places are taken") {
  blob_disk disk;
  const auto [id, data] = disk.add(16 * chunk);
  served_ledger served(
      [](auto& options) {
        options.blob_streams = 2;
        options.limits.socket_send_bytes = 32 * 1024;
      },
      disk.store);
  const auto ask = "GET " + path_of(id) + " HTTP/1.1\r\nHost: h\r\nRange: bytes=0-\r\n\r\n";
  std::vector<std::unique_ptr<raw_client>> slow;
  for (int i = 0; i < 2; ++i) {
    slow.push_back(std::make_unique<raw_client>(
        served.port(),
        raw_client::setting{.from = "127.0.0." + std::to_string(5 + i), .receive_bytes = 2'048}));
    slow.back()->send(ask);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  CHECK(served.get(path_of(id), {{"Range", "bytes=0-0"}}).status == 503);
  unsigned status = 0;  // after some seconds they count as slow: 1 to 5 chunks each have gone
  for (int i = 0; i < 600 && status != 206; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    status = served.get(path_of(id), {{"Range", "bytes=0-0"}}).status;
  }
  CHECK(status == 206);
}

TEST_CASE("the holders of a blob are asked for its size, and nothing proves them") {
  served_ledger served;
  const auto got = served.get(path_of({{1}}) + "/holders?size=5");
  CHECK(got.status == 200);
  CHECK_FALSE(got.json()["can_ask"].is_true());
  CHECK_FALSE(got.json()["proven"].is_true());
  CHECK(served.get(path_of({{1}}) + "/holders").code() == "bad_number");
  served.shared().is_silent = true;
}
