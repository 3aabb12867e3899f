// Short names for the vectors of the instruction set that the including file has named `isa_here`.
// This file is included by the bodies of the kernels, inside their unnamed namespace. No standard
// header with inline functions may be included there: the linker would keep one copy of such a
// function, and that copy may be compiled for a processor that this one is not.
using std::size_t;
using vec = simd::floats<isa_here>;
using ivec = simd::ints<isa_here>;

#define SOMA_INLINE [[gnu::always_inline]] inline

constexpr size_t lanes = vec::lanes;

SOMA_INLINE vec load(const float* at) {
  return vec::load(at);
}
SOMA_INLINE void store(float* at, vec value) {
  value.store(at);
}
SOMA_INLINE vec all(float v) {
  return vec::all(v);
}
SOMA_INLINE vec larger(vec a, vec b) {
  return simd::max(a, b);
}
SOMA_INLINE float sum_of(vec v) {
  float each[lanes];
  store(each, v);
  float sum = 0;
  for (size_t l = 0; l < lanes; ++l) sum += each[l];
  return sum;
}
SOMA_INLINE float max_of(vec v) {
  float each[lanes];
  store(each, v);
  float best = each[0];
  for (size_t l = 1; l < lanes; ++l) best = each[l] > best ? each[l] : best;
  return best;
}
SOMA_INLINE vec lane_numbers() {
  constexpr float numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return load(numbers);
}
/// The first `count` < lanes floats, and zeros after them.
SOMA_INLINE vec load_some(const float* at, size_t count) {
  float each[lanes] = {};
  for (size_t l = 0; l < count; ++l) each[l] = at[l];
  return load(each);
}
SOMA_INLINE void store_some(float* at, vec value, size_t count) {
  float each[lanes];
  store(each, value);
  for (size_t l = 0; l < count; ++l) at[l] = each[l];
}

/// e^x for x <= 88. Arguments below -87 count as -87, whose result is as good as zero.
SOMA_INLINE vec exp_of(vec x) {
  x = larger(x, all(-87.0f));
  const vec shift = all(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
  const vec shifted = x * 1.44269504f + shift;
  const vec rounded = shifted - shift;
  const vec r = (x - rounded * 0.693359375f) + rounded * 2.12194440e-4f;
  vec p = all(1.0f / 720);
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const ivec power = (as_ints(shifted) << 23) + ivec::all(0x3f800000);
  return p * as_floats(power);
}

SOMA_INLINE constexpr size_t round_up(size_t count, size_t unit) {
  return (count + unit - 1) / unit * unit;
}
SOMA_INLINE constexpr size_t min(size_t a, size_t b) {
  return a < b ? a : b;
}
SOMA_INLINE constexpr size_t max(size_t a, size_t b) {
  return a > b ? a : b;
}
SOMA_INLINE void zero(float* at, size_t count) {
  __builtin_memset(at, 0, count * sizeof(float));
}
