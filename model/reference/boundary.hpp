// The boundary at which libtorch's exceptions end. Only std exceptions leave model/reference.
// Inside model/reference only.
#pragma once

#include <c10/util/Exception.h>

#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace soma::reference {

/// Runs `work`. A failure of libtorch leaves as std::bad_alloc when memory was missing, and as
/// std::runtime_error otherwise: then it is our bug or a broken installation.
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
