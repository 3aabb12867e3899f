#include "deploy/soma/node/kept_files.hpp"

#include <doctest/doctest.h>

#include "tests/support/program.hpp"

using soma::cli::kept_files;
using soma::support::scratch_folder;
using soma::support::write_text;

namespace fs = std::filesystem;

TEST_CASE("a file that is removed or replaced is noticed, and one that is written to is not") {
  const scratch_folder folder;
  const auto path = folder / "home" / "ledger";
  const auto make = [&] {
    fs::create_directories(path.parent_path());
    write_text(path, "blocks");
  };
  make();
  const kept_files kept({folder / "never", path});
  CHECK_FALSE(kept.first_lost());
  write_text(path, "more blocks");
  CHECK_FALSE(kept.first_lost());
  fs::rename(path, folder / "away");
  CHECK(kept.first_lost() == path);
  write_text(path, "other blocks");
  CHECK(kept.first_lost() == path);
  fs::remove(path);
  fs::rename(folder / "away", path);
  CHECK_FALSE(kept.first_lost());
  fs::remove_all(folder / "home");
  CHECK(kept.first_lost() == path);
}
