// Where libtorch's exceptions end: outside of model/torch nobody meets one. Inside of model/torch
// only.
#pragma once

#include <c10/util/Exception.h>

#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace soma::model::twin {

/// Runs `work`. libtorch's failures leave as std::bad_alloc (memory) or std::runtime_error (all
/// others: our bug or a broken installation).
template <class Work>
auto at_boundary(Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const c10::Error& error) {
    const std::string what = error.what_without_backtrace();
    if (what.find("allocate") != std::string::npos) throw std::bad_alloc();
    throw std::runtime_error("libtorch: " + what);
  }
}

}  // namespace soma::model::twin
