#include "storage/files/readable_file.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "tests/support/scratch.hpp"

using soma::files::readable_file;

TEST_CASE("bytes of a file are read where they lie, and none behind its end") {
  const soma::test::scratch_directory dir;
  const auto path = dir.path() / "file";
  std::ofstream(path) << "0123456789";
  const auto file = readable_file::open(path);
  REQUIRE(file);
  std::string got(4, ' ');
  const auto room = std::span(reinterpret_cast<std::uint8_t*>(got.data()), got.size());
  CHECK(file->read(6, room));
  CHECK(got == "6789");
  CHECK_FALSE(file->read(7, room));
  CHECK_FALSE(file->read(100, room));
  // What is open stays readable.
  std::filesystem::remove(path);
  CHECK(file->read(0, room));
  CHECK(got == "0123");
}

TEST_CASE("a link, a pipe, a folder and nothing at all are not opened") {
  const soma::test::scratch_directory dir;
  std::ofstream(dir.path() / "file") << "x";
  std::filesystem::create_symlink(dir.path() / "file", dir.path() / "link");
  REQUIRE(::mkfifo((dir.path() / "pipe").c_str(), 0600) == 0);
  for (const auto* name : {"link", "pipe", ".", "none"}) {
    CAPTURE(name);
    CHECK(readable_file::open(dir.path() / name) == nullptr);
  }
  CHECK(readable_file::open(dir.path() / "file") != nullptr);
}
