// Compares the parts of the reference network with recorded tensors.
#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "model/noise/noise.hpp"
#include "model/reference/modules.hpp"

using namespace soma::noise;
using namespace soma::reference;

namespace {

std::size_t size_of(const std::vector<std::int64_t>& shape) {
  return static_cast<std::size_t>(
      std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>()));
}
plain_tensor normal(std::uint64_t seed, std::vector<std::int64_t> shape) {
  const auto count = size_of(shape);
  return {std::move(shape), normals(seed, count)};
}
plain_tensor uniform(std::uint64_t seed, std::vector<std::int64_t> shape) {
  const auto count = size_of(shape);
  return {std::move(shape), uniforms(seed, count)};
}
plain_tensor ones(std::vector<std::int64_t> shape) {
  const auto count = size_of(shape);
  return {std::move(shape), plain_values(count, 1.0f)};
}

/// The recorded numbers have eight decimals.
void check_near(const plain_values& got, const plain_values& wanted, double tolerance = 2e-5) {
  REQUIRE(got.size() == wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(got[i] - wanted[i]) <= tolerance * std::max(1.0f, std::abs(wanted[i])));
  }
}

plain_values part(const plain_values& all, std::size_t first, std::size_t count) {
  return {all.begin() + static_cast<std::ptrdiff_t>(first),
          all.begin() + static_cast<std::ptrdiff_t>(first + count)};
}

plain_tensors attention_tensors(std::uint64_t s, std::int64_t d = 4) {
  plain_tensors w;
  for (const char* name : {"query", "key", "value", "output"}) {
    w[std::string(name) + ".weight"] = normal(s + 1, {d, d});
    w[std::string(name) + ".bias"] = normal(s + 2, {d});
    s += 2;
  }
  return w;
}

void add_layers(plain_tensors& w, std::uint64_t seed, int layers) {
  for (int l = 0; l < layers; ++l) {
    const std::uint64_t ls = seed + static_cast<std::uint64_t>(l);
    const std::string p = "encoder.layers." + std::to_string(l) + ".";
    w[p + "norm_1.gamma"] = normal(ls + 1, {4});
    w[p + "norm_1.beta"] = normal(ls + 2, {4});
    for (auto& [name, tensor] : attention_tensors(ls + 2)) w[p + "attention." + name] = tensor;
    w[p + "norm_2.gamma"] = normal(ls + 11, {4});
    w[p + "norm_2.beta"] = normal(ls + 12, {4});
    w[p + "pwff.linear_inner.weight"] = normal(ls + 13, {4, 8});
    w[p + "pwff.linear_inner.bias"] = normal(ls + 14, {8});
    w[p + "pwff.linear_outer.weight"] = normal(ls + 15, {8, 4});
    w[p + "pwff.linear_outer.bias"] = normal(ls + 16, {4});
  }
}

plain_values feed_forward_of(std::uint64_t s, const plain_tensor& x) {
  return feed_forward(x, normal(s + 1, {4, 2}), normals(s + 2, 2), normal(s + 3, {2, 4}),
                      normals(s + 4, 4));
}

}  // namespace

TEST_CASE("layer norm gives the recorded values") {
  check_near(layer_norm(ones({4}), normals(42, 4), normals(43, 4)),
             {0.26803425f, -0.30034754f, -0.18579677f, -0.37248048f});
  check_near(layer_norm(uniform(46, {4}), normals(44, 4), normals(45, 4)),
             {-0.74536324f, -2.98460746f, -0.31756663f, -0.38157958f});
}

TEST_CASE("a linear layer gives the recorded values") {
  check_near(linear(ones({1, 2}), normal(43, {2, 4}), normals(42, 4)),
             {-1.77364016f, 1.29809809f, -0.31307063f, -1.68842816f});
  check_near(linear(uniform(46, {1, 2}), normal(45, {2, 4}), normals(44, 4)),
             {-0.53813028f, -1.69855022f, 0.92013592f, 0.92915082f});
}

TEST_CASE("an embedding is a row of its table") {
  CHECK(embed({0, 1, 2, 3}, normal(42, {4, 2})) == normals(42, 8));
}

TEST_CASE("the feed-forward layer gives the recorded values") {
  check_near(feed_forward_of(42, ones({1, 4})),
             {0.31442693f, 0.70205802f, -2.13397980f, -1.71679294f});
  check_near(feed_forward_of(50, normal(55, {1, 4})),
             {-0.42594010f, -0.70958626f, -0.26518542f, -0.35035765f});
  check_near(feed_forward_of(60, normal(65, {2, 3, 4})),
             {2.99256825f,  -2.32797265f, -3.22312760f, 1.21508217f,  2.70691204f,  -2.19828272f,
              -3.50960517f, 0.83996159f,  -0.04863004f, 0.30158886f,  -1.44390535f, 1.00410569f,
              0.16999049f,  0.10190730f,  -1.61299801f, 0.98700720f,  0.09025692f,  0.22779667f,
              -1.34613645f, 1.15397000f,  0.28953564f,  -0.03523720f, -1.81356251f, 0.89298093f});
}

TEST_CASE("rotary positions give the recorded values") {
  check_near(rotate(ones({1, 1, 1, 2}), 1), {-0.30116868f, 1.38177323f});
  const auto turned = rotate(normal(70, {2, 4, 2, 4}));
  check_near(part(turned, 0, 32),
             {0.47776070f,  -0.48515794f, 0.26153922f,  -2.41498089f, 0.99376506f,  0.90728259f,
              -1.43244362f, 0.09139032f,  -0.06775475f, 0.15760149f,  -0.07331341f, 1.00924647f,
              0.46687761f,  1.30162942f,  -0.95026934f, -0.30788255f, -0.76642752f, -0.87616366f,
              2.00954461f,  -0.66655433f, -0.53347385f, 0.33248445f,  -0.25528368f, 1.70450819f,
              0.68225688f,  0.77837843f,  -1.03880394f, -0.73422980f, 0.94099069f,  -0.55226529f,
              -0.84172773f, -0.39250299f});
  check_near(part(turned, 32, 8), {0.53636390f, 1.04667366f, -0.62744135f, -1.57136846f,
                                   0.56636423f, 0.85205758f, -2.16002727f, -0.19352338f});
  check_near(part(turned, 56, 8), {-0.01806840f, -0.24985033f, -0.84394234f, -0.19104014f,
                                   -0.67495888f, 1.27409673f, -0.01402950f, -1.07746637f});
}

TEST_CASE("attention gives the recorded values") {
  check_near(attention(normal(51, {1, 4, 4}), attention_tensors(42), 2),
             {-3.59691596f, -0.79137892f, 2.59000635f, 1.15417659f, -1.89609909f, 0.90684074f,
              4.74483156f, 9.88230705f, 4.25082970f, 2.23179317f, 2.04289985f, 9.17799950f,
              1.67264295f, 1.73140073f, 3.30692792f, 10.11232185f});
  check_near(attention(normal(89, {2, 4, 4}), attention_tensors(80), 2),
             {6.06968307f,  -1.03515446f, 1.70626497f,  -1.02048159f, 5.82955551f,   1.31834793f,
              1.28906751f,  -5.05607700f, -0.63638550f, -1.46703827f, -1.53339362f,  -0.55266494f,
              -2.60889316f, 3.90301847f,  -0.06124383f, 0.83532411f,  5.63261747f,   3.12328148f,
              3.08034492f,  -0.17959267f, 1.92174339f,  4.35927916f,  2.09976912f,   -0.74388230f,
              -6.87539053f, -3.64232492f, -5.18859148f, 0.58245522f,  -10.21397591f, -1.89333570f,
              -5.76631403f, 0.58711916f});
}

TEST_CASE("the trainer's attention and its gradient are those of libtorch in any shape") {
  struct shape {
    std::int64_t n, s, d, heads;
  };
  for (const auto& [n, s, d, heads] :
       {shape{1, 1, 2, 1}, shape{1, 7, 4, 2}, shape{2, 8, 12, 2}, shape{3, 17, 36, 2},
        shape{1, 33, 64, 4}, shape{2, 100, 64, 2}, shape{1, 129, 40, 1}, shape{1, 300, 32, 2},
        shape{1, 600, 36, 2}, shape{1, 20, 600, 1}}) {
    CAPTURE(s);
    CAPTURE(d);
    const auto check = compare_attention(normal(6, {n, s, 3 * d}), heads);
    CHECK(check.output < 2e-5);
    CHECK(check.gradient < 1e-4);
  }
}

TEST_CASE("the trainer's GELU and its derivative are those of libtorch") {
  const auto check = compare_gelu(normal(9, {1003}), 4.0);
  CHECK(check.output < 2e-6);
  CHECK(check.gradient < 4e-6);
  const auto far = compare_gelu(normal(10, {1000}), 100.0);
  CHECK(far.output < 1e-4);  // values up to 400
  CHECK(far.gradient < 4e-6);
}

TEST_CASE("the encoder gives the recorded values") {
  const auto encode = [](std::uint64_t seed, int layers, const plain_tensor& x) {
    plain_tensors w;
    add_layers(w, seed, layers);
    return run_network(x, w, layers, 2).encoded;
  };
  check_near(encode(42, 2, normal(142, {1, 4, 4})),
             {8.33097267f, 3.23748636f, 12.93889809f, -4.79724693f, 5.95732164f, 2.65965629f,
              11.97813892f, -3.51363301f, 8.32810211f, 4.93732452f, 12.48622322f, -4.29308748f,
              3.45333171f, 3.12663937f, 10.79409981f, -2.80449820f});
  check_near(encode(90, 2, normal(290, {1, 4, 4})),
             {-3.17372561f, 4.01577044f, 19.12659073f, 4.34993553f, -1.27379203f, 5.61034679f,
              18.69484711f, 4.15108776f, -0.34562051f, 5.53026056f, 20.70455742f, 2.78899574f,
              -13.14624596f, 5.65161657f, 19.76067924f, 1.81537509f});
  check_near(encode(100, 1, normal(300, {2, 4, 4})),
             {-5.37061596f, 2.96268249f,  1.01008272f,  -5.05764151f, -2.89370632f, -0.09757829f,
              -0.53730059f, -5.81040239f, -2.18361926f, -5.22197628f, 1.21352792f,  -10.84550667f,
              -4.18923759f, -2.77440166f, 0.54678917f,  -6.34802437f, 2.99903393f,  -8.75441551f,
              -1.97783256f, -6.19660091f, 1.16564727f,  -5.46568251f, -0.88867092f, -5.41934681f,
              -2.09243917f, 1.01158941f,  0.81291533f,  -4.70484543f, -3.40283728f, -3.52438331f,
              1.75270081f,  -7.97897339f});
}

TEST_CASE("a whole model gives the recorded values") {
  plain_tensors w;
  add_layers(w, 42, 2);
  w["final_norm.gamma"] = normal(142, {4});
  w["final_norm.beta"] = normal(242, {4});
  w["embedding.weight"] = normal(292, {4, 4});
  w["predictor.weight"] = normal(342, {4, 4});
  w["predictor.bias"] = normal(442, {4});
  const auto result = run_network({{1, 4, 4}, embed({0, 1, 2, 3}, w["embedding.weight"])}, w, 2, 2);
  check_near(result.representation,
             {2.09210730f, 0.69636524f, 1.51327145f, 2.31296515f, 1.90634847f, 0.86709338f,
              1.53078938f, 2.40285897f, 1.77797925f, 0.66600311f, 1.65812206f, 2.19417143f,
              1.96223700f, 0.77187395f, 1.54670000f, 2.34615612f});
  check_near(result.logits,
             {1.89312398f, -3.37666154f, -5.06565857f, -9.11204624f, 1.40491748f, -3.30115676f,
              -5.32568741f, -8.60974312f, 1.71110404f, -2.86263919f, -4.95488262f, -8.56918144f,
              1.63806129f, -3.27318168f, -5.17767763f, -8.81518459f});
}

TEST_CASE("SIGReg gives the recorded values") {
  const auto noise = normal(44, {1024, 256});
  CHECK(sigreg(normal(43, {10, 10, 1024}), noise, 17) == doctest::Approx(1.28620601).epsilon(1e-5));
  CHECK(sigreg(uniform(43, {10, 10, 1024}), noise, 17) ==
        doctest::Approx(29.08621025).epsilon(1e-5));
  CHECK(sigreg(normal(100, {2, 3, 8}), normal(101, {8, 4}), 5) ==
        doctest::Approx(0.88936800).epsilon(1e-5));
  CHECK(sigreg(normal(111, {1, 1, 16}), normal(112, {16, 256}), 17) ==
        doctest::Approx(3.18785000).epsilon(1e-5));
  // One block does not hold all rows. The mean of two halves must be the mean of the whole.
  const auto x = normal(7, {16'400, 2});
  const auto few = normal(8, {2, 3});
  const auto half = [&](std::size_t first) {
    return sigreg({{8'200, 2}, part(x.data, first, 16'400)}, few, 5);
  };
  CHECK(sigreg(x, few, 5) == doctest::Approx((half(0) + half(16'400)) / 2).epsilon(1e-5));
}
