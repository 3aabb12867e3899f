// Measures the cost of a block in the state tree: first a tree is built from a scan of rows, then
// blocks change some of the rows.
//   state_tree_bench [rows] [changed rows a block] [blocks]
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "actors/state_tree/state_tree.hpp"
#include "messages/values/splitmix64.hpp"

namespace {

using clock_type = std::chrono::steady_clock;
double ms_since(clock_type::time_point start) {
  return std::chrono::duration<double, std::milli>(clock_type::now() - start).count();
}

/// A row as large as an account: a key of 33 bytes and a value of 40.
soma::row_change account(std::uint64_t number, std::uint64_t content) {
  soma::row_change change;
  change.key.assign(33, 2);
  for (std::size_t i = 0; i < 8; ++i)
    change.key[1 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  change.value = soma::bytes(40);
  for (std::size_t i = 0; i < 8; ++i)
    (*change.value)[24 + i] = static_cast<std::uint8_t>(content >> (8 * i));
  return change;
}

void print(const char* what, std::vector<double> ms) {
  std::sort(ms.begin(), ms.end());
  std::printf("%-8s fastest %.2f ms, median %.2f, slowest %.2f\n", what, ms.front(),
              ms[ms.size() / 2], ms.back());
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t rows = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const std::uint64_t changed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 2'000;
  const std::uint64_t blocks = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 50;

  auto start = clock_type::now();
  soma::state_tree::tree::builder scan;
  for (std::uint64_t i = 0; i < rows; ++i) {
    const auto row = account(i, i);
    scan.add(row.key, *row.value);
  }
  auto tree = std::move(scan).finish();
  std::printf("built from %llu rows in %.0f ms\n", static_cast<unsigned long long>(rows),
              ms_since(start));
  const auto used = mallinfo2();
  std::printf("memory %.1f MiB, %.1f bytes a row\n",
              static_cast<double>(used.uordblks + used.hblkhd) / (1 << 20),
              static_cast<double>(used.uordblks + used.hblkhd) / static_cast<double>(rows));

  std::vector<double> prepare_ms, apply_ms;
  std::printf("%llu changed rows a block\n", static_cast<unsigned long long>(changed));
  for (std::uint64_t block = 0; block < blocks; ++block) {
    std::vector<soma::row_change> changes;
    for (std::uint64_t i = 0; i < changed; ++i) {
      changes.push_back(account(soma::splitmix64::first(block * changed + i) % rows,
                                soma::splitmix64::first(block + i)));
    }
    start = clock_type::now();
    auto next = tree.prepare(changes);
    prepare_ms.push_back(ms_since(start));
    start = clock_type::now();
    tree.apply(std::move(next));
    apply_ms.push_back(ms_since(start));
  }
  print("prepare", std::move(prepare_ms));
  print("apply", std::move(apply_ms));
  std::printf("root %s\n", tree.root().text().c_str());
}
