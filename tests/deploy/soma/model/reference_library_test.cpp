#include "deploy/soma/model/reference_library.hpp"

#include <doctest/doctest.h>

namespace soma::cli {

TEST_CASE("without its library, libtorch is refused with what to do") {
  // The library lies beside the program, and not beside this test.
  const auto loaded = load_reference(1);
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().problem == "cannot load libtorch");
  CHECK(loaded.error().why.find("libsoma_reference.so") != std::string::npos);
  CHECK(loaded.error().what_to_do.find("libtorch-dev") != std::string::npos);
}

}  // namespace soma::cli
