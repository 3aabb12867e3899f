// Damaged files are refused by name and have no other effect.

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <set>

#include "model/noise/noise.hpp"
#include "tests/model/weights/header_changes.hpp"

using namespace soma;
using namespace soma::noise;
using namespace soma::test;
using namespace soma::weights;
using refusal = weights_refusal;

TEST_CASE(
    "a weight that is not a finite number is refused wherever it stands; a subnormal is a number") {
  const auto count = parameter_count(small_arch);
  for (const std::size_t place : {std::size_t{0}, count / 2, count - 1}) {
    for (const float bad : {NAN, INFINITY, -INFINITY}) {
      auto values = normals(3, count);
      values[place] = bad;
      const auto result = parse_weights(make_weights(small_arch, values).file_bytes());
      REQUIRE(!result.has_value());
      CHECK(result.error() == refusal::value_not_finite);
    }
    auto values = normals(3, count);
    values[place] = 1e-42f;
    CHECK(parse_weights(make_weights(small_arch, values).file_bytes()).has_value());
  }
}

TEST_CASE("a file cut at any byte is refused, and says why") {
  const auto file = init_weights({1, 4, 1, 2, 4}, 1).file_bytes();
  std::uint64_t header = 0;
  std::memcpy(&header, file.data(), 8);
  for (std::size_t size = 0; size < file.size(); size += size < header + 64 ? 1 : 97) {
    CAPTURE(size);
    const auto result = parse_weights(byte_view(file).first(size));
    REQUIRE(!result.has_value());
    CHECK(result.error() == (size < 8            ? refusal::too_short
                             : size < 8 + header ? refusal::header_past_end
                                                 : refusal::data_past_end));
    CHECK(!to_text(result.error()).empty());
  }
  // The header itself is cut to every length, with the data after it.
  const std::string text(reinterpret_cast<const char*>(file.data()) + 8, header);
  for (std::size_t size = 0; size + 8 < header; ++size) {
    CAPTURE(size);
    CHECK(!parse_weights(file_of(text.substr(0, size), byte_view(file).subspan(8 + header)))
               .has_value());
  }
}

TEST_CASE("a flipped bit is refused or changes the hash; nothing else can happen") {
  const auto original = init_weights({1, 4, 1, 2, 4}, 1);
  const auto file = original.file_bytes();
  std::uint64_t header = 0;
  std::memcpy(&header, file.data(), 8);
  std::set<refusal> reasons;
  noise_generator noise(1);
  for (std::size_t at = 0; at < 8 + header + 400; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      CAPTURE(at);
      CAPTURE(bit);
      auto flipped = file;
      flipped[at] ^= static_cast<std::uint8_t>(1 << bit);
      const auto result = parse_weights(flipped);
      if (result) {
        CHECK(result->hash() != original.hash());
        CHECK(is_valid(result->architecture()));
      } else {
        reasons.insert(result.error());
      }
    }
  }
  CHECK(reasons.size() >= 10);
}

TEST_CASE("random damage of any kind never does more than refuse") {
  const auto file = init_weights({1, 4, 1, 2, 4}, 1).file_bytes();
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    CAPTURE(seed);
    noise_generator noise(seed);
    auto damaged = file;
    const auto header = 3300u;
    for (std::uint64_t i = 0; i <= noise.below(4); ++i) {
      const auto at = noise.below(header);
      switch (noise.below(3)) {
        case 0:
          damaged[at] = static_cast<std::uint8_t>(noise.next_u32());
          break;
        case 1:
          damaged.erase(damaged.begin() + static_cast<std::ptrdiff_t>(at),
                        damaged.begin() + static_cast<std::ptrdiff_t>(at + noise.below(30)));
          break;
        default:
          damaged.insert(damaged.begin() + static_cast<std::ptrdiff_t>(at),
                         "{}[],:\"\\0123456789eu"[noise.below(20)]);
          break;
      }
    }
    const auto result = parse_weights(damaged);
    if (result) CHECK(is_valid(result->architecture()));
  }
}

TEST_CASE("anything other than a plain file is refused") {
  const temporary_folder place;
  CHECK(read_weights(place.path / "absent").error() == refusal::cannot_open);
  CHECK(read_weights(place.path).error() == refusal::cannot_open);
  const auto path = place.path / "w";
  write_weights(path, init_weights(small_arch, 1));
  std::filesystem::create_symlink(path, place.path / "link");
  CHECK(read_weights(place.path / "link").has_value());
  std::filesystem::create_symlink("absent", place.path / "dangling");
  CHECK(read_weights(place.path / "dangling").error() == refusal::cannot_open);
  std::filesystem::create_symlink("loop", place.path / "loop");
  CHECK(read_weights(place.path / "loop").error() == refusal::cannot_open);
  std::ofstream(place.path / "empty").close();
  CHECK(read_weights(place.path / "empty").error() == refusal::too_short);
  std::filesystem::resize_file(path, 100);
  CHECK(read_weights(path).error() == refusal::header_past_end);
}
