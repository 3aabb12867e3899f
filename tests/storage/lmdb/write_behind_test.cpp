// An environment with a journal, whose tables follow later: what was committed is there in every
// reopening, after every kill, for every reader, and with any part of the tables' way done.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <map>
#include <optional>
#include <thread>

#include "storage/lmdb/environment.hpp"
#include "storage/lmdb/transaction.hpp"
#include "tests/storage/lmdb/failure_of.hpp"
#include "tests/support/killed.hpp"
#include "tests/support/scratch.hpp"

using namespace soma;
using namespace soma::lmdb;
using soma::test::copy;
using soma::test::failure_of;
using soma::test::scratch_directory;

namespace {

namespace fs = std::filesystem;
using table_contents = std::map<bytes, bytes>;

environment_options journaled(std::uint32_t batches,
                              std::size_t map_bytes = std::size_t{64} << 20) {
  return {.map_bytes = map_bytes,
          .format = "test 1",
          .tables = {"left", "right"},
          .journal = write_ahead_options{.checkpoint_batches = batches}};
}
environment_options reading(environment_options options) {
  options.read_only = true;
  return options;
}

bytes key_of(std::uint64_t number) {
  bytes key(8);
  for (int i = 0; i < 8; ++i) key[7 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return key;
}

table_contents all_of(const read_txn& txn, database table) {
  table_contents found;
  scan_prefix(txn, table, {}, [&](byte_view key, byte_view value) {
    found.emplace(copy(key), copy(value));
    return true;
  });
  return found;
}
table_contents all_of(const environment& env, const char* table) {
  return all_of(read_txn(env), env.table(table));
}

/// Transaction number n: it puts and erases some of 200 keys and appends one record.
void write_number(environment& env, std::uint64_t n, std::map<std::string, table_contents>& model) {
  std::mt19937_64 random(n);
  write_txn txn(env);
  auto& left = model["left"];
  for (auto more = random() % 6; more > 0; --more) {
    const auto key = key_of(random() % 200);
    if (random() % 3 == 0) {
      CHECK(txn.erase(env.table("left"), key) == (left.erase(key) != 0));
    } else {
      left[key] = bytes(random() % 300, static_cast<std::uint8_t>(n));
      txn.put(env.table("left"), key, left[key]);
    }
  }
  model["right"][key_of(n)] = key_of(n * n);
  txn.append(env.table("right"), key_of(n), key_of(n * n));
  CHECK(all_of(txn, env.table("left")) == left);  // it reads what it has written
  txn.commit();
}

void put_number(environment& env, std::uint64_t n) {
  write_txn txn(env);
  txn.put(env.table("left"), key_of(0), key_of(n));
  txn.append(env.table("right"), key_of(n), bytes(n % 700, 7));
  txn.commit();
}
std::uint64_t last_number(const read_txn& txn, const environment& env) {
  const auto found = txn.find(env.table("left"), key_of(0));
  std::uint64_t number = 0;
  for (std::size_t i = 0; found && i < 8; ++i) number = number << 8 | (*found)[i];
  // The numbers of `right` are those from 1 on, without a gap.
  cursor at(txn, env.table("right"));
  std::uint64_t next = 1;
  for (bool there = at.first(); there; there = at.next()) {
    REQUIRE(copy(at.key()) == key_of(next));
    REQUIRE(at.value().size() == next % 700);
    ++next;
  }
  REQUIRE(next == number + 1);
  return number;
}
std::uint64_t last_number(const environment& env) {
  return last_number(read_txn(env), env);
}

void copy_to(const fs::path& from, const fs::path& to) {
  fs::remove_all(to);
  fs::copy(from, to, fs::copy_options::recursive);
  fs::remove(to / "lock.mdb");
}

}  // namespace

TEST_CASE(
    "what was committed is there at once and after each reopening, whatever the tables hold") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    const scratch_directory dir;
    std::map<std::string, table_contents> model;
    std::uint64_t n = seed * 10'000;
    for (int life = 0; life < 5; ++life) {
      CAPTURE(life);
      auto options = journaled(seed % 3 == 0 ? 1'000'000 : 3);
      options.journal->in_background = seed % 2 == 0;
      options.sync = seed != 1;
      environment env(dir.path(), options);
      for (int i = 0; i < 40; ++i) {
        write_number(env, ++n, model);
        REQUIRE(all_of(env, "left") == model["left"]);
        REQUIRE(read_txn(env).count(env.table("right")) == model["right"].size());
        if (i % 16 == 0) env.checkpoint();
      }
      REQUIRE(all_of(env, "right") == model["right"]);
    }
  }
}

TEST_CASE("a small transaction writes a few sectors, and not the paths of a tree") {
  const scratch_directory dir;
  environment env(dir.path(), journaled(1'000'000));
  const auto written = [] {
    std::ifstream io("/proc/self/io");
    for (std::string name, value; io >> name >> value;) {
      if (name == "write_bytes:") return std::stoull(value);
    }
    return 0ULL;
  };
  const auto before = written();
  for (std::uint64_t n = 1; n <= 100; ++n) {
    write_txn txn(env);
    txn.put(env.table("left"), key_of(n), bytes(100, 1));
    txn.commit();
  }
  // Two pages of meta data and of each table's path would be 12,288 bytes at least.
  CHECK((written() - before) / 100 <= 4'096);
}

TEST_CASE("a reader does not read through a journal whose records are all in the tables") {
  const scratch_directory dir;
  constexpr std::size_t batch = std::size_t{1} << 20;
  {
    environment env(dir.path(), journaled(1'000));
    for (std::uint64_t n = 1; n <= 8; ++n) {
      write_txn txn(env);
      txn.put(env.table("left"), key_of(0), bytes(batch, static_cast<std::uint8_t>(n)));
      txn.commit();
    }
  }
  const auto read_so_far = [] {
    std::ifstream io("/proc/self/io");
    for (std::string name, value; io >> name >> value;) {
      if (name == "rchar:") return std::stoull(value);
    }
    return 0ULL;
  };
  const auto before = read_so_far();
  const environment reader(dir.path(), reading(journaled(1'000)));
  CHECK(read_txn(reader).find(reader.table("left"), key_of(0))->size() == batch);
  CHECK(read_so_far() - before < batch);
}

TEST_CASE("a transaction that is not committed leaves nothing, and a batch of two puts is one") {
  const scratch_directory dir;
  environment env(dir.path(), journaled(10));
  put_number(env, 1);
  {
    write_txn txn(env);
    txn.put(env.table("left"), key_of(0), key_of(9));
    CHECK(copy(*txn.find(env.table("left"), key_of(0))) == key_of(9));
  }
  CHECK(last_number(env) == 1);
  write_txn txn(env);
  txn.put(env.table("left"), key_of(5), as_bytes("first"));
  txn.put(env.table("left"), key_of(5), as_bytes("second"));
  CHECK(txn.erase(env.table("left"), key_of(0)));
  CHECK_FALSE(txn.erase(env.table("left"), key_of(0)));
  txn.commit();
  CHECK(all_of(env, "left") == table_contents{{key_of(5), copy(as_bytes("second"))}});
}

TEST_CASE("an environment whose writer is killed 150 times holds every acknowledged transaction") {
  const std::uint64_t seed = 4'711;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const scratch_directory dir;
  std::uint64_t kept = 0;
  for (int kill = 0; kill < 150; ++kill) {
    CAPTURE(kill);
    // The journals change places often, so that kills strike checkpoints too.
    const auto options = journaled(1 + static_cast<std::uint32_t>(kill) % 5);
    const auto reported = test::killed(random, [&](const test::report& acknowledge) {
      environment env(dir.path(), options);
      acknowledge(kept);
      for (auto n = kept + 1;; ++n) {
        put_number(env, n);
        acknowledge(n);
      }
    });
    REQUIRE_FALSE(reported.empty());
    // A reader finds it before any writer has opened it again.
    if (kill % 3 == 0) {
      const environment reader(dir.path(), reading(options));
      kept = last_number(reader);
    }
    environment env(dir.path(), options);
    const auto number = last_number(env);
    REQUIRE(number >= reported.back());
    REQUIRE(number <= reported.back() + 1);
    if (kill % 3 == 0) REQUIRE(number == kept);
    kept = number;
  }
  CHECK(kept > 150);
}

TEST_CASE("a torn last transaction is gone as a whole, a damaged earlier one is refused by name") {
  std::map<std::string, int> ends;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const scratch_directory dir;
    const auto where = dir.path() / "env", torn = dir.path() / "torn";
    environment env(where, journaled(1'000));
    const auto last = 4 + random() % 20;
    for (std::uint64_t n = 1; n <= last; ++n) put_number(env, n);
    env.checkpoint();
    for (std::uint64_t n = last + 1; n <= last + 3; ++n) put_number(env, n);
    copy_to(where, torn);
    // The journal that has the last three: the first sector of one of them is lost.
    for (const auto* name : {"journal.0", "journal.1"}) {
      bytes data = test::read_file(torn / name);
      std::vector<std::size_t> begins;
      for (std::size_t at = 512; at + 512 <= data.size(); at += 512) {
        const auto number = data[at + 1] | data[at + 2] << 8;
        if (data[at] == 1 && static_cast<std::uint64_t>(number) > last) begins.push_back(at);
      }
      if (begins.size() < 3) continue;
      const auto hit = random() % 3;
      std::fill_n(data.begin() + static_cast<std::ptrdiff_t>(begins[begins.size() - 3 + hit]), 512,
                  std::uint8_t{0});
      std::ofstream(torn / name, std::ios::binary)
          .write(reinterpret_cast<const char*>(data.data()),
                 static_cast<std::streamsize>(data.size()));
      const auto end = failure_of([&] {
        environment again(torn, journaled(1'000));
        CHECK(last_number(again) == last + 2);
      });
      CHECK(end == (hit == 2 ? "none" : "broken_file"));
      ++ends[end];
    }
  }
  CHECK(ends["none"] > 5);
  CHECK(ends["broken_file"] > 5);
}

TEST_CASE("tables that a crash left behind are brought up to date, older ones are refused") {
  const scratch_directory dir;
  const auto where = dir.path() / "env", mixed = dir.path() / "mixed";
  environment env(where, journaled(1'000));
  std::uint64_t n = 0;
  while (n < 20) put_number(env, ++n);
  const bytes old_tables = test::read_file(where / "data.mdb");
  const auto with_old_tables = [&] {
    copy_to(where, mixed);
    std::ofstream(mixed / "data.mdb", std::ios::binary)
        .write(reinterpret_cast<const char*>(old_tables.data()),
               static_cast<std::streamsize>(old_tables.size()));
    return failure_of([&] {
      environment again(mixed, journaled(1'000));
      CHECK(last_number(again) == n);
    });
  };
  CHECK(with_old_tables() == "none");
  env.checkpoint();  // the disk has lost the checkpoint, and the other journal goes on
  while (n < 30) put_number(env, ++n);
  CHECK(with_old_tables() == "none");
  env.checkpoint();  // the first journal is begun anew, so its 20 transactions are lost
  while (n < 40) put_number(env, ++n);
  CHECK(with_old_tables() == "broken_file");
  fs::remove(mixed / "journal.0");
  fs::remove(mixed / "journal.1");
  environment without(mixed, journaled(1'000));
  CHECK(read_txn(without).count(without.table("left")) == 0);
}

TEST_CASE(
    "another process reads whole transactions beside the writer, a second writer is refused") {
  const scratch_directory dir;
  const auto options = journaled(4);
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  // The process is made before the environment is opened here, so that it inherits none.
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    try {
      std::uint8_t begin = 0;
      if (::read(ends[0], &begin, 1) != 1) ::_exit(3);
      if (failure_of([&] { environment(dir.path(), options); }) != "already_open") ::_exit(4);
      const environment env(dir.path(), reading(options));
      std::uint64_t before = 0;
      for (int look = 0; look < 200; ++look) {
        const auto number = last_number(env);
        if (number < before) ::_exit(5);
        before = number;
      }
      ::_exit(before > 1 ? 0 : 6);
    } catch (...) {
      ::_exit(7);
    }
  }
  environment env(dir.path(), options);
  std::uint64_t n = 0;
  put_number(env, ++n);
  REQUIRE(::write(ends[1], "x", 1) == 1);
  int status = 0;
  while (::waitpid(child, &status, WNOHANG) == 0) put_number(env, ++n);
  ::close(ends[0]);
  ::close(ends[1]);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("another process sees each acknowledged transaction, whether the tables follow or not") {
  for (const std::uint32_t batches : {1'000'000u, 7u}) {
    CAPTURE(batches);
    const scratch_directory dir;
    const auto options = journaled(batches);
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::close(ends[1]);
      try {
        std::optional<environment> env;
        std::uint64_t acknowledged = 0;
        while (::read(ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) {
          if (!env) env.emplace(dir.path(), reading(options));
          // It looks at some of them only, so that several are new to it at a time.
          if (acknowledged % 3 == 1 && last_number(*env) < acknowledged) ::_exit(5);
        }
        ::_exit(acknowledged == 200 ? 0 : 6);
      } catch (...) {
        ::_exit(7);
      }
    }
    environment env(dir.path(), options);
    for (std::uint64_t n = 1; n <= 200; ++n) {
      put_number(env, n);
      REQUIRE(::write(ends[1], &n, sizeof n) == sizeof n);
    }
    ::close(ends[1]);
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
  }
}

TEST_CASE("readers on other threads see whole transactions only, while a writer goes on") {
  const scratch_directory dir;
  environment env(dir.path(), journaled(3));
  put_number(env, 1);
  std::atomic<bool> over = false;
  std::atomic<std::uint64_t> wrong = 0, looks = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      for (std::uint64_t before = 0; !over;) {
        const read_txn txn(env);
        const auto found = txn.find(env.table("left"), key_of(0));
        std::uint64_t number = 0;
        for (const auto byte : *found) number = number << 8 | byte;
        cursor at(txn, env.table("right"));
        if (!at.last() || copy(at.key()) != key_of(number) || number < before) ++wrong;
        before = number;
        ++looks;
      }
    });
  }
  for (std::uint64_t n = 2; n <= 400; ++n) put_number(env, n);
  over = true;
  for (auto& reader : readers) reader.join();
  CHECK(wrong == 0);
  CHECK(looks > 0);
}

TEST_CASE("a full map stops writing by name; reads go on, and a larger map takes what was there") {
  const scratch_directory dir;
  table_contents committed;
  for (const bool background : {true, false}) {
    CAPTURE(background);
    const auto where = dir.path() / (background ? "a" : "b");
    committed.clear();
    auto options = journaled(8, 256 * 1024);
    options.journal->in_background = background;
    std::string name = "none";
    {
      environment env(where, options);
      for (std::uint64_t n = 0; name == "none" && n < 1'000; ++n) {
        name = failure_of([&] {
          write_txn txn(env);
          txn.put(env.table("left"), key_of(n), bytes(3'000, 1));
          txn.commit();
        });
        if (name == "none") committed[key_of(n)] = bytes(3'000, 1);
      }
      CHECK(name == "storage_full");
      CHECK(env.write_stopped());
      CHECK(committed.size() > 20);
      CHECK(all_of(env, "left") == committed);
      env.resume_writing();
      // A writer in the background takes a moment to find the map full again.
      name = "none";
      for (int i = 0; i < 1'000 && name == "none"; ++i) {
        if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
        name = failure_of([&] { write_txn txn(env); });
      }
      CHECK(name == "storage_full");
      CHECK(all_of(env, "left") == committed);
    }
    {
      // A map that is still too small opens for reading, and says so to a writer.
      environment env(where, options);
      CHECK(all_of(env, "left") == committed);
      CHECK(failure_of([&] { write_txn txn(env); }) == "storage_full");
    }
    environment env(where, journaled(8));
    CHECK(all_of(env, "left") == committed);
    put_number(env, 1);
  }
}

TEST_CASE("a full disk stops writing by name, nothing is lost, and room made is used") {
  const scratch_directory dir;
  environment env(dir.path(), journaled(1'000));
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit tight = before;
  tight.rlim_cur = 300'000;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
  std::uint64_t n = 0;
  std::string name = "none";
  while (name == "none" && n < 2'000) {
    name = failure_of([&] { put_number(env, n + 1); });
    if (name == "none") ++n;
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(name == "storage_full");
  CHECK(n > 100);
  CHECK(last_number(env) == n);
  CHECK(failure_of([&] { put_number(env, n + 1); }) == "storage_full");
  env.resume_writing();
  put_number(env, ++n);
  CHECK(last_number(env) == n);
}

TEST_CASE("filling the tables directly keeps what the journal holds below it") {
  const scratch_directory dir;
  {
    environment env(dir.path(), journaled(1'000));
    put_number(env, 1);
    write_txn txn(env, write_target::tables);
    CHECK(copy(*txn.find(env.table("left"), key_of(0))) == key_of(1));
    txn.put(env.table("left"), key_of(77), as_bytes("direct"));
    txn.commit();
    put_number(env, 2);
    CHECK(last_number(env) == 2);
  }
  environment env(dir.path(), journaled(1'000));
  CHECK(last_number(env) == 2);
  CHECK(read_txn(env).find(env.table("left"), key_of(77)).has_value());
}
