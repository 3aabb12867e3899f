// Translates libtorch's exceptions, so that only std exceptions leave model/reference. For sources
// of model/reference only.
#pragma once

#include <c10/util/Exception.h>

#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace soma::reference {

/// Runs `work`. A failure of libtorch becomes std::bad_alloc when memory was missing. Otherwise it
/// becomes std::runtime_error, which means a bug of ours or a broken installation.
template <class Work>
auto at_boundary(Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const c10::Error& error) {
    const std::string message = error.what_without_backtrace();
    if (message.find("allocate") != std::string::npos) throw std::bad_alloc();
    throw std::runtime_error("libtorch: " + message);
  }
}

}  // namespace soma::reference
