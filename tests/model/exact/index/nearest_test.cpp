#include "model/exact/index/nearest.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>

#include "model/noise/noise.hpp"
#include "model/scoring/distance.hpp"

using namespace soma;
using namespace soma::exact;

namespace {

using vector = std::vector<float>;
constexpr float infinity = std::numeric_limits<float>::infinity();

/// The small random decisions of a test, determined by a seed.
class dice {
 public:
  explicit dice(std::uint64_t seed) : state_(seed * 2 + 1) {}
  std::uint64_t below(std::uint64_t bound) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return (state_ >> 33) % bound;
  }

 private:
  std::uint64_t state_;
};

/// Mostly ordinary vectors, but also all kinds without a direction or almost without one.
vector some_vector(dice& roll, std::size_t dim) {
  auto values = noise::normals(roll.below(1'000), dim);  // sometimes a vector that came before
  auto& one = values[roll.below(dim)];
  switch (roll.below(16)) {
    case 0:
      std::fill(values.begin(), values.end(), 0.0f);
      break;
    case 1:
      one = std::numeric_limits<float>::quiet_NaN();
      break;
    case 2:
      one = roll.below(2) ? infinity : -infinity;
      break;
    case 3:
      one = std::numeric_limits<float>::max();
      break;
    case 4:
      for (auto& v : values) v *= 1e18f;  // squares overflow binary32, or almost
      break;
    case 5:
      for (auto& v : values) v *= 1e-22f;  // squares are subnormal or zero
      break;
    case 6:
      for (auto& v : values) v = -v;
      break;
    default:
      break;
  }
  return values;
}

std::uint32_t reference(std::span<const float> point, const vector& embedding) {
  return scoring::distance_q30(point, embedding).value_or(far_q30);
}

using held_models = std::map<embedding_slot, vector>;

void check_against_reference(const embedding_index& index, const held_models& held,
                             const vector& points, tile_pool& pool) {
  const std::size_t dim = index.dim();
  const std::size_t count = points.size() / dim;
  std::vector<std::uint32_t> all(count * index.slots(), 7);
  index.distances(points, all, pool);
  std::vector<std::vector<neighbour>> expected(count);
  for (std::size_t t = 0; t < count; ++t) {
    std::vector<std::uint32_t> row(index.slots(), far_q30);
    for (const auto& [slot, embedding] : held) {
      row[slot] = reference(std::span(points).subspan(t * dim, dim), embedding);
      expected[t].push_back({row[slot], slot});
    }
    CHECK(std::equal(row.begin(), row.end(), all.begin() + t * index.slots()));
    std::sort(expected[t].begin(), expected[t].end());
  }
  for (const std::size_t most : {std::size_t{0}, std::size_t{1}, std::size_t{4}, held.size() + 3}) {
    CAPTURE(most);
    auto wanted = expected;
    for (auto& row : wanted) row.resize(std::min(most, row.size()));
    CHECK(index.nearest(points, most, pool) == wanted);
  }
}

/// Inserts, replaces and removes at random, the same in an index of each instruction set.
void change(dice& roll, std::vector<embedding_index>& indexes, held_models& held,
            std::size_t changes) {
  for (std::size_t i = 0; i < changes; ++i) {
    const auto embedding = some_vector(roll, indexes[0].dim());
    const auto what = held.empty() ? 0 : roll.below(8);
    auto at = held.begin();
    if (!held.empty()) std::advance(at, roll.below(held.size()));
    if (what < 6) {
      const auto slot = indexes[0].insert(embedding);
      CHECK(!held.contains(slot));
      for (std::size_t n = 1; n < indexes.size(); ++n) CHECK(indexes[n].insert(embedding) == slot);
      held.emplace(slot, embedding);
    } else if (what == 6) {
      for (auto& index : indexes) index.replace(at->first, embedding);
      at->second = embedding;
    } else {
      for (auto& index : indexes) index.remove(at->first);
      held.erase(at);
    }
  }
}

void check_seed(std::uint64_t seed, std::size_t dim, std::size_t changes, std::size_t points) {
  CAPTURE(seed);
  dice roll(seed);
  std::vector<embedding_index> indexes;
  for (const auto set : simd::available_isas()) indexes.emplace_back(dim, set);
  held_models held;
  tile_pool alone(1);
  tile_pool three(3);
  change(roll, indexes, held, changes);
  vector all_points;
  for (std::size_t t = 0; t < points; ++t) {
    const auto point = some_vector(roll, dim);
    all_points.insert(all_points.end(), point.begin(), point.end());
  }
  for (const auto& index : indexes) {
    CHECK(index.size() == held.size());
    check_against_reference(index, held, all_points, alone);
    check_against_reference(index, held, all_points, three);
  }
}

bool same_bits(const vector& a, const vector& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

// Arithmetic §8.1 to §8.3.
TEST_CASE(
    "distances and nearest models are those of two vectors, bit for bit, for every instruction set "
    "and number of threads, after any changes") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    dice roll(seed + 1'000);
    check_seed(seed, 1 + roll.below(70), roll.below(150), roll.below(20));
  }
}

TEST_CASE(
    "distances are exact also beyond the depths, points and models that are processed at a time") {
  check_seed(1, 1'100, 40, 9);  // more values than one step of the depth holds
  check_seed(2, 1'100, 40, 2);
  check_seed(3, 5, 100, 600);    // more points than one pass holds
  check_seed(4, 3'000, 300, 3);  // more tiles than threads
}

TEST_CASE("equal distances go to the lower slot") {
  embedding_index index(4);
  tile_pool pool(2);
  for (int i = 0; i < 100; ++i) index.insert(vector{1, 2, 3, 4});
  const auto found = index.nearest(vector{4, 3, 2, 1}, 5, pool);
  REQUIRE(found.size() == 1);
  REQUIRE(found[0].size() == 5);
  for (std::uint32_t i = 0; i < 5; ++i) CHECK(found[0][i].slot == i);
}

TEST_CASE("a slot gives back what was put in, and a removed one is used again") {
  embedding_index index(3);
  const vector odd{-0.0f, infinity, 1e-40f};
  CHECK(index.insert(vector{1, 2, 3}) == 0);
  CHECK(index.insert(odd) == 1);
  CHECK(index.insert(vector{7, 8, 9}) == 2);
  CHECK(same_bits(index.embedding(1), odd));
  CHECK(index.embedding(2) == vector{7, 8, 9});
  index.remove(1);
  CHECK(index.size() == 2);
  CHECK(index.slots() == 3);
  CHECK(index.insert(vector{4, 5, 6}) == 1);
  CHECK(index.embedding(1) == vector{4, 5, 6});
  index.replace(0, vector{3, 2, 1});
  CHECK(index.embedding(0) == vector{3, 2, 1});
  CHECK(index.size() == 3);
}

TEST_CASE("an index without models finds no neighbours") {
  embedding_index index(2);
  tile_pool pool(2);
  index.distances(vector{1, 2, 3, 4}, {}, pool);
  CHECK(index.nearest(vector{1, 2, 3, 4}, 3, pool) == std::vector<std::vector<neighbour>>(2));
  index.remove(index.insert(vector{1, 1}));
  std::vector<std::uint32_t> out(1);
  index.distances(vector{1, 2}, out, pool);
  CHECK(out[0] == far_q30);
  CHECK(index.nearest(vector{1, 2}, 3, pool)[0].empty());
}

TEST_CASE("memory stays within a twentieth of the embeddings themselves, beyond one block") {
  constexpr std::size_t dim = 512;
  const vector embedding(dim, 1.0f);
  embedding_index index(dim);
  for (std::size_t n = 1; n <= 10'000; ++n) {
    index.insert(embedding);
    const std::size_t raw = n * dim * sizeof(float);
    const std::size_t block = block_tokens * dim * sizeof(float);
    if (n % 97 == 0) CHECK(index.memory_bytes() <= raw + raw / 20 + block);
    CHECK(index.memory_bytes() >= raw);
  }
  const auto full = index.memory_bytes();
  for (embedding_slot slot = 0; slot < 10'000; ++slot) index.remove(slot);
  for (std::size_t n = 1; n <= 10'000; ++n) index.insert(embedding);
  CHECK(index.memory_bytes() <= full + 2 * 10'000 * sizeof(embedding_slot) * 2);
}
