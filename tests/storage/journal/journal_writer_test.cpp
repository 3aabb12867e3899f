#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <system_error>

#include "storage/journal/journal.hpp"
#include "tests/support/killed.hpp"
#include "tests/support/scratch.hpp"

using namespace soma;
using soma::test::random_bytes;
using soma::test::scratch_directory;

namespace {

void append(journal::writer& to, byte_view payload) {
  to.append({&payload, 1});
}

/// The payload of the record with this number.
bytes payload_of(std::uint64_t number) {
  std::mt19937_64 random(number);
  return random_bytes(random, number % 7 == 0 ? 0 : random() % 3'000);
}

/// The number after the last record that the file holds. Checks what each record is.
std::uint64_t end_of(const std::filesystem::path& file) {
  journal::reader from(file);
  if (from.look() == 0) return 0;
  for (byte_view found; from.next(found);) {
    REQUIRE(test::copy(found) == payload_of(from.number() - 1));
  }
  return from.number();
}

}  // namespace

TEST_CASE("records come back in order, from one part or from many, with and without sync") {
  for (const bool sync : {true, false}) {
    const scratch_directory dir;
    const auto file = dir.path() / "journal";
    journal::writer to(file, sync);
    to.begin(5);
    for (std::uint64_t number = 5; number < 300; ++number) {
      const bytes all = payload_of(number);
      const auto half = all.size() / 2;
      const std::array parts{byte_view(all).first(half), byte_view(), byte_view(all).subspan(half)};
      REQUIRE(to.next() == number);
      to.append(parts);
    }
    CHECK(end_of(file) == 300);
    CHECK(to.size_bytes() <= std::filesystem::file_size(file));
  }
}

TEST_CASE("a small record costs a sector of the disk and not a page") {
  const scratch_directory dir;
  const auto written = [] {
    std::ifstream io("/proc/self/io");
    for (std::string name, value; io >> name >> value;) {
      if (name == "write_bytes:") return std::stoull(value);
    }
    return 0ULL;
  };
  journal::writer to(dir.path() / "journal");
  to.begin(1);
  const auto before = written();
  for (int i = 0; i < 64; ++i) append(to, bytes(400, 1));
  // A file system without direct writes counts a page of 4,096 bytes for each.
  if (to.size_bytes() == 65 * 512) CHECK((written() - before) / 64 <= 4'096);
  CHECK(to.size_bytes() % 512 == 0);
  const auto size = to.size_bytes();
  append(to, bytes(480, 1));
  append(to, bytes(500, 1));
  CHECK(to.size_bytes() - size >= 3 * 512);
}

TEST_CASE("a journal that is begun anew holds nothing of its earlier use") {
  const scratch_directory dir;
  const auto file = dir.path() / "journal";
  journal::writer to(file);
  to.begin(1);
  for (std::uint64_t number = 1; number < 40; ++number) append(to, payload_of(number));
  to.begin(40);
  CHECK(end_of(file) == 40);
  append(to, payload_of(40));
  CHECK(end_of(file) == 41);
  CHECK_FALSE(journal::reader(file).has_record_from(41));
}

TEST_CASE("a file has one writer, and another process or object is refused") {
  const scratch_directory dir;
  const auto file = dir.path() / "journal";
  std::optional<journal::writer> first(std::in_place, file);
  try {
    const journal::writer second(file);
    FAIL("two writers");
  } catch (const std::system_error& why) {
    CHECK(why.code().value() == EWOULDBLOCK);
  }
  first.reset();
  const journal::writer again(file);
}

TEST_CASE("a full disk is named, and the record that did not fit is written when there is room") {
  const scratch_directory dir;
  const auto file = dir.path() / "journal";
  journal::writer to(file);
  to.begin(1);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit tight = before;
  tight.rlim_cur = 1'200'000;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
  std::uint64_t number = 1;
  int error = 0;
  for (; error == 0 && number < 2'000; ++number) {
    try {
      append(to, payload_of(number));
    } catch (const std::system_error& why) {
      error = why.code().value();
      --number;
    }
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(error == ENOSPC);
  CHECK(number > 300);
  CHECK(end_of(file) == number);
  append(to, payload_of(number));
  CHECK(end_of(file) == number + 1);
}

TEST_CASE("a journal whose writer is killed 60 times holds every acknowledged record") {
  const std::uint64_t seed = 31;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const scratch_directory dir;
  const auto file = dir.path() / "journal";
  std::uint64_t kept = 1;
  for (int kill = 0; kill < 60; ++kill) {
    CAPTURE(kill);
    const auto reported = test::killed(random, [&](const test::report& acknowledge) {
      journal::writer to(file);
      if (kill % 2 == 0) ::usleep(100);
      to.begin(kept);
      acknowledge(kept - 1);
      for (std::uint64_t number = kept;; ++number) {
        append(to, payload_of(number));
        acknowledge(number);
      }
    });
    REQUIRE_FALSE(reported.empty());
    const auto end = end_of(file);
    REQUIRE(end >= reported.back() + 1);
    REQUIRE(end <= reported.back() + 2);
    REQUIRE_FALSE(journal::reader(file).has_record_from(end));
    kept = end;
  }
  CHECK(kept > 60);
}
