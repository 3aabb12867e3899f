// soma bench score: the exact engine compared with the reference engine in libtorch, and with the
// time that the matrix library needs for the products alone.
#include <algorithm>
#include <limits>

#include "deploy/soma/bench/bench.hpp"
#include "deploy/soma/model/model_options.hpp"
#include "deploy/soma/model/reference_library.hpp"
#include "deploy/soma/verbs.hpp"
#include "model/noise/noise.hpp"
#include "model/scoring/exact_engine.hpp"
#include "model/weights/architectures.hpp"

namespace soma::cli {
namespace {

class bench_score final : public bench_verb {
 public:
  std::string_view name() const override { return "bench score"; }
  std::string_view summary() const override {
    return "how fast the exact engine scores, against libtorch and against bare matrix products";
  }
  std::string_view example() const override {
    return "soma bench score\n"
           "soma bench score --isa all --threads 1\n"
           "soma bench score --arch base --threads 2 --seconds 60\n"
           "soma bench score --arch 2,2048,8,8192,1024 --sequences 4";
  }

 private:
  void declare_more(option_set& options) override {
    declare_arch(options);
    declare_isa(options);
    options.add("sequences", sequences_,
                "number of full sequences that are scored, in batches of 16");
    options.add("no-twin", no_twin_, "leave out the comparison with libtorch, which is slow");
  }
  [[nodiscard]] expected<std::vector<bench_row>, failure> measure() override;

  std::uint32_t sequences_ = 16;
  bool no_twin_ = false;
};

struct shape {
  std::size_t m, n, k, times;
};

/// The shapes of all matrix products of a run: those with weights, and the two of attention, which
/// count as half a square each, since a token sees only the tokens before it.
std::vector<shape> shapes_of(const model_architecture& a, std::size_t sequences) {
  const std::size_t tokens = sequences * a.max_seq;
  const std::size_t layers = a.layers;
  const std::size_t heads = layers * a.heads * sequences;
  const std::size_t width = a.dim / a.heads;
  return {{tokens, a.dim, a.dim, 4 * layers},
          {tokens, a.ffn, a.dim, layers},
          {tokens, a.dim, a.ffn, layers},
          {a.max_seq, (a.max_seq + 1) / 2, width, heads},
          {a.max_seq, width, (a.max_seq + 1) / 2, heads},
          {tokens, model_architecture::vocab, a.dim, 1},
          {tokens, exact::sigreg_slices, a.dim, 1}};
}

double gigaflop_of(const std::vector<shape>& shapes) {
  double sum = 0;
  for (const auto& s : shapes) {
    sum += 2e-9 * static_cast<double>(s.times) * static_cast<double>(s.m) *
           static_cast<double>(s.n) * static_cast<double>(s.k);
  }
  return sum;
}

/// All products of a run, as often as the run has them: so the time that the machine gives to other
/// work falls on both sides alike.
double roofline_seconds(const reference_library& reference, const std::vector<shape>& shapes) {
  double sum = 0;
  for (const auto& s : shapes) {
    sum += reference.sgemm_seconds(s.m, s.n, s.k, static_cast<unsigned>(s.times));
  }
  return sum;
}

expected<std::vector<bench_row>, failure> bench_score::measure() {
  const auto arch = architecture_of(options_.arch);
  if (!arch) return make_unexpected(arch.error());
  if (sequences_ < 1 || sequences_ > 4096) {
    return wrong_usage("--sequences", "it is not between 1 and 4096", "try 16");
  }
  if (auto checked = check_threads(options_.threads); !checked) {
    return make_unexpected(checked.error());
  }
  const auto reference = load_reference(options_.threads);
  if (!reference) return make_unexpected(reference.error());
  const auto weights = weights::init_weights(*arch, options_.seed);
  bytes data(std::size_t{sequences_} * arch->max_seq);
  noise::noise_generator random(options_.seed);
  for (auto& byte : data) byte = static_cast<std::uint8_t>(random.below(256));

  const auto exact = scoring::exact_engines(options_.threads)(weights);
  const auto twin = (*reference)->torch_engine(weights);
  const auto run = [&](scoring::scoring_engine& engine) { (void)engine.run(data, options_.seed); };
  const auto shapes = shapes_of(*arch, sequences_);
  double ours = std::numeric_limits<double>::infinity();
  double roofline = ours;
  (void)race([&] { ours = std::min(ours, seconds_of([&] { run(*exact); })); },
             [&] { roofline = std::min(roofline, roofline_seconds(**reference, shapes)); },
             options_.seconds * (no_twin_ ? 1 : 0.5));
  const std::string compared =
      "score " + weights::to_text(*arch) + ", " + std::to_string(sequences_) + " sequences";
  // Both sides count with their best time.
  bench_row against_products{
      compared, ours, roofline, "OpenBLAS sgemm, the products alone", "GFLOP", gigaflop_of(shapes)};
  std::vector<bench_row> rows;
  if (!no_twin_) {
    const auto raced = race([&] { run(*exact); }, [&] { run(*twin); }, options_.seconds * 0.5);
    rows.push_back({compared, raced.ours_seconds, raced.peer_seconds, "libtorch, eager", "kB",
                    static_cast<double>(data.size()) / 1e3});
  }
  rows.push_back(std::move(against_products));
  return rows;
}

}  // namespace

std::unique_ptr<verb> make_bench_score() {
  return std::make_unique<bench_score>();
}

}  // namespace soma::cli
