#include <doctest/doctest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include "messages/crypto/merkle.hpp"
#include "storage/blobs/blob_store.hpp"
#include "tests/support/scratch.hpp"

using namespace soma;
using namespace soma::blobs;
using soma::test::random_bytes;
using soma::test::scratch_directory;

namespace {

constexpr std::size_t chunk = crypto::blob_chunk_bytes;

std::vector<hash256> hashes_of(byte_view data) {
  std::vector<hash256> hashes;
  for (std::size_t at = 0; at < data.size(); at += chunk) {
    hashes.push_back(crypto::chunk_hash(data.subspan(at, std::min(chunk, data.size() - at))));
  }
  return hashes;
}

byte_view chunk_of(byte_view data, std::uint32_t number) {
  const std::size_t at = number * chunk;
  return data.subspan(at, std::min(chunk, data.size() - at));
}

std::uint64_t file_bytes(std::uint64_t size) {
  return size + 32 * ((size + chunk - 1) / chunk) + 16;
}

template <class T>
std::string refusal_of(const expected<T, blob_refusal>& result) {
  return result ? "none" : std::string(to_text(result.error()));
}

std::filesystem::path file_of(const scratch_directory& dir, const char* place, const blob_id& id) {
  return dir.path() / place / to_hex(id.value);
}

std::size_t files_in(const std::filesystem::path& path) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path), {}));
}

}  // namespace

TEST_CASE("what is put comes back, whatever its size, also after reopening") {
  const scratch_directory dir;
  std::mt19937_64 random(1);
  std::vector<std::pair<blob_id, bytes>> kept;
  std::uint64_t used = 0;
  {
    blob_store store(dir.path() / "blobs");
    for (const std::size_t size : {std::size_t{1}, std::size_t{31}, std::size_t{4'096}, chunk - 1,
                                   chunk, chunk + 1, 3 * chunk, 3 * chunk + 77}) {
      const bytes data = random_bytes(random, size);
      const auto id = store.put(data);
      REQUIRE(id.has_value());
      CHECK(*id == crypto::blob_id_of(data));
      CHECK(store.have(*id));
      kept.emplace_back(*id, data);
      used += file_bytes(size);
      CHECK(store.used_bytes() == used);
      CHECK(store.put(data) == id);  // the same blob again, without using more bytes
      CHECK(store.used_bytes() == used);
    }
    CHECK(refusal_of(store.put({})) == "empty");
  }
  blob_store store(dir.path() / "blobs");
  CHECK(store.used_bytes() == used);
  CHECK(store.list().size() == kept.size());
  for (const auto& [id, data] : kept) {
    CHECK(store.have(id));
    CHECK(store.size_of(id) == data.size());
    CHECK(store.get(id) == data);
    CHECK(refusal_of(store.get(id, data.size() - 1)) == "too_large");
    const auto reader = store.open(id);
    REQUIRE(reader.has_value());
    CHECK(std::ranges::equal(reader->chunk_hashes(), hashes_of(data)));
    CHECK(refusal_of(reader->chunk(reader->chunks())) == "wrong_chunk");
  }
  CHECK_FALSE(store.have(blob_id{}));
  CHECK(refusal_of(store.get(blob_id{})) == "unknown");
  CHECK_FALSE(store.size_of(blob_id{}).has_value());
}

TEST_CASE(
    "a put goes on where it was left, chunks in any order, and is not had before it is whole") {
  const scratch_directory dir;
  std::mt19937_64 random(2);
  const bytes data = random_bytes(random, 4 * chunk + 100);
  const auto hashes = hashes_of(data);
  {
    blob_store store(dir.path());
    auto writer = store.begin_put(data.size(), hashes);
    REQUIRE(writer.has_value());
    CHECK(writer->missing() == std::vector<std::uint32_t>{0, 1, 2, 3, 4});
    CHECK(writer->put_chunk(4, chunk_of(data, 4)).has_value());
    CHECK(writer->put_chunk(1, chunk_of(data, 1)).has_value());
    CHECK(refusal_of(writer->finish()) == "incomplete");
    CHECK(refusal_of(store.begin_put(data.size(), hashes)) == "put_in_progress");
    CHECK(refusal_of(store.put(data)) == "put_in_progress");
    CHECK_FALSE(store.have(writer->id()));
  }
  blob_store store(dir.path());
  CHECK(store.used_bytes() == file_bytes(data.size()));
  auto writer = store.begin_put(data.size(), hashes);
  REQUIRE(writer.has_value());
  CHECK(writer->missing() == std::vector<std::uint32_t>{0, 2, 3});
  for (const std::uint32_t number : {3U, 0U, 2U}) {
    CHECK(writer->put_chunk(number, chunk_of(data, number)).has_value());
  }
  CHECK_FALSE(store.have(writer->id()));
  const auto id = writer->finish();
  CHECK(id == crypto::blob_id_of(data));
  CHECK(writer->finish() == id);
  CHECK(store.get(*id) == data);
  auto again = store.begin_put(data.size(), hashes);
  REQUIRE(again.has_value());
  CHECK(again->missing().empty());
  CHECK(again->finish() == id);
  CHECK(store.used_bytes() == file_bytes(data.size()));
}

TEST_CASE("foreign nonsense is refused by name and leaves nothing") {
  const scratch_directory dir;
  blob_store store(dir.path());
  std::mt19937_64 random(3);
  const bytes data = random_bytes(random, 2 * chunk + 5);
  const auto hashes = hashes_of(data);
  CHECK(refusal_of(store.begin_put(0, {})) == "empty");
  CHECK(refusal_of(store.begin_put(max_blob_bytes + 1, hashes)) == "too_large");
  CHECK(refusal_of(store.begin_put(UINT64_MAX, hashes)) == "too_large");
  CHECK(refusal_of(store.begin_put(2 * chunk, hashes)) == "wrong_hashes");
  CHECK(refusal_of(store.begin_put(3 * chunk + 1, hashes)) == "wrong_hashes");
  CHECK(store.used_bytes() == 0);
  auto writer = store.begin_put(data.size(), hashes);
  REQUIRE(writer.has_value());
  CHECK(refusal_of(writer->put_chunk(3, chunk_of(data, 2))) == "wrong_chunk");
  CHECK(refusal_of(writer->put_chunk(0, chunk_of(data, 1))) == "wrong_chunk");
  CHECK(refusal_of(writer->put_chunk(2, byte_view(data).first(4))) == "wrong_chunk");
  CHECK(refusal_of(writer->put_chunk(0, byte_view(data).first(chunk + 1))) == "wrong_chunk");
  CHECK(refusal_of(writer->put_chunk(0, {})) == "wrong_chunk");
  bytes flipped = data;
  flipped[chunk + 3] ^= 0x80;
  CHECK(refusal_of(writer->put_chunk(1, chunk_of(flipped, 1))) == "wrong_chunk");
  CHECK(writer->missing().size() == 3);
  writer->abandon();
  CHECK(refusal_of(writer->finish()) == "incomplete");
  CHECK(store.used_bytes() == 0);
  CHECK(files_in(dir.path() / "incoming") == 0);
}

// By security §9.2 the store verifies chunks on every way out.
TEST_CASE("every flipped byte of a blob's file is found, named, and mended by the next put") {
  std::mt19937_64 random(4);
  const scratch_directory dir;
  const bytes data = random_bytes(random, chunk + 300);
  const blob_id id = crypto::blob_id_of(data);
  std::vector<std::size_t> places{0, 1, chunk - 1, chunk, chunk + 1};
  for (std::size_t at = data.size() - 1; at < file_bytes(data.size()); ++at) places.push_back(at);
  for (const auto at : places) {
    CAPTURE(at);
    {
      blob_store store(dir.path());
      REQUIRE(store.put(data) == id);
    }
    test::flip(file_of(dir, "whole", id), at, static_cast<std::uint8_t>(1U << (random() % 8)));
    blob_store store(dir.path());
    CHECK(refusal_of(store.get(id)) == "corrupt_chunk");
    CHECK(std::filesystem::exists(file_of(dir, "quarantine", id)));
    CHECK_FALSE(store.have(id));
    CHECK(refusal_of(store.get(id)) == "unknown");
    auto writer = store.begin_put(data.size(), hashes_of(data));
    REQUIRE(writer.has_value());
    // Only bad chunks have to come again. There are none if the flip hit the list of hashes or the
    // trailer.
    const std::vector<std::uint32_t> bad =
        at >= data.size() ? std::vector<std::uint32_t>{}
                          : std::vector<std::uint32_t>{static_cast<std::uint32_t>(at / chunk)};
    CHECK(writer->missing() == bad);
    for (const auto number : bad) REQUIRE(writer->put_chunk(number, chunk_of(data, number)));
    CHECK(writer->finish() == id);
    CHECK(store.get(id) == data);
    CHECK(store.used_bytes() == file_bytes(data.size()));
  }
  test::flip(file_of(dir, "whole", id), 9);
  blob_store store(dir.path());
  CHECK(store.put(data) == id);  // put of a blob in memory verifies what is here before it returns
  CHECK(store.get(id) == data);
}

TEST_CASE("a file cut short or swapped for a link is not the blob") {
  const scratch_directory dir;
  std::mt19937_64 random(5);
  const bytes data = random_bytes(random, 5'000);
  const blob_id id = crypto::blob_id_of(data);
  for (const std::uintmax_t size : {0, 1, 15, 16, 17, 4'999, 5'047}) {
    CAPTURE(size);
    blob_store store(dir.path());
    REQUIRE(store.put(data) == id);
    std::filesystem::resize_file(file_of(dir, "whole", id), size);
    CHECK(refusal_of(store.get(id)) == "corrupt_chunk");
    CHECK_FALSE(store.have(id));
    REQUIRE(store.put(data) == id);
    CHECK(store.get(id) == data);
  }
  blob_store store(dir.path());
  const auto outside = dir.path() / "outside";
  std::filesystem::rename(file_of(dir, "whole", id), outside);
  std::filesystem::create_symlink(outside, file_of(dir, "whole", id));
  CHECK_FALSE(store.have(id));
  CHECK(refusal_of(store.get(id)) == "unknown");
  REQUIRE(store.put(data) == id);
  CHECK(store.get(id) == data);
}

// By security §9.2 a put counts against the quota with the size that was announced.
TEST_CASE("no more bytes than the quota, incoming ones counted from their announcement") {
  const scratch_directory dir;
  std::mt19937_64 random(6);
  const bytes first = random_bytes(random, 3'000);
  const bytes second = random_bytes(random, 3'000);
  const std::uint64_t each = file_bytes(3'000);
  {
    blob_store store(dir.path(), {.quota_bytes = 2 * each - 1});
    REQUIRE(store.put(first).has_value());
    CHECK(refusal_of(store.put(second)) == "quota_exceeded");
    CHECK(refusal_of(store.begin_put(max_blob_bytes, std::vector<hash256>(65'536))) ==
          "quota_exceeded");
    CHECK(store.used_bytes() == each);
    CHECK(store.put(first).has_value());
  }
  blob_store store(dir.path(), {.quota_bytes = 2 * each});
  {
    auto writer = store.begin_put(second.size(), hashes_of(second));
    REQUIRE(writer.has_value());
    CHECK(store.used_bytes() == 2 * each);
    CHECK(refusal_of(store.put(random_bytes(random, 1))) == "quota_exceeded");
    writer->abandon();
  }
  CHECK(store.used_bytes() == each);
  CHECK(store.put(second).has_value());
  CHECK(store.get(crypto::blob_id_of(first)) == first);
}

TEST_CASE("a full disk is a named failure; what was kept stays, room made is used") {
  const scratch_directory dir;
  std::mt19937_64 random(7);
  const bytes small = random_bytes(random, 1'000);
  const bytes large = random_bytes(random, 600'000);
  blob_store store(dir.path());
  REQUIRE(store.put(small).has_value());
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit tight = before;
  tight.rlim_cur = 500'000;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
  std::string name = "none";
  try {
    (void)store.put(large);
  } catch (const blob_failure& why) {
    name = to_text(why.code());
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(name == "disk_full");
  CHECK(store.used_bytes() == file_bytes(small.size()));
  CHECK(files_in(dir.path() / "incoming") == 0);
  CHECK(store.get(crypto::blob_id_of(small)) == small);
  CHECK(store.put(large).has_value());
  CHECK(store.get(crypto::blob_id_of(large)) == large);
}

TEST_CASE("collection takes what nothing refers to and what is old, and nothing else") {
  const scratch_directory dir;
  std::mt19937_64 random(8);
  std::uint64_t now = 1'000'000;
  const blob_options options{.incoming_max_age_ms = 500, .now_ms = [&] { return now; }};
  blob_store store(dir.path(), options);
  std::vector<bytes> data;
  std::vector<blob_id> ids;
  for (int i = 0; i < 6; ++i) {
    data.push_back(random_bytes(random, 2'000 + static_cast<std::size_t>(i)));
    ids.push_back(*store.put(data.back()));
    if (i == 2) {
      test::flip(file_of(dir, "whole", ids[2]), 5);
      CHECK(refusal_of(store.get(ids[2])) == "corrupt_chunk");
    }
    now += 100;
  }
  // The blobs were put 600, 500, 400, 300, 200 and 100 ms ago. Blob 0 is live, 1 is put again, 2
  // has a changed byte.
  CHECK(store.put(data[1]).has_value());
  auto reader = store.open(ids[3]);
  REQUIRE(reader.has_value());
  const auto done = store.collect(std::vector{ids[0]}, 300);
  CHECK(done.blobs == 2);
  CHECK(done.freed_bytes == file_bytes(2'002) + file_bytes(2'003));
  CHECK(store.have(ids[0]));
  CHECK(store.have(ids[1]));
  CHECK_FALSE(store.have(ids[3]));
  CHECK(reader->chunk(0) == data[3]);  // an open reader can still read
  CHECK(store.have(ids[4]));
  CHECK(store.have(ids[5]));
  CHECK(files_in(dir.path() / "quarantine") == 0);
  CHECK(store.used_bytes() ==
        file_bytes(2'000) + file_bytes(2'001) + file_bytes(2'004) + file_bytes(2'005));

  auto writer = store.begin_put(data[3].size(), hashes_of(data[3]));
  REQUIRE(writer.has_value());
  CHECK(store.collect(ids, 0).blobs == 0);  // a put under way is kept, whatever its age
  CHECK(writer->put_chunk(0, data[3]).has_value());
  CHECK(writer->finish().has_value());
  CHECK(store.collect({}, 0).blobs == 5);
  CHECK(store.list().empty());
  CHECK(store.used_bytes() == 0);
}

TEST_CASE("unfinished puts past their age and strange files are cleared away") {
  const scratch_directory dir;
  std::mt19937_64 random(9);
  const bytes data = random_bytes(random, 4'000);
  const auto start = [&](blob_store& store) {
    auto writer = store.begin_put(data.size(), hashes_of(data));
    REQUIRE(writer.has_value());
  };
  std::uint64_t ahead_ms = 0;
  const auto now = [&] { return static_cast<std::uint64_t>(::time(nullptr)) * 1'000 + ahead_ms; };
  const blob_options options{.incoming_max_age_ms = 60'000, .now_ms = now};
  {
    blob_store store(dir.path(), options);
    start(store);
  }
  std::ofstream(dir.path() / "incoming" / "notes.txt") << "?";
  std::ofstream(file_of(dir, "incoming", blob_id{})) << "cut short";
  std::filesystem::create_directory(dir.path() / "incoming" / std::string(64, 'a'));
  {
    blob_store store(dir.path(), options);
    CHECK(files_in(dir.path() / "incoming") == 1);
    CHECK(store.used_bytes() == file_bytes(data.size()));
    ahead_ms = 120'000;
    CHECK(store.collect({}, 0).blobs == 1);
    CHECK(store.used_bytes() == 0);
    start(store);
  }
  ahead_ms = 300'000;
  const blob_store store(dir.path(), options);
  CHECK(store.used_bytes() == 0);
}

TEST_CASE("a directory is one store's; others read beside it") {
  const scratch_directory dir;
  std::mt19937_64 random(10);
  const bytes data = random_bytes(random, 2'000);
  blob_store store(dir.path());
  const auto id = store.put(data);
  std::string name = "none";
  try {
    const blob_store second(dir.path());
  } catch (const blob_failure& why) {
    name = to_text(why.code());
  }
  CHECK(name == "already_open");
  const blob_store reading(dir.path(), {.read_only = true});
  CHECK(reading.get(*id) == data);
  test::flip(file_of(dir, "whole", *id), 3);
  CHECK(refusal_of(reading.get(*id)) == "corrupt_chunk");
  CHECK(store.have(*id));  // a reader moves no file
  CHECK(refusal_of(store.get(*id)) == "corrupt_chunk");
  CHECK_FALSE(store.have(*id));
}

TEST_CASE("threads that put, get and collect at once see whole blobs and correct sums") {
  const scratch_directory dir;
  blob_store store(dir.path());
  std::vector<bytes> data;
  std::mt19937_64 random(11);
  for (int i = 0; i < 24; ++i) data.push_back(random_bytes(random, 500 + random() % 20'000));
  std::atomic<std::uint64_t> wrong = 0;
  std::atomic<std::uint64_t> got = 0;
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 mine(t);
      for (int i = 0; i < 150; ++i) {
        const bytes& one = data[mine() % data.size()];
        switch (mine() % 8) {
          case 0:
            store.collect({}, 0);
            break;
          case 1:
          case 2:
          case 3: {
            const auto put = store.put(one);
            if (!put && put.error() != blob_refusal::put_in_progress) ++wrong;
            break;
          }
          default: {
            const auto found = store.get(crypto::blob_id_of(one));
            if (found && *found != one) ++wrong;
            if (!found && found.error() != blob_refusal::unknown) ++wrong;
            if (found) ++got;
          }
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(got > 0);
  std::uint64_t sum = 0;
  for (const auto& id : store.list()) sum += file_bytes(*store.size_of(id));
  CHECK(store.used_bytes() == sum);
  store.collect({}, 0);
  CHECK(store.used_bytes() == 0);
}

TEST_CASE("a blob states its size once it is whole, and no other file states one") {
  const scratch_directory dir;
  std::mt19937_64 random(77);
  blob_store store(dir.path() / "blobs");
  for (const std::size_t size : {std::size_t{1}, chunk, chunk + 1}) {
    const auto data = random_bytes(random, size);
    const auto id = crypto::blob_root(size, hashes_of(data));
    CHECK_FALSE(store.stated_size(id));
    auto writer = store.begin_put(size, hashes_of(data));
    REQUIRE(writer);
    CHECK_FALSE(store.stated_size(id));
    for (const auto number : writer->missing()) {
      REQUIRE(writer->put_chunk(number, chunk_of(data, number)));
    }
    CHECK_FALSE(store.stated_size(id));
    REQUIRE(writer->finish());
    CHECK(store.stated_size(id) == size);
    std::filesystem::resize_file(dir.path() / "blobs" / "whole" / to_hex(id.value), size);
    CHECK_FALSE(store.stated_size(id));
  }
}

TEST_CASE("a part of a blob's file is verified the first time, and again now and then") {
  const scratch_directory dir;
  std::mt19937_64 random(9);
  const bytes data = random_bytes(random, 2 * chunk + 5);
  blob_store store(dir.path());
  const auto id = store.put(data).value();
  auto reader = store.open(id);
  REQUIRE(reader.has_value());
  for (std::uint32_t number = 0; number < 3; ++number) {
    const auto part = reader->part(number);
    REQUIRE(part.has_value());
    CHECK(part->size == chunk_of(data, number).size());
    std::ifstream file(part->file, std::ios::binary);
    file.seekg(static_cast<std::streamoff>(part->offset));
    bytes read(part->size);
    file.read(reinterpret_cast<char*>(read.data()), static_cast<std::streamsize>(read.size()));
    CHECK(std::ranges::equal(read, chunk_of(data, number)));
  }
  CHECK(refusal_of(reader->part(3)) == "wrong_chunk");
  test::flip(file_of(dir, "whole", id), chunk + 9);
  std::uint32_t given = 0;
  while (given < blob_reader::parts_a_check && reader->part(1)) ++given;
  CHECK(given == blob_reader::parts_a_check - 1);
  CHECK(reader->part(0).has_value());
  CHECK_FALSE(store.have(id));
  // A damage that was there before is found at once.
  REQUIRE(store.put(data) == id);
  test::flip(file_of(dir, "whole", id), 9);
  auto again = store.open(id);
  REQUIRE(again.has_value());
  CHECK(refusal_of(again->part(0)) == "corrupt_chunk");
}
