#include "model/noise/noise.hpp"

#include <bit>

#include "messages/values/assert.hpp"
#include "model/noise/elementary.hpp"
#include "model/noise/ziggurat_tables.hpp"

namespace soma::noise {
namespace {

constexpr double ziggurat_r = 3.6541528853610088;  // where the tail begins: edge[1]

void quarter_round(std::array<std::uint32_t, 16>& x, int a, int b, int c, int d) {
  x[a] += x[b], x[d] = std::rotl(x[d] ^ x[a], 16);
  x[c] += x[d], x[b] = std::rotl(x[b] ^ x[c], 12);
  x[a] += x[b], x[d] = std::rotl(x[d] ^ x[a], 8);
  x[c] += x[d], x[b] = std::rotl(x[b] ^ x[c], 7);
}

}  // namespace

noise_generator::noise_generator(std::uint64_t seed) {
  std::uint64_t state = seed;  // PCG32 expands the seed to the key, arithmetic §6.1
  for (auto& word : key_) {
    state = state * 6364136223846793005u + 11634580027462260723u;
    const auto x = static_cast<std::uint32_t>(((state >> 18) ^ state) >> 27);
    word = std::rotr(x, static_cast<int>(state >> 59));
  }
}

void noise_generator::refill() {
  std::array<std::uint32_t, 16> start{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  for (int i = 0; i < 8; ++i) start[4 + i] = key_[i];
  start[12] = static_cast<std::uint32_t>(counter_);
  start[13] = static_cast<std::uint32_t>(counter_ >> 32);
  block_ = start;
  for (int round = 0; round < 6; ++round) {  // six double rounds make ChaCha12
    quarter_round(block_, 0, 4, 8, 12);
    quarter_round(block_, 1, 5, 9, 13);
    quarter_round(block_, 2, 6, 10, 14);
    quarter_round(block_, 3, 7, 11, 15);
    quarter_round(block_, 0, 5, 10, 15);
    quarter_round(block_, 1, 6, 11, 12);
    quarter_round(block_, 2, 7, 8, 13);
    quarter_round(block_, 3, 4, 9, 14);
  }
  for (int i = 0; i < 16; ++i) block_[i] += start[i];
  ++counter_;
  used_ = 0;
}

std::uint32_t noise_generator::next_u32() {
  if (used_ == 16) refill();
  return block_[used_++];
}

std::uint64_t noise_generator::next_u64() {
  const std::uint64_t low = next_u32();
  return low | static_cast<std::uint64_t>(next_u32()) << 32;
}

float noise_generator::uniform(float low, float high) {
  const float unit = std::bit_cast<float>(0x3f80'0000u | (next_u32() >> 9)) - 1.0f;
  return unit * (high - low) + low;
}

std::uint64_t noise_generator::below(std::uint64_t bound) {
  SOMA_ASSERT(bound >= 1, "there is a number below the bound");
  auto wide = static_cast<unsigned __int128>(next_u64()) * bound;
  if (static_cast<std::uint64_t>(wide) < bound) {
    const std::uint64_t threshold = (0 - bound) % bound;
    while (static_cast<std::uint64_t>(wide) < threshold) {
      wide = static_cast<unsigned __int128>(next_u64()) * bound;
    }
  }
  return static_cast<std::uint64_t>(wide >> 64);
}

double noise_generator::open_unit() {
  return std::bit_cast<double>(0x3ff0'0000'0000'0000u | (next_u64() >> 12)) - (1.0 - 0x1p-53);
}

double noise_generator::tail(bool negative) {
  double p = 0;
  double q = 0;
  do {
    const double a = open_unit();
    const double c = open_unit();
    p = exact_log(a) / ziggurat_r;  // below 0, so the magnitude R - p is above R
    q = exact_log(c);
  } while (-2.0 * q < p * p);
  return negative ? p - ziggurat_r : ziggurat_r - p;
}

double noise_generator::normal() {
  for (;;) {
    const std::uint64_t b = next_u64();
    const std::size_t i = b & 255;
    const double u = std::bit_cast<double>(0x4000'0000'0000'0000u | (b >> 12)) - 3.0;
    const double x = u * ziggurat::edge[i];
    if ((x < 0 ? -x : x) < ziggurat::edge[i + 1]) return x;
    if (i == 0) return tail(u < 0);
    const double v = static_cast<double>(next_u64() >> 11) * 0x1p-53;
    const double below_curve =
        ziggurat::density[i + 1] + (ziggurat::density[i] - ziggurat::density[i + 1]) * v;
    if (below_curve < exact_exp(-x * x / 2)) return x;
  }
}

std::vector<float> normals(std::uint64_t seed, std::size_t count, float mean, float deviation) {
  noise_generator generator(seed);
  std::vector<float> values(count);
  for (auto& value : values) value = mean + deviation * static_cast<float>(generator.normal());
  return values;
}

std::vector<float> uniforms(std::uint64_t seed, std::size_t count, float low, float high) {
  noise_generator generator(seed);
  std::vector<float> values(count);
  for (auto& value : values) value = generator.uniform(low, high);
  return values;
}

}  // namespace soma::noise
