#include "messages/values/splitmix64.hpp"

#include <doctest/doctest.h>

#include <initializer_list>

using soma::splitmix64;

// The numbers that the authors' own program prints for the seed 1234567.
TEST_CASE("splitmix64 gives the numbers of its authors") {
  splitmix64 random(1'234'567);
  for (const std::uint64_t wanted :
       {6457827717110365317U, 3203168211198807973U, 9817491932198370423U, 4593380528125082431U,
        16408922859458223821U}) {
    CHECK(random.next() == wanted);
  }
  CHECK(splitmix64::first(1'234'567) == 6457827717110365317U);
  static_assert(splitmix64::first(0) == 0xe220a8397b1dcdaf);
}
