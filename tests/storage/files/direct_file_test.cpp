#include "storage/files/direct_file.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "tests/support/scratch.hpp"

using namespace soma;
using files::direct_file;
using soma::test::scratch_directory;

namespace {

void write(direct_file& to, byte_view data, std::size_t at) {
  std::ranges::copy(data, to.memory_for(data.size()));
  to.write(data.size(), at);
}

template <class Act>
int error_of(Act&& act) {
  try {
    act();
  } catch (const std::system_error& why) {
    return why.code().value();
  }
  return 0;
}

}  // namespace

TEST_CASE("what is written is there, filled up with zeros to the unit, and nothing else changes") {
  for (const bool sync : {true, false}) {
    CAPTURE(sync);
    const scratch_directory dir;
    const auto path = dir.path() / "file";
    {
      direct_file file(path, direct_file::opening::or_create, sync);
      write(file, bytes(8'000, 9), 0);
      write(file, bytes(5, 7), file.unit());
      std::array<std::uint8_t, 6> found{};
      CHECK(file.read(found, 0) == found.size());
      CHECK(found == std::array<std::uint8_t, 6>{9, 9, 9, 9, 9, 9});
    }
    const auto data = test::read_file(path);
    const direct_file again(path, direct_file::opening::existing, sync);
    bytes wanted(data.size(), 9);
    std::fill_n(wanted.begin() + static_cast<std::ptrdiff_t>(again.unit()), again.unit(),
                std::uint8_t{0});
    std::fill_n(wanted.begin() + static_cast<std::ptrdiff_t>(again.unit()), 5, std::uint8_t{7});
    std::fill(wanted.begin() + 8'000, wanted.end(), std::uint8_t{0});
    CHECK(data.size() % again.unit() == 0);
    CHECK(data == wanted);
  }
}

TEST_CASE("a file is open once, and a missing one is made only where that is asked") {
  const scratch_directory dir;
  const auto path = dir.path() / "file";
  CHECK(error_of([&] { direct_file(path, direct_file::opening::existing, true); }) == ENOENT);
  const direct_file first(path, direct_file::opening::or_create, true);
  CHECK(error_of([&] { direct_file(path, direct_file::opening::existing, true); }) == EWOULDBLOCK);
}

TEST_CASE("a disk without room is named ENOSPC, for room in advance and for a write") {
  const scratch_directory dir;
  direct_file file(dir.path() / "file", direct_file::opening::or_create, true);
  file.take_room(100'000);
  CHECK(std::filesystem::file_size(dir.path() / "file") >= 100'000);
  write(file, bytes(600, 1), 0);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit tight = before;
  tight.rlim_cur = 8'192 + 700;  // a write up to here is taken in part
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
  const int room = error_of([&] { file.take_room(std::size_t{8} << 20); });
  const int beyond = error_of([&] { write(file, bytes(4'096, 2), 8'192); });
  const int within = error_of([&] { write(file, bytes(4'096, 2), 4'096); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(room == ENOSPC);
  CHECK(beyond == ENOSPC);
  CHECK(within == 0);
  write(file, bytes(4'096, 3), 8'192);
}
