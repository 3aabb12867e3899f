#include "model/weights/architectures.hpp"

#include <doctest/doctest.h>

#include "tests/model/weights/header_changes.hpp"

using namespace soma;
using namespace soma::test;
using namespace soma::weights;

TEST_CASE("architectures by name, by five numbers, or not at all") {
  CHECK(parse_architecture("tiny") == model_architecture{4, 64, 4, 256, 256});
  CHECK(parse_architecture("small") == model_architecture{6, 256, 4, 1024, 1024});
  CHECK(parse_architecture("base") == model_architecture{8, 512, 8, 2048, 1024});
  CHECK(parse_architecture("v1") == model_architecture{});
  CHECK(parse_architecture("2,8,2,6,16") == small_arch);
  for (const char* wrong :
       {"", "huge", "1,2,3", "2,8,2,6,16,", "2,8,2,6,16,1", "2,8,3,6,16", "2,8,2,6,-1",
        " 2,8,2,6,16", "0,8,2,6,16", "2,8,8,6,16", "2,99999999999,2,6,16", "2,,2,6,16"}) {
    CAPTURE(wrong);
    CHECK(!parse_architecture(wrong));
  }
  CHECK(to_text(*parse_architecture("tiny")) == "tiny");
  CHECK(to_text(small_arch) == "2,8,2,6,16");
}
