#include "model/simd/float_buffer.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <new>
#include <utility>

using namespace soma;

TEST_CASE("a buffer of any size begins on a cache line, and all of it can be written") {
  for (const std::size_t count :
       {1ul, 15ul, 16ul, 1'000ul, 1ul << 20, (1ul << 20) + 1, 3ul << 20}) {
    CAPTURE(count);
    simd::float_buffer buffer(count);
    CHECK(buffer.size() == count);
    CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64 == 0);
    for (std::size_t i = 0; i < count; ++i) buffer.data()[i] = static_cast<float>(i % 97);
    CHECK(buffer.data()[count - 1] == static_cast<float>((count - 1) % 97));
    const float* const place = buffer.data();
    const simd::float_buffer moved(std::move(buffer));
    CHECK(moved.data() == place);
  }
}

TEST_CASE("memory that does not exist is an exception") {
  CHECK_THROWS_AS(simd::float_buffer(std::size_t{1} << 60), std::bad_alloc);
}
