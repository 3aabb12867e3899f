#include "model/simd/float_buffer.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace soma::simd {
namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t huge_page = std::size_t{2} << 20;

constexpr std::size_t round_up(std::size_t count, std::size_t unit) {
  return (count + unit - 1) / unit * unit;
}

}  // namespace

float_buffer::float_buffer(std::size_t count) : count_(count) {
  const std::size_t bytes = round_up(count * sizeof(float) + 1, cache_line);
  const bool is_large = bytes >= 2 * huge_page;
  const std::size_t alignment = is_large ? huge_page : cache_line;
  floats_.reset(static_cast<float*>(std::aligned_alloc(alignment, round_up(bytes, alignment))));
  if (floats_ == nullptr) throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
  // Only whole huge pages: the buffer takes no more memory than it would on small ones. The advice
  // may be refused, and then nothing is lost but speed.
  if (is_large) (void)::madvise(floats_.get(), bytes / huge_page * huge_page, MADV_HUGEPAGE);
#endif
}

void float_buffer::release::operator()(float* floats) const {
  std::free(floats);
}

}  // namespace soma::simd
