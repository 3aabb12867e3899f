#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <map>

#include "messages/wire/crc32c.hpp"
#include "storage/lmdb/environment.hpp"
#include "storage/lmdb/transaction.hpp"
#include "tests/storage/lmdb/failure_of.hpp"
#include "tests/support/scratch.hpp"

using namespace soma;
using namespace soma::lmdb;
using soma::test::copy;
using soma::test::failure_of;
using soma::test::scratch_directory;

namespace {

environment_options small(std::size_t map_bytes = std::size_t{64} << 20) {
  return {.map_bytes = map_bytes, .format = "test 1", .tables = {"left", "right"}};
}

bytes key_of(std::uint64_t number) {
  bytes key(8);
  for (int i = 0; i < 8; ++i) key[7 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return key;
}

void put_one(environment& env, byte_view key, byte_view value) {
  write_txn txn(env);
  txn.put(env.table("left"), key, value);
  txn.commit();
}

std::map<bytes, bytes> all_of(const environment& env, const char* table) {
  std::map<bytes, bytes> found;
  const read_txn txn(env);
  scan_prefix(txn, env.table(table), {}, [&](byte_view key, byte_view value) {
    found.emplace(copy(key), copy(value));
    return true;
  });
  return found;
}

}  // namespace

TEST_CASE("crc32c gives the published values, in one piece or in two") {
  CHECK(crc32c(as_bytes("123456789")) == 0xE3069283U);
  CHECK(crc32c(bytes(32, 0)) == 0x8A9136AAU);
  CHECK(crc32c(bytes(32, 0xFF)) == 0x62A8AB43U);
  const auto text = as_bytes("The quick brown fox jumps over the lazy dog");
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    CHECK(crc32c(text.subspan(cut), crc32c(text.first(cut))) == crc32c(text));
  }
}

TEST_CASE(
    "random writes, erasures and undone transactions leave what a map would hold, also after "
    "reopening") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const scratch_directory dir;
    std::map<bytes, bytes> committed;
    for (int round = 0; round < 12; ++round) {
      environment env(dir.path() / "deep" / "er", small());
      REQUIRE(all_of(env, "left") == committed);
      REQUIRE(all_of(env, "right").empty());
      auto mine = committed;
      write_txn txn(env);
      for (int i = 0; i < 60; ++i) {
        const bytes key = key_of(random() % 100);
        if (random() % 3 == 0) {
          REQUIRE(txn.erase(env.table("left"), key) == (mine.erase(key) == 1));
        } else {
          const std::size_t size = random() % 8 == 0 ? 9'000 : random() % 200;
          mine[key] = test::random_bytes(random, size);
          txn.put(env.table("left"), key, mine[key]);
        }
        const auto seen = txn.find(env.table("left"), key);
        REQUIRE(seen.has_value() == mine.contains(key));
        if (seen) REQUIRE(copy(*seen) == mine[key]);
      }
      REQUIRE(txn.count(env.table("left")) == mine.size());
      if (random() % 3 != 0) {
        txn.commit();
        committed = mine;
      }
    }
  }
}

TEST_CASE("cursors go both ways in the order of keys, prefixes end where they should") {
  const scratch_directory dir;
  environment env(dir.path(), small());
  {
    write_txn txn(env);
    for (const char* key : {"a", "ab", "abc", "abd", "ac", "b"}) {
      txn.put(env.table("left"), as_bytes(key), as_bytes(key));
    }
    txn.commit();
  }
  const read_txn txn(env);
  std::string seen;
  scan_prefix(txn, env.table("left"), as_bytes("ab"), [&](byte_view key, byte_view value) {
    CHECK(copy(key) == copy(value));
    seen.append(key.begin(), key.end()).append(" ");
    return true;
  });
  CHECK(seen == "ab abc abd ");
  cursor at(txn, env.table("left"));
  REQUIRE(at.at_least(as_bytes("abcd")));
  CHECK(copy(at.key()) == copy(as_bytes("abd")));
  REQUIRE(at.previous());
  CHECK(copy(at.key()) == copy(as_bytes("abc")));
  REQUIRE(at.last());
  CHECK(copy(at.key()) == copy(as_bytes("b")));
  CHECK_FALSE(at.next());
  CHECK_FALSE(at.at_least(as_bytes("c")));
  REQUIRE(at.first());
  CHECK_FALSE(at.previous());
}

TEST_CASE("a directory is opened once a process, again after it was closed") {
  const scratch_directory dir;
  const auto link = dir.path() / "link";
  {
    const environment first(dir.path() / "data", small());
    std::filesystem::create_directory_symlink(dir.path() / "data", link);
    CHECK(failure_of([&] { environment second(dir.path() / "data", small()); }) == "already_open");
    CHECK(failure_of([&] { environment second(link, small()); }) == "already_open");
  }
  environment again(dir.path() / "data", small());
  put_one(again, as_bytes("k"), as_bytes("v"));
}

TEST_CASE("another format, another program's file and nothing at all are refused by name") {
  const scratch_directory dir;
  auto reading = small();
  reading.read_only = true;
  CHECK(failure_of([&] { environment env(dir.path() / "none", reading); }) == "not_there");
  { const environment env(dir.path() / "data", small()); }
  auto other = small();
  other.format = "test 2";
  CHECK(failure_of([&] { environment env(dir.path() / "data", other); }) == "wrong_format");
  auto more = small();
  more.tables.emplace_back("middle");
  CHECK(failure_of([&] { environment env(dir.path() / "data", more); }) == "wrong_format");
  { const environment env(dir.path() / "data", reading); }
  std::filesystem::create_directory(dir.path() / "text");
  std::ofstream(dir.path() / "text" / "data.mdb") << std::string(20'000, 'x');
  CHECK(failure_of([&] { environment env(dir.path() / "text", small()); }) == "wrong_format");
  std::filesystem::create_directory(dir.path() / "empty");
  std::ofstream(dir.path() / "empty" / "data.mdb").flush();
  CHECK(failure_of([&] { environment env(dir.path() / "empty", reading); }) == "not_there");
  // Opening a named pipe would wait for a writer.
  for (const auto* name : {"data.mdb", "lock.mdb"}) {
    CAPTURE(std::string(name));
    const auto folder = dir.path() / (std::string("pipe-") + name);
    std::filesystem::create_directory(folder);
    REQUIRE(::mkfifo((folder / name).c_str(), 0600) == 0);
    CHECK(failure_of([&] { environment env(folder, reading); }) == "wrong_format");
    CHECK(failure_of([&] { environment env(folder, small()); }) == "wrong_format");
  }
}

TEST_CASE(
    "every flipped byte of a record, its key included, is a corrupt record named by table and "
    "key") {
  const scratch_directory dir;
  std::mt19937_64 random(7);
  const bytes key = test::random_bytes(random, 16);
  const bytes value = test::random_bytes(random, 60);
  {
    environment env(dir.path(), small());
    put_one(env, key, value);
    put_one(env, as_bytes("other"), as_bytes("whole"));
  }
  const auto file = dir.path() / "data.mdb";
  const bytes content = test::read_file(file);
  bytes record = key;
  record.insert(record.end(), value.begin(), value.end());
  std::vector<std::size_t> copies;  // old pages may hold the record too, so all copies are flipped
  for (auto at = content.begin();;) {
    at = std::search(at, content.end(), record.begin(), record.end());
    if (at == content.end()) break;
    copies.push_back(static_cast<std::size_t>(at++ - content.begin()));
  }
  REQUIRE_FALSE(copies.empty());
  for (std::size_t i = 0; i < record.size() + 4; ++i) {
    CAPTURE(i);
    for (const auto at : copies) test::flip(file, at + i, 0x10);
    {
      environment env(dir.path(), small());
      const read_txn txn(env);
      try {
        scan_prefix(txn, env.table("left"), {}, [](byte_view, byte_view) { return true; });
        FAIL("a flipped byte went unnoticed");
      } catch (const failure& why) {
        CHECK(why.code() == failure_code::corrupt_record);
        CHECK(why.table() == "left");
        CHECK(why.key().size() == key.size());
        if (i >= key.size()) CHECK(why.key() == key);
      }
      const auto other = txn.find(env.table("left"), as_bytes("other"));
      REQUIRE(other.has_value());
    }
    for (const auto at : copies) test::flip(file, at + i, 0x10);
  }
}

TEST_CASE("a file cut short is a named failure, never a dead process") {
  const scratch_directory dir;
  std::mt19937_64 random(3);
  {
    environment env(dir.path(), small());
    for (std::uint64_t i = 0; i < 50; ++i) {
      put_one(env, key_of(i), test::random_bytes(random, i % 5 == 0 ? 20'000 : 500));
    }
  }
  const auto file = dir.path() / "data.mdb";
  const bytes whole = test::read_file(file);
  bool only_reads = false;
  SUBCASE("opened to write") {}
  SUBCASE("opened to read") {
    only_reads = true;
  }
  for (std::size_t pages = 2; pages < whole.size() / 4096; pages += 3) {
    CAPTURE(pages);
    std::ofstream(file, std::ios::binary | std::ios::trunc)
        .write(reinterpret_cast<const char*>(whole.data()),
               static_cast<std::streamsize>(pages * 4096));
    const auto name = failure_of([&] {
      auto options = small();
      options.read_only = only_reads;
      const environment env(dir.path(), options);
      all_of(env, "left");
    });
    CHECK((name == "broken_file" || name == "corrupt_record" || name == "none"));
    if (pages == 2) CHECK(name != "none");
  }
}

// LMDB keeps the lengths of a record in the 8 bytes before its key: the value's in the first four,
// the key's in the last two.
TEST_CASE("a record whose length is torn is a named failure, also where it would leave the file") {
  const bytes key = key_of(1), value = bytes(300, 9);
  for (const std::size_t at : {2, 3, 7}) {
    for (const int with : {0x01, 0x7f, 0xff}) {
      CAPTURE(at);
      CAPTURE(with);
      const scratch_directory dir;
      {
        environment env(dir.path(), small());
        put_one(env, key, value);
      }
      const auto file = dir.path() / "data.mdb";
      bytes content = test::read_file(file);
      bytes record = key;
      record.insert(record.end(), value.begin(), value.end());
      const auto found = std::search(content.begin(), content.end(), record.begin(), record.end());
      REQUIRE(found != content.end());
      *(found - 8 + static_cast<std::ptrdiff_t>(at)) = static_cast<std::uint8_t>(with);
      std::ofstream(file, std::ios::binary | std::ios::trunc)
          .write(reinterpret_cast<const char*>(content.data()),
                 static_cast<std::streamsize>(content.size()));
      const auto name = failure_of([&] {
        const environment env(dir.path(), small());
        all_of(env, "left");
      });
      CHECK(name == "corrupt_record");
    }
  }
}

TEST_CASE(
    "a full map is a named error: writing stops, nothing is lost, reads go on, a larger map goes "
    "on") {
  const scratch_directory dir;
  std::mt19937_64 random(11);
  std::map<bytes, bytes> committed;
  {
    environment env(dir.path(), small(256 * 1024));
    std::string name = "none";
    for (std::uint64_t i = 0; name == "none" && i < 1'000; ++i) {
      const bytes value = test::random_bytes(random, 3'000);
      name = failure_of([&] { put_one(env, key_of(i), value); });
      if (name == "none") committed[key_of(i)] = value;
    }
    CHECK(name == "storage_full");
    CHECK(committed.size() > 20);
    CHECK(env.write_stopped());
    CHECK(failure_of([&] { put_one(env, key_of(1), as_bytes("x")); }) == "storage_full");
    CHECK(all_of(env, "left") == committed);
    const auto usage = env.usage();
    CHECK(usage.used_bytes > usage.map_bytes * 7 / 10);
    env.resume_writing();
    CHECK_FALSE(env.write_stopped());
    CHECK(failure_of([&] { put_one(env, key_of(2'000), bytes(30'000)); }) == "storage_full");
  }
  environment env(dir.path(), small());
  CHECK(all_of(env, "left") == committed);
  put_one(env, key_of(5'000), as_bytes("room again"));
}

TEST_CASE("a full disk is a named error: writing stops, nothing is lost, room made is used") {
  const scratch_directory dir;
  std::map<bytes, bytes> committed;
  std::mt19937_64 random(12);
  environment env(dir.path(), small());
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit tight = before;
  // The file may not grow beyond this: the system refuses the write as on a full disk.
  tight.rlim_cur = 300'000;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
  std::string name = "none";
  for (std::uint64_t i = 0; name == "none" && i < 1'000; ++i) {
    const bytes value = test::random_bytes(random, 3'000);
    name = failure_of([&] { put_one(env, key_of(i), value); });
    if (name == "none") committed[key_of(i)] = value;
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(name == "storage_full");
  CHECK(committed.size() > 20);
  CHECK(failure_of([&] { put_one(env, key_of(1), as_bytes("x")); }) == "storage_full");
  CHECK(all_of(env, "left") == committed);
  env.resume_writing();
  committed[key_of(9'999)] = copy(as_bytes("after"));
  put_one(env, key_of(9'999), as_bytes("after"));
  CHECK(all_of(env, "left") == committed);
}

TEST_CASE("readers on other threads see whole transactions only, while a writer goes on") {
  const scratch_directory dir;
  environment env(dir.path(), small());
  put_one(env, key_of(0), key_of(0));
  const auto one_round = [&] {
    const read_txn txn(env);
    bytes first;
    bool same = true;
    std::uint64_t records = 0;
    scan_prefix(txn, env.table("left"), {}, [&](byte_view, byte_view value) {
      if (records++ == 0) first = copy(value);
      same = same && copy(value) == first;
      return true;
    });
    return same && records == txn.count(env.table("left"));
  };
  CHECK(test::all_looks_good(one_round, [&] {
    // Each round writes its number into all records.
    for (std::uint64_t round = 1; round <= 300; ++round) {
      write_txn txn(env);
      const std::uint64_t last = round % 50;
      for (std::uint64_t i = 0; i < 50; ++i) {
        if (i <= last) txn.put(env.table("left"), key_of(i), key_of(round));
        if (i > last) txn.erase(env.table("left"), key_of(i));
      }
      txn.commit();
    }
  }));
}
