// Routes as the router computes them, compared with one pass over the same memory: no exact scan
// can be faster than reading the memory that it scans.
#include <algorithm>
#include <limits>

#include "deploy/soma/bench/bench.hpp"
#include "deploy/soma/model/reference_library.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/verbs.hpp"
#include "messages/values/assert.hpp"
#include "model/exact/index/nearest.hpp"
#include "model/scoring/distance.hpp"

namespace soma::cli {
namespace {

constexpr std::size_t most_points = 64;
// A pass reads memory in parts of 2 MiB, as large as a tile of the index.
constexpr std::size_t pass_floats = std::size_t{1} << 19;

/// Makes finite numbers in [-1, 1), always the same for one seed, and faster than memory can store
/// them.
class numbers {
 public:
  explicit numbers(std::uint64_t seed) : state_(seed * 2 + 1) {}
  void fill(std::span<float> values) {
    for (auto& v : values) {
      state_ = state_ * 6364136223846793005u + 1442695040888963407u;
      v = static_cast<float>(static_cast<std::int32_t>(state_ >> 32)) * 0x1p-31f;
    }
  }

 private:
  std::uint64_t state_;
};

using wide = float __attribute__((vector_size(64)));

#if defined(__x86_64__)
#define SOMA_EACH_PROCESSOR [[gnu::target_clones("default", "avx2", "avx512f")]]
#else
#define SOMA_EACH_PROCESSOR
#endif
/// Adds up the values as fast as memory delivers them: it reads whole cache lines and prefetches
/// them well ahead. The compiler makes a version for each set of vector instructions.
SOMA_EACH_PROCESSOR float sum_of(const float* values, std::size_t count) {
  wide sums[4] = {};
  constexpr std::size_t step = 64;
  for (std::size_t i = 0; i + step <= count; i += step) {
    for (std::size_t s = 0; s < 4; ++s) {
      __builtin_prefetch(values + i + 2'048 + s * 16);
      wide line;
      __builtin_memcpy(&line, values + i + s * 16, sizeof line);
      sums[s] += line;
    }
  }
  const wide all = sums[0] + sums[1] + sums[2] + sums[3];
  float sum = 0;
  for (std::size_t i = 0; i < 16; ++i) sum += all[i];
  return sum;
}

class bench_route final : public bench_verb {
 public:
  std::string_view name() const override { return "bench route"; }
  std::string_view summary() const override {
    return "exact distances to every model, compared with one pass over memory";
  }
  std::string_view example() const override {
    return "soma bench route\nsoma bench route --models 10000 --dim 512 --threads 1 --json\n"
           "soma bench route --isa all";
  }

 protected:
  void declare_more(option_set& options) override {
    declare_isa(options);
    options.add("models", models_,
                "embeddings in the index; while measuring, memory holds them twice");
    options.add("dim", dim_, "number of values of an embedding");
  }
  expected<std::vector<bench_row>, failure> measure() override;

 private:
  struct scene {
    const reference_library& reference;
    exact::embedding_index index;
    exact::tile_pool pool;
    std::vector<float> points;
    std::vector<float> memory;  // as many values as the index scans
    float kept = 0;             // takes the sums, so that the compiler cannot remove a pass
  };
  void read_once(scene& all) const;
  [[nodiscard]] bench_row against_memory(scene& all, std::size_t points) const;
  [[nodiscard]] bench_row nearest_against_memory(scene& all) const;
  [[nodiscard]] bench_row against_library(scene& all) const;
  [[nodiscard]] expected<bench_row, failure> against_pairs(scene& all) const;
  /// An index of its own that holds the first `models` models of the large one.
  [[nodiscard]] exact::embedding_index first_of(const scene& all, std::size_t models) const;
  [[nodiscard]] std::string shape(std::size_t points, std::size_t models) const {
    return count_text(points) + (points == 1 ? " point x " : " points x ") + count_text(models) +
           " x " + count_text(dim_);
  }
  [[nodiscard]] double operations(std::size_t points, std::size_t models) const {
    return 2e-9 * static_cast<double>(points * models) * dim_;
  }
  [[nodiscard]] double gigabytes(std::size_t models) const {
    return static_cast<double>(models) * dim_ * sizeof(float) / 1e9;
  }

  std::uint32_t models_ = 100'000, dim_ = 2'048;
  static constexpr double rows_ = 6;
};

void bench_route::read_once(scene& all) const {
  std::vector<float> sums(all.pool.threads() * 16);
  all.pool.run(
      (all.memory.size() + pass_floats - 1) / pass_floats, [&](std::size_t tile, unsigned worker) {
        const std::size_t first = tile * pass_floats;
        sums[worker * 16] +=
            sum_of(all.memory.data() + first, std::min(pass_floats, all.memory.size() - first));
      });
  for (const float sum : sums) all.kept += sum;
}

bench_row bench_route::against_memory(scene& all, std::size_t points) const {
  std::vector<std::uint32_t> out(points * all.index.slots());
  const std::span some(all.points.data(), points * dim_);
  const auto taken = race([&] { all.index.distances(some, out, all.pool); },
                          [&] { read_once(all); }, options_.seconds / rows_);
  return {
      shape(points, models_), taken.ours_seconds, taken.peer_seconds, "one pass over memory", "GB",
      gigabytes(models_)};
}

bench_row bench_route::nearest_against_memory(scene& all) const {
  const std::span one(all.points.data(), dim_);
  std::size_t found = 0;
  const auto taken = race([&] { found += all.index.nearest(one, 16, all.pool).size(); },
                          [&] { read_once(all); }, options_.seconds / rows_);
  SOMA_ASSERT(found > 0, "a point has neighbours");
  return {"nearest 16, " + shape(1, models_),
          taken.ours_seconds,
          taken.peer_seconds,
          "one pass over memory",
          "GB",
          gigabytes(models_)};
}

expected<bench_row, failure> bench_route::against_pairs(scene& all) const {
  constexpr std::size_t points = 8;
  const std::size_t models = std::min<std::size_t>(models_, 2'000);
  const auto few = first_of(all, models);
  std::vector<std::vector<float>> rows;
  for (std::size_t m = 0; m < models; ++m) {
    rows.push_back(few.embedding(static_cast<exact::embedding_slot>(m)));
  }
  const std::span some(all.points.data(), points * dim_);
  std::vector<std::uint32_t> ours(points * models);
  std::vector<std::uint32_t> peers(points * models);
  const auto taken = race([&] { few.distances(some, ours, all.pool); },
                          [&] {
                            all.pool.run(models, [&](std::size_t m, unsigned) {
                              for (std::size_t t = 0; t < points; ++t) {
                                peers[t * models + m] =
                                    scoring::distance_q30(some.subspan(t * dim_, dim_), rows[m])
                                        .value_or(exact::far_q30);
                              }
                            });
                          },
                          options_.seconds / rows_);
  if (ours != peers) {
    return failed(
        "the index and the pairs disagree", "a distance is not the same",
        "report this processor and the value of SOMA_ISA; scores computed here can't be trusted");
  }
  return bench_row{shape(points, models),
                   taken.ours_seconds,
                   taken.peer_seconds,
                   "pair by pair, same bits",
                   "GFLOP",
                   operations(points, models)};
}

exact::embedding_index bench_route::first_of(const scene& all, std::size_t models) const {
  exact::embedding_index few(dim_);
  for (std::size_t m = 0; m < models; ++m) {
    few.insert(all.index.embedding(static_cast<exact::embedding_slot>(m)));
  }
  return few;
}

/// With many points the arithmetic takes longer than reading memory, so the limit is then the time
/// of the matrix library's product alone.
bench_row bench_route::against_library(scene& all) const {
  const std::size_t models = std::min<std::size_t>(models_, 16'384);
  const auto some = first_of(all, models);
  std::vector<std::uint32_t> out(most_points * models);
  // sgemm_seconds() measures its own time, so race() does not have to measure this side.
  double best = std::numeric_limits<double>::infinity();
  const auto multiply = [&] {
    best = std::min(best, all.reference.sgemm_seconds(most_points, models, dim_, 1));
  };
  const auto taken =
      race([&] { some.distances(all.points, out, all.pool); }, multiply, options_.seconds / rows_);
  return {
      shape(most_points, models),     taken.ours_seconds, best, "OpenBLAS sgemm, its best", "GFLOP",
      operations(most_points, models)};
}

expected<std::vector<bench_row>, failure> bench_route::measure() {
  if (models_ < 1 || models_ > 10'000'000) {
    return wrong_usage("--models", "it is not between 1 and 10,000,000", "try 100000");
  }
  if (dim_ < 1 || dim_ > max_dim) {
    return wrong_usage("--dim", "it is not between 1 and 16,384", "try 2048");
  }
  const auto reference = load_reference(options_.threads);
  if (!reference) return make_unexpected(reference.error());
  scene all{**reference, exact::embedding_index(dim_), exact::tile_pool(options_.threads), {}, {}};
  numbers random(options_.seed);
  all.points.resize(most_points * dim_);
  random.fill(all.points);
  std::vector<float> embedding(dim_);
  for (std::uint32_t m = 0; m < models_; ++m) {
    random.fill(embedding);
    all.index.insert(embedding);
  }
  all.memory.assign(std::size_t{models_} * dim_, 1.0f);
  note_line("the index holds " + to_text(byte_count{all.index.memory_bytes()}) + " for " +
            to_text(byte_count{all.memory.size() * sizeof(float)}) + " of embeddings");
  std::vector<bench_row> rows;
  for (const std::size_t points : {std::size_t{1}, std::size_t{8}, most_points}) {
    rows.push_back(against_memory(all, points));
  }
  rows.push_back(nearest_against_memory(all));
  rows.push_back(against_library(all));
  auto pairs = against_pairs(all);
  if (!pairs) return make_unexpected(pairs.error());
  rows.push_back(std::move(*pairs));
  return rows;
}

}  // namespace

std::unique_ptr<verb> make_bench_route() {
  return std::make_unique<bench_route>();
}

}  // namespace soma::cli
