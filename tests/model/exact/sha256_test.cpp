#include "model/exact/sha256.hpp"

#include <doctest/doctest.h>

#include "messages/crypto/hash.hpp"
#include "tests/model/exact/random_inputs.hpp"

using namespace soma;
using namespace soma::test;

TEST_CASE("SHA-256 is OpenSSL's, for every length around its blocks") {
  for (std::size_t size = 0; size < 300; ++size) {
    CAPTURE(size);
    const auto data = random_bytes(size, size);
    exact::sha256 hash;
    hash.add(data.data(), size / 3);
    hash.add(data.data() + size / 3, size - size / 3);
    CHECK(hash256{hash.finish()} == crypto::sha256(data));
  }
}
