// Checks README.md and deploy/guide. Every command of a page is run, in the order of the page and
// in a home of its own, or the page says why it is not. Everything that a page names exists.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <thread>

#include "tests/functional/guide_names.hpp"

using namespace soma::guide;
using soma::support::read_text;

namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_readme_lines = 180;
constexpr std::size_t max_guide_lines = 185;
// The demo, the tests, the fuzzers and the long campaigns.
constexpr std::size_t max_blocks_not_run = 4;

const tree& built() {
  static const tree here{SOMA_SOURCE, SOMA_BINARY};
  return here;
}

page read_page(const fs::path& path) {
  return parse_page(fs::relative(path, built().source).generic_string(), read_text(path));
}

std::vector<page> pages() {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(built().source / "deploy" / "guide")) {
    paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  paths.insert(paths.begin(), built().source / "README.md");
  std::vector<page> read;
  for (const auto& path : paths) read.push_back(read_page(path));
  return read;
}

/// Runs the page from its first line to its last. Returns what was different from the page; empty
/// when nothing was.
std::string run_page(const page& one) {
  const auto where = [&](const block& at) {
    return one.name + ":" + std::to_string(at.line) + ": ";
  };
  page_run run(built());
  for (const auto& block : one.blocks) {
    try {
      if (const auto wrong = run.run(block); !wrong.empty()) return where(block) + wrong;
    } catch (const std::exception& error) {
      return where(block) + error.what();
    }
  }
  return {};
}

}  // namespace

TEST_CASE("every block of every page is run or carries a reason") {
  std::size_t not_run = 0;
  for (const auto& one : pages()) {
    CAPTURE(one.name);
    for (const auto& fault : one.faults) FAIL_CHECK(fault);
    CHECK(one.lines <= (one.name == "README.md" ? max_readme_lines : max_guide_lines));
    not_run += static_cast<std::size_t>(
        std::ranges::count_if(one.blocks, [](const block& b) { return !b.not_run.empty(); }));
  }
  CHECK(not_run <= max_blocks_not_run);
}

TEST_CASE("verbs, options and files that a page names exist") {
  name_checker checker(built());
  auto all = pages();
  all.push_back(read_page(built().source / "ARCHITECTURE.md"));
  for (const auto& one : all) {
    for (const auto& fault : checker.missing(one)) FAIL_CHECK(fault);
  }
}

TEST_CASE("README names every page of the guide, and each is run here") {
  const auto readme = read_text(built().source / "README.md");
  std::vector<std::string> names;
  for (const auto& one : pages()) {
    if (one.name == "README.md") continue;
    CHECK_MESSAGE(readme.find("(" + one.name + ")") != std::string::npos, one.name);
    names.push_back(fs::path(one.name).stem().string());
  }
  CHECK(names == std::vector<std::string>{"connect", "contributor", "model-owner", "operator",
                                          "researcher", "submitter"});
}

// Two pages run at a time, because a page mostly waits for the blocks of its own network.
TEST_CASE("every page works, typed from its first line to its last") {
  const auto all = pages();
  std::vector<std::string> wrong(all.size());
  std::atomic<std::size_t> next{0};
  const auto run_pages = [&] {
    for (auto i = next++; i < all.size(); i = next++) wrong[i] = run_page(all[i]);
  };
  std::thread other(run_pages);
  run_pages();
  other.join();
  for (const auto& what : wrong) CHECK_MESSAGE(what.empty(), what);
}
