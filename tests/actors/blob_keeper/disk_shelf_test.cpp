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
  explicit shelf_on_disk(std::uint64_t quota_bytes = 64 * mib,
                         std::uint64_t max_data_bytes = UINT64_MAX)
      : max_data_bytes_(max_data_bytes) {
    options.quota_bytes = quota_bytes;
    start();
  }
  /// As when the process is killed and started again.
  void start() {
    shelf.reset();
    disk.reset();
    disk = std::make_shared<blobs::blob_store>(folder.path() / "blobs", options);
    shelf = std::make_unique<disk_shelf>(
        disk, [this](const std::string& line) { notes.push_back(line); }, max_data_bytes_);
  }
  [[nodiscard]] std::filesystem::path incoming(const blob_id& blob) const {
    return folder.path() / "blobs" / "incoming" / to_hex(blob.value);
  }
  blobs::blob_options options;
  scratch_directory folder;
  std::shared_ptr<blobs::blob_store> disk;
  std::vector<std::string> notes;
  std::unique_ptr<disk_shelf> shelf;

 private:
  std::uint64_t max_data_bytes_;
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

  auto begun = to.shelf->begin(data.size(), list);
  REQUIRE(begun);
  CHECK(begun->missing == std::vector<std::uint32_t>{0, 1, 2});
  CHECK_FALSE(to.shelf->begin(data.size(), list));  // a put of it is under way
  const auto second = *from.shelf->part({blob, false, 1});
  CHECK(to.shelf->put(blob, 0, second) == put_result::wrong);
  CHECK(to.shelf->put(blob, 3, second) == put_result::wrong);
  CHECK(to.shelf->put(blob, 1, second) == put_result::kept);
  to.shelf->put_aside(blob);
  CHECK_FALSE(to.shelf->size_of_complete(blob));
  CHECK_FALSE(to.shelf->part({blob, false, 1}));  // of a blob that is not whole nothing is given
  begun = to.shelf->begin(data.size(), list);
  REQUIRE(begun);
  CHECK(begun->missing == std::vector<std::uint32_t>{0, 2});
  for (const auto number : begun->missing) {
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

// By security §9.2. The disk is a thousandth of a home's, as are the weights; what is sent are the
// lists of weights that nobody gives.
TEST_CASE("lists alone take no room from others, and weights leave a quarter of it to data") {
  shelf_on_disk one(64 * mib, mib / 2);
  std::mt19937_64 random(4);
  const std::uint64_t weights_bytes = 5'000'000;
  std::vector<hash256> junk(5);
  std::size_t list_bytes = 0;
  for (std::uint8_t i = 0; i < 100; ++i) {
    junk[0].value[0] = i;
    REQUIRE(one.shelf->begin(weights_bytes, junk));
    one.shelf->put_aside(crypto::blob_root(weights_bytes, junk));
    list_bytes += 32 * junk.size() + 16;
  }
  CHECK(one.disk->used_bytes() == list_bytes);
  const auto store = [&](byte_view data) {
    const auto begun = one.shelf->begin(data.size(), list_of(data));
    const auto blob = crypto::blob_root(data.size(), list_of(data));
    if (!begun) return false;
    for (const auto number : begun->missing) {
      if (one.shelf->put(blob, number, chunk_of(data, number)) == put_result::kept) continue;
      one.shelf->put_aside(blob);
      return false;
    }
    return one.shelf->finish(blob);
  };
  // Weights of which all bytes come fill three quarters, and then data still has room.
  std::size_t whole = 0;
  while (store(random_bytes(random, weights_bytes))) ++whole;
  CHECK(whole == 48 * mib / weights_bytes);
  CHECK(one.disk->used_bytes() <= 48 * mib);
  CHECK(one.notes.size() == 1);
  for (int i = 0; i < 20; ++i) CHECK(store(random_bytes(random, mib / 2)));
  // The count is the same after a start, up to the blocks of the file system.
  const auto used = one.disk->used_bytes();
  one.start();
  CHECK(one.disk->used_bytes() >= used - list_bytes);
  CHECK(one.disk->used_bytes() <= used + 110 * 4'096);
}

// By security §9.2. The chunks that are here are known while the process runs; after a start they
// are read one at a time.
TEST_CASE("a blob that is begun again is not read as a whole") {
  shelf_on_disk one;
  std::mt19937_64 random(5);
  const auto data = random_bytes(random, 9 * mib + 5);
  const auto list = list_of(data);
  const auto blob = crypto::blob_root(data.size(), list);
  REQUIRE(one.shelf->begin(data.size(), list));
  for (const std::uint32_t number : {1, 3, 5, 9}) {
    CHECK(one.shelf->put(blob, number, chunk_of(data, number)) == put_result::kept);
  }
  one.shelf->put_aside(blob);
  flip(one.incoming(blob), 3 * mib + 7);  // what is read would be found to be damaged
  auto begun = one.shelf->begin(data.size(), list);
  REQUIRE(begun);
  CHECK(begun->missing == std::vector<std::uint32_t>{0, 2, 4, 6, 7, 8});
  CHECK(begun->unread.empty());
  one.shelf->put_aside(blob);

  one.start();
  begun = one.shelf->begin(data.size(), list);
  REQUIRE(begun);
  CHECK(begun->missing.empty());
  CHECK(begun->unread.size() == 10);
  CHECK(one.shelf->read_again(blob, 1));
  CHECK_FALSE(one.shelf->read_again(blob, 3));
  CHECK_FALSE(one.shelf->read_again(blob, 0));
  one.shelf->put_aside(blob);
  begun = one.shelf->begin(data.size(), list);
  REQUIRE(begun);
  CHECK(begun->missing == std::vector<std::uint32_t>{0, 3});
  CHECK(begun->unread == std::vector<std::uint32_t>{2, 4, 5, 6, 7, 8, 9});
  for (const auto number : begun->unread) {
    const bool is_here = one.shelf->read_again(blob, number);
    CHECK(is_here == (number == 5 || number == 9));
    if (!is_here) begun->missing.push_back(number);
  }
  for (const auto number : begun->missing) {
    CHECK(one.shelf->put(blob, number, chunk_of(data, number)) == put_result::kept);
  }
  CHECK(one.shelf->finish(blob));
  CHECK(one.disk->get(blob) == data);
  CHECK(one.disk->used_bytes() ==
        std::filesystem::file_size(one.folder.path() / "blobs" / "whole" / to_hex(blob.value)));
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
