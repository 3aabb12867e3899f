#include "deploy/soma/source/new_folders.hpp"

#include <doctest/doctest.h>

#include "tests/support/program.hpp"

using soma::cli::new_folders;
using soma::support::scratch_folder;
using soma::support::write_text;

namespace fs = std::filesystem;

TEST_CASE("folders that a failed command made go away, and no other folder does") {
  const scratch_folder folder;
  fs::create_directory(folder / "old");
  const auto wanted = folder / "old" / "a" / "b";
  {
    const new_folders made(wanted);
    fs::create_directories(wanted);
  }
  CHECK_FALSE(fs::exists(folder / "old" / "a"));
  CHECK(fs::exists(folder / "old"));
  {
    const new_folders made(wanted);  // they were never made
  }
  {
    new_folders made(wanted);
    fs::create_directories(wanted);
    made.keep();
  }
  CHECK(fs::exists(wanted));
  {
    const new_folders made(wanted / "c" / "");
    fs::create_directories(wanted / "c");
    write_text(wanted / "c" / "file", "somebody else's");
  }
  CHECK(fs::exists(wanted / "c" / "file"));
}
