#include "model/reference/threads.hpp"

#include <ATen/Parallel.h>
#include <dlfcn.h>

#include <atomic>
#include <mutex>

#include "messages/values/assert.hpp"

namespace soma::reference {
namespace {

std::mutex configuring;
int configured = 0;

void set_everywhere(int threads) {
  at::set_num_threads(threads);
  // The matrix library keeps a pool of its own. The machine decides which library is linked, so the
  // function is looked up by its name.
  using set_threads = void (*)(int);
  if (auto* const set =
          reinterpret_cast<set_threads>(::dlsym(RTLD_DEFAULT, "openblas_set_num_threads"))) {
    set(threads);
  }
}

}  // namespace

void configure_threads(int threads) {
  SOMA_ASSERT(threads >= 1, "work needs a thread");
  const std::lock_guard lock(configuring);
  set_everywhere(threads);
  configured = threads;
}

void configure_threads_by_default() {
  const std::lock_guard lock(configuring);
  if (configured != 0) return;
  set_everywhere(1);
  configured = 1;
}

}  // namespace soma::reference
