// Reads the machine code of this program: the inner loops of the products keep their sums in
// registers. A compiler that moves them to the stack makes training ten times slower, and no other
// test would notice.
#include "model/simd/tile.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/exact/kernels.hpp"
#include "model/simd/isa.hpp"
#include "model/training/kernels.hpp"

using namespace soma;

namespace {

struct instruction {
  std::uint64_t address = 0;
  std::string text;
};
using code = std::vector<instruction>;

/// The instructions of every function of this program whose name holds one of `names`, by the name
/// that objdump prints. Names of one file are unique in an object, but not in the program, so that
/// functions of one name follow each other under "name", "name#2", …
std::map<std::string, code> functions_named(const std::vector<std::string>& names) {
  const std::unique_ptr<FILE, int (*)(FILE*)> out(
      ::popen("objdump -d -C --no-show-raw-insn /proc/$PPID/exe 2>/dev/null", "r"), ::pclose);
  std::map<std::string, code> found;
  code* current = nullptr;
  std::array<char, 4'096> line{};
  while (out && std::fgets(line.data(), line.size(), out.get()) != nullptr) {
    const std::string text(line.data());
    const auto opening = text.find(" <");
    if (opening != std::string::npos && text.ends_with(">:\n")) {
      current = nullptr;
      for (const auto& name : names) {
        if (text.find(name) == std::string::npos) continue;
        std::string key = text.substr(opening + 2, text.size() - opening - 5);
        if (const auto others = found.count(key); others > 0) {
          std::size_t number = 2;
          while (found.contains(key + "#" + std::to_string(number))) ++number;
          key += "#" + std::to_string(number);
        }
        current = &found[key];
      }
    } else if (current != nullptr && text.size() > 1) {
      const auto colon = text.find(':');
      if (colon == std::string::npos) continue;
      current->push_back({std::strtoull(text.c_str(), nullptr, 16), text.substr(colon + 1)});
    }
  }
  return found;
}

bool multiplies(const instruction& i) {
  return i.text.find("vfmadd") != std::string::npos || i.text.find("mulps") != std::string::npos ||
         i.text.find("fmla") != std::string::npos;
}
bool uses_stack(const instruction& i) {
  for (const char* const base : {"(%rsp", "(%rbp", "[sp"}) {
    if (i.text.find(base) != std::string::npos) return true;
  }
  return false;
}

/// The loops that jump back to their own beginning and hold no other loop.
std::vector<code> inner_loops(const code& function) {
  std::vector<code> loops;
  for (std::size_t end = 0; end < function.size(); ++end) {
    const auto& text = function[end].text;
    const auto jump = text.find_first_not_of(" \t");
    if (jump == std::string::npos || (text[jump] != 'j' && text.compare(jump, 2, "b.") != 0)) {
      continue;
    }
    const auto space = text.find(' ', jump);
    if (space == std::string::npos) continue;
    const auto target = std::strtoull(text.c_str() + space, nullptr, 16);
    if (target > function[end].address || target < function.front().address) continue;
    std::size_t begin = end;
    while (begin > 0 && function[begin].address > target) --begin;
    const bool holds_another = !loops.empty() && loops.back().front().address >= target;
    if (!holds_another) {
      loops.emplace_back(function.begin() + static_cast<std::ptrdiff_t>(begin),
                         function.begin() + static_cast<std::ptrdiff_t>(end) + 1);
    }
  }
  return loops;
}

/// Loops that do as many multiplications as a tile has vectors.
std::vector<code> product_loops(const code& function) {
  std::vector<code> found;
  for (auto& loop : inner_loops(function)) {
    std::size_t products = 0;
    for (const auto& i : loop) products += multiplies(i) ? 1 : 0;
    if (products >= 12) found.push_back(std::move(loop));
  }
  return found;
}

}  // namespace

TEST_CASE("the inner loops of all products keep their sums in registers") {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(SOMA_SANITIZED)
  MESSAGE("not looked at: a sanitizer puts its own code between the instructions");
#else
  // So that the linker keeps every set.
  for (const auto set : simd::available_isas()) {
    REQUIRE((exact::kernels_for(set).multiply != nullptr));
    REQUIRE((training::kernels_for(set).products.matmul != nullptr));
  }
  const auto functions = functions_named({"multiply_tile", "(anonymous namespace)::matmul",
                                          "::attention_forward(", "::attention_backward("});
  REQUIRE(!functions.empty());
  std::size_t loops = 0;
  for (const auto& [name, body] : functions) {
    for (const auto& loop : product_loops(body)) {
      ++loops;
      for (const auto& i : loop) {
        CAPTURE(name);
        CAPTURE(i.text);
        CHECK_FALSE(uses_stack(i));
      }
    }
  }
  // Per set of training: two in matmul and its transpose, two in attention forward, five backward.
  // Per set of the exact engine: one.
  CHECK(loops >= 20);
  MESSAGE(loops << " loops in " << functions.size() << " functions");
#endif
}
