#include "model/noise/noise.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "tests/model/noise/blake2b.hpp"

using namespace soma;
using namespace soma::noise;

namespace {

std::string digest_of(const std::vector<float>& values) {
  return to_hex(
      test::blake2b_256({reinterpret_cast<const std::uint8_t*>(values.data()), 4 * values.size()}));
}

/// The recorded decimals are rounded. The digests check the bits.
bool near(const std::vector<float>& got, const std::vector<double>& wanted) {
  bool good = got.size() == wanted.size();
  for (std::size_t i = 0; good && i < got.size(); ++i) good = std::abs(got[i] - wanted[i]) < 1.1e-7;
  return good;
}

}  // namespace

TEST_CASE("the test's own BLAKE2b-256 gives the published digest of the empty text") {
  CHECK(to_hex(test::blake2b_256({})) ==
        "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
  const bytes zeros(32, 0);
  CHECK(to_hex(test::blake2b_256(zeros)) ==
        "89eb0d6a8a691dae2cd15ed0369931ce0a949ecafa5c3f93f8121833646e15c3");
}

// Arithmetic §6.1 and §6.2.
TEST_CASE("a seed expands to the recorded key and the recorded first words") {
  noise_generator generator(42);
  const std::array<std::uint32_t, 8> key{0x7ba18fa4, 0x0a3d3258, 0xcca1b8ea, 0xb8140169,
                                         0x75c88c2b, 0x54f7b418, 0xa16e448d, 0xf220dfe4};
  CHECK(generator.key() == key);
  for (const std::uint64_t word :
       {0x86cc7763222724a2u, 0x8af00a133fad517du, 0xa2ef6071de5134d1u, 0x67e92d78fd7630b2u}) {
    CHECK(generator.next_u64() == word);
  }
}

// Arithmetic §6.5 and §6.6.
TEST_CASE("standard normals are the recorded ones, bit for bit, tails included") {
  CHECK(near(normals(42, 8), {0.06942791, 0.13293812, 0.26257637, -0.22530088, -0.66422486,
                              -0.2153902, 0.19392312, 1.4764173}));
  CHECK(digest_of(normals(42, 2048)) ==
        "954f7ff2f1c44d94c3994fb8cbb046202e829431faa2118230d1d4d81c274423");
  CHECK(normals(42, 2048)[1323] == 3.6987565f);
  CHECK(digest_of(normals(0, 2048)) ==
        "a6d2f394fb2e990e516537fa4fd1f72df2b3417ef34a035f37f5775a4922824b");
  CHECK(digest_of(normals(1, 2048)) ==
        "eb9d2553a302330f834ef2a172f9306bf99a3e4995fb3594836f66e1921152c0");
  const auto many = normals(42, 524288);
  CHECK(digest_of(many) == "776a6870ba3a0341f1770ddbd83bcad640daf352edc4deeda96b6572bbc0d225");
  CHECK(many[2627] == 3.7180424f);
  CHECK(many[7224] == 4.1057296f);
  CHECK(many[10335] == -3.8242693f);
}

// Arithmetic §6.3.
TEST_CASE("uniform numbers are the recorded ones, bit for bit") {
  CHECK(digest_of(uniforms(42, 2048)) ==
        "554a2fcd740df18576f2289d556e70f791b0f5a851c5fc0861a63304492a75ed");
  CHECK(near(uniforms(0, 4), {0.8014592, 0.7311133, 0.5552888, 0.7734601}));
  CHECK(near(uniforms(42, 4), {0.13340974, 0.5265573, 0.24873829, 0.5427252}));
}

// Protocol §7.2.
TEST_CASE("points of targets start as recorded") {
  const auto start = normals(3599608884587731274u, 4);
  CHECK(start == std::vector<float>{0.64786696f, -0.43506914f, -0.36352774f, -0.32058093f});
  CHECK(normals(445000614441370954u, 2) == std::vector<float>{0.0078534884f, 1.5208791f});
  CHECK(normals(7388967345340999682u, 2) == std::vector<float>{0.083211273f, -0.22984309f});
}

// Arithmetic §6.6.
TEST_CASE("mean and deviation are applied in binary32") {
  const auto plain = normals(7, 100);
  const auto moved = normals(7, 100, 1.5f, 0.3f);
  for (std::size_t i = 0; i < 100; ++i) CHECK(moved[i] == 1.5f + 0.3f * plain[i]);
}

// Arithmetic §6.4.
TEST_CASE("numbers below a bound are below it, reach every value, and do not lean") {
  for (const std::uint64_t bound : {1u, 2u, 3u, 7u, 1000u}) {
    CAPTURE(bound);
    noise_generator generator(bound);
    std::vector<int> seen(bound, 0);
    for (std::uint64_t i = 0; i < 1000 * bound; ++i) ++seen[generator.below(bound)];
    for (const int count : seen) CHECK(std::abs(count - 1000) < 200);
  }
  noise_generator generator(9);
  for (int i = 0; i < 1000; ++i) CHECK(generator.below((1ull << 63) + 1) <= (1ull << 63));
}
