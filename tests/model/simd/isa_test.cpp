#include "model/simd/isa.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>

using namespace soma;
using simd::isa;

namespace {

/// Sets SOMA_ISA for as long as it lives.
class isa_asked {
 public:
  explicit isa_asked(const char* name) {
    if (const char* const now = std::getenv("SOMA_ISA")) before_ = now;
    ::setenv("SOMA_ISA", name, 1);
  }
  ~isa_asked() {
    if (before_.empty()) {
      ::unsetenv("SOMA_ISA");
    } else {
      ::setenv("SOMA_ISA", before_.c_str(), 1);
    }
  }
  isa_asked(const isa_asked&) = delete;
  isa_asked& operator=(const isa_asked&) = delete;

 private:
  std::string before_;
};

}  // namespace

TEST_CASE("every set has a name of its own, by which it is found again") {
  for (const auto set : {isa::portable, isa::scalar, isa::avx2, isa::avx512, isa::neon}) {
    CHECK(simd::parse_isa(to_text(set)) == set);
  }
  CHECK_FALSE(simd::parse_isa("sse9"));
  CHECK_FALSE(simd::parse_isa(""));
}

TEST_CASE("the sets of this processor begin with the portable one, and each can be asked for") {
  const auto sets = simd::available_isas();
  REQUIRE(!sets.empty());
  CHECK(sets.front() == isa::portable);
  for (const auto set : sets) {
    const isa_asked asked(std::string(to_text(set)).c_str());
    CHECK(simd::chosen_isa() == set);
  }
  const isa_asked nothing("");
  CHECK(simd::chosen_isa() == sets.back());
}

TEST_CASE("a set that does not exist, or that this processor lacks, is refused by name") {
  const auto sets = simd::available_isas();
  {
    const isa_asked asked("sse9");
    CHECK_THROWS_WITH_AS((void)simd::chosen_isa(),
                         "SOMA_ISA=sse9 names no instruction set: try scalar, avx2, avx512 or neon",
                         std::runtime_error);
  }
  for (const auto set : {isa::avx2, isa::avx512, isa::neon}) {
    if (std::find(sets.begin(), sets.end(), set) != sets.end()) continue;
    const isa_asked asked(std::string(to_text(set)).c_str());
    CHECK_THROWS_AS((void)simd::chosen_isa(), std::runtime_error);
  }
}
