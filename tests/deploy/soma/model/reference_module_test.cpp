#include <dlfcn.h>
#include <doctest/doctest.h>

#include "deploy/soma/model/reference_library.hpp"
#include "deploy/soma/version.hpp"

namespace soma::cli {

TEST_CASE("the library serves its own version of the program alone") {
  void* const library = ::dlopen(SOMA_REFERENCE_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  CAPTURE(std::string(library == nullptr ? ::dlerror() : ""));
  REQUIRE(library != nullptr);
  auto* const entry = reinterpret_cast<reference_entry*>(::dlsym(library, reference_entry_name));
  const bool has_entry = entry != nullptr;
  REQUIRE(has_entry);
  CHECK(entry("0.0.0", 1) == nullptr);
  const auto* const reference = entry(version.data(), 1);
  REQUIRE(reference != nullptr);
  CHECK(reference->sgemm_seconds(8, 8, 8, 1) > 0);
}

}  // namespace soma::cli
