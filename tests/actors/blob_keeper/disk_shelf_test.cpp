#include "actors/blob_keeper/disk_shelf.hpp"

#include <doctest/doctest.h>

#include "messages/crypto/merkle.hpp"
#include "tests/support/scratch.hpp"

namespace soma::test {
namespace {

using blob_exchange::put_result;
using blob_keeper::disk_shelf;

constexpr std::size_t mib = std::size_t{1} << 20;

struct shelf_on_disk {
  explicit shelf_on_disk(std::uint64_t quota_bytes = 64 * mib) {
    blobs::blob_options options;
    options.quota_bytes = quota_bytes;
    disk = std::make_shared<blobs::blob_store>(folder.path() / "blobs", options);
    shelf = std::make_unique<disk_shelf>(
        disk, [this](const std::string& line) { notes.push_back(line); });
  }
  scratch_directory folder;
  std::shared_ptr<blobs::blob_store> disk;
  std::vector<std::string> notes;
  std::unique_ptr<disk_shelf> shelf;
};

std::vector<hash256> list_of(byte_view data) {
  std::vector<hash256> list;
  for (std::size_t at = 0; at < data.size(); at += mib) {
    list.push_back(crypto::chunk_hash(data.subspan(at, std::min(mib, data.size() - at))));
  }
  return list;
}
byte_view chunk_of(byte_view data, std::size_t number) {
  return data.subspan(number * mib, std::min(mib, data.size() - number * mib));
}

}  // namespace

TEST_CASE("a blob that came chunk by chunk is given out part by part") {
  shelf_on_disk from, to;
  std::mt19937_64 random(1);
  const auto data = random_bytes(random, 2 * mib + 77);
  const auto blob = *from.disk->put(data);
  CHECK(from.shelf->size_of_complete(blob) == data.size());
  const auto page = from.shelf->part({blob, true, 0});
  REQUIRE(page);
  std::vector<hash256> list;
  for (std::size_t at = 0; at < page->size(); at += 32) {
    list.push_back(*hash256::from(byte_view(*page).subspan(at, 32)));
  }
  CHECK(list == list_of(data));
  CHECK_FALSE(from.shelf->part({blob, true, 1}));
  CHECK_FALSE(from.shelf->part({blob, false, 3}));
  CHECK_FALSE(from.shelf->part({blob_id{{1}}, false, 0}));

  auto missing = to.shelf->begin(data.size(), list);
  REQUIRE(missing);
  CHECK(*missing == std::vector<std::uint32_t>{0, 1, 2});
  CHECK_FALSE(to.shelf->begin(data.size(), list));  // a put of it is under way
  const auto second = *from.shelf->part({blob, false, 1});
  CHECK(to.shelf->put(blob, 0, second) == put_result::wrong);
  CHECK(to.shelf->put(blob, 3, second) == put_result::wrong);
  CHECK(to.shelf->put(blob, 1, second) == put_result::kept);
  to.shelf->put_aside(blob);
  CHECK_FALSE(to.shelf->size_of_complete(blob));
  CHECK_FALSE(to.shelf->part({blob, false, 1}));  // of a blob that is not whole nothing is given
  missing = to.shelf->begin(data.size(), list);
  REQUIRE(missing);
  CHECK(*missing == std::vector<std::uint32_t>{0, 2});
  for (const auto number : *missing) {
    CHECK(to.shelf->put(blob, number, chunk_of(data, number)) == put_result::kept);
  }
  CHECK(to.shelf->finish(blob));
  CHECK(to.shelf->size_of_complete(blob) == data.size());
  CHECK(to.disk->get(blob) == data);
  CHECK(to.notes.empty());
}

TEST_CASE("a store without room refuses, says so once, and says when there is room again") {
  shelf_on_disk full(mib);
  std::mt19937_64 random(2);
  const auto large = random_bytes(random, mib + 1), small = random_bytes(random, 10);
  for (int i = 0; i < 3; ++i) CHECK_FALSE(full.shelf->begin(large.size(), list_of(large)));
  CHECK(full.notes.size() == 1);
  REQUIRE(full.shelf->begin(small.size(), list_of(small)));
  const auto blob = crypto::blob_id_of(small);
  CHECK(full.shelf->put(blob, 0, small) == put_result::kept);
  CHECK(full.shelf->finish(blob));
  CHECK(full.notes.size() == 2);
}

TEST_CASE("a part that the disk has damaged is not given, and a failing disk ends nothing") {
  shelf_on_disk one;
  std::mt19937_64 random(3);
  const auto data = random_bytes(random, 5'000);
  const auto blob = *one.disk->put(data);
  CHECK(one.shelf->part({blob, false, 0}) == data);
  flip(one.folder.path() / "blobs" / "whole" / to_hex(blob.value), 7);
  CHECK_FALSE(one.shelf->part({blob, false, 0}));
  CHECK_FALSE(one.shelf->size_of_complete(blob));
  std::filesystem::remove_all(one.folder.path() / "blobs");
  CHECK_FALSE(one.shelf->begin(data.size(), list_of(data)));
  CHECK(one.notes.size() == 1);
}

}  // namespace soma::test
