#include "deploy/soma/source/folder_lock.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "tests/support/program.hpp"

namespace soma::cli {
namespace {

const failure taken{"cannot work", "another one works", "wait"};

}  // namespace

TEST_CASE("one has a lock at a time, and its file stays or goes as it was asked") {
  const support::scratch_folder folder;
  const auto path = folder / "a.lock";
  {
    const auto first = folder_lock::take(path, taken);
    REQUIRE(first);
    CHECK(folder_lock::take(path, taken).error().why == taken.why);
    CHECK(folder_lock::share(path, taken).error().why == taken.why);
  }
  CHECK(std::filesystem::exists(path));
  {
    const auto passing = folder_lock::take_for_now(path, taken);
    REQUIRE(passing);
    CHECK_FALSE(folder_lock::take_for_now(path, taken));
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("those that share a lock keep it from one that wants it alone") {
  const support::scratch_folder folder;
  const auto path = folder / "a.lock";
  const auto first = folder_lock::share(path, taken), second = folder_lock::share(path, taken);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->has_value());
  CHECK_FALSE(folder_lock::take(path, taken));
}

TEST_CASE("a lock that cannot be is refused with the reason of the system") {
  const support::scratch_folder folder;
  const auto refused = folder_lock::take(folder / "none/a.lock", taken);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().why == "No such file or directory");
}

// Whoever opens the file just before its owner removes it would hold a lock on a file that has no
// name any more, while the next one holds another file of that name.
TEST_CASE("two never hold a lock whose file comes and goes") {
  const support::scratch_folder folder;
  const auto path = folder / "a.lock";
  // Tries would be a poor measure: on a busy machine nearly all of them meet a lock that is held.
  constexpr int wanted = 1'000;
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  std::atomic<int> holders{0}, held{0};
  std::atomic<bool> two_at_once{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      while (held < wanted && std::chrono::steady_clock::now() < limit) {
        const auto lock = folder_lock::take_for_now(path, taken);
        if (!lock) continue;
        if (++holders != 1) two_at_once = true;
        ++held;
        std::this_thread::yield();
        --holders;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK_FALSE(two_at_once);
  CHECK(held >= wanted);
}

}  // namespace soma::cli
