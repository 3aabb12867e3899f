// The network in libtorch, for the commands that compare with it. Loading libtorch takes most of a
// second and 150 MB, so it is no part of the program: model/reference lies in a library of its own
// beside the program, libsoma_reference.so, and is loaded when it is asked for.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "deploy/soma/shell/failure.hpp"
#include "model/scoring/engine.hpp"
#include "model/training/trainer.hpp"

namespace soma::cli {

class reference_library {
 public:
  /// See reference::make_torch_engine.
  [[nodiscard]] virtual std::unique_ptr<scoring::scoring_engine> torch_engine(
      const weights::model_weights& model) const = 0;
  /// A function that takes one step of a reference::eager_trainer.
  [[nodiscard]] virtual expected<std::function<void()>, training::train_refusal> eager_steps(
      const weights::model_weights& from, std::vector<bytes> data,
      training::trainer_options options) const = 0;
  /// See reference::sgemm_seconds.
  [[nodiscard]] virtual double sgemm_seconds(std::size_t m, std::size_t n, std::size_t k,
                                             unsigned repeats) const = 0;

 protected:
  ~reference_library() = default;
};

/// Loads the library, whose operations then use `threads` threads, at least 1. It stays loaded.
/// Refuses if the library or libtorch is missing or is of another version than the program.
[[nodiscard]] expected<const reference_library*, failure> load_reference(std::uint32_t threads);

/// The function that the library exports: it returns nullptr if `version` is not its own.
using reference_entry = const reference_library*(const char* version, std::uint32_t threads);
inline constexpr auto reference_entry_name = "soma_reference";

}  // namespace soma::cli
