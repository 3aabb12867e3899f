#include "deploy/soma/bench/child_process.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "tests/support/scratch.hpp"

using namespace soma;
using namespace soma::cli;

namespace {

child_process::setting bash(const test::scratch_directory& folder, const std::string& script,
                            std::vector<unsigned> processors = {}) {
  return {{"bash", "-c", script}, folder.path() / "log", "/bin/bash", std::move(processors)};
}

template <class Condition>
bool comes_true(Condition condition) {
  for (int i = 0; i < 1'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

}  // namespace

TEST_CASE("a child runs until it ends or is stopped, and what it prints can be read") {
  const test::scratch_directory folder;
  {
    const child_process one(bash(folder, "echo here; exec sleep 60"));
    CHECK(comes_true([&] { return one.said() == "here\n"; }));
    CHECK(one.runs());
    CHECK(one.memory_bytes() > 0);
  }
  const child_process ended(bash(folder, "echo gone; exit 3"));
  CHECK(comes_true([&] { return !ended.runs(); }));
  CHECK(ended.said() == "gone\n");
}

TEST_CASE("the time of a child is counted, and that of its own children while they run") {
  const test::scratch_directory folder;
  const child_process busy(bash(folder, "while true; do :; done"));
  CHECK(comes_true([&] { return busy.cpu_seconds() > 0.05; }));
  const child_process idle(
      bash(folder, "trap 'kill $!; exit' INT; bash -c 'while true; do :; done' & wait"));
  CHECK(comes_true([&] { return idle.cpu_seconds() > 0.05; }));
}

TEST_CASE("the processors are divided, and a thread that is bound is let go again") {
  const auto halves = split_processors();
  if (halves.client.empty()) return;  // there is one processor
  CHECK(!halves.servers.empty());
  CHECK(halves.servers.back() < halves.client.front());
  {
    const bound_thread bound(halves.client);
    CHECK(split_processors().servers.size() == halves.client.size() / 2);
  }
  CHECK(split_processors().client == halves.client);
  const test::scratch_directory folder;
  const child_process one(bash(folder, "nproc", halves.servers));
  CHECK(comes_true([&] { return one.said() == std::to_string(halves.servers.size()) + "\n"; }));
}

TEST_CASE("ports that are free lie in a row") {
  const auto first = free_ports(3);
  REQUIRE(first.has_value());
  CHECK(*first >= 20'000);
  CHECK(*first + 3 <= 32'768);
}
