#include "model/reference/roofline.hpp"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <chrono>

#include "messages/values/assert.hpp"
#include "model/reference/boundary.hpp"
#include "model/reference/threads.hpp"

namespace soma::reference {

double sgemm_seconds(std::size_t m, std::size_t n, std::size_t k, unsigned repeats) {
  SOMA_ASSERT(m > 0 && n > 0 && k > 0 && repeats > 0, "a product has a size and is measured");
  return at_boundary([&] {
    configure_threads_by_default();
    const c10::InferenceMode inference;
    const auto matrix = [](std::size_t rows, std::size_t columns) {
      return at::full({static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)}, 0.5,
                      at::kFloat);
    };
    const at::Tensor a = matrix(m, k);
    const at::Tensor b = matrix(k, n);
    at::Tensor c = matrix(m, n);
    at::mm_out(c, a, b);  // touches the pages, fills the caches, starts the library's threads
    const auto began = std::chrono::steady_clock::now();
    for (unsigned i = 0; i < repeats; ++i) at::mm_out(c, a, b);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  });
}

}  // namespace soma::reference
