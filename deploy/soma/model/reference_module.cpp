// libsoma_reference.so: see reference_library.hpp.
#include "deploy/soma/model/reference_library.hpp"
#include "deploy/soma/version.hpp"
#include "model/reference/eager_trainer.hpp"
#include "model/reference/roofline.hpp"
#include "model/reference/threads.hpp"
#include "model/reference/torch_engine.hpp"

namespace soma::cli {
namespace {

class linked_reference final : public reference_library {
 public:
  std::unique_ptr<scoring::scoring_engine> torch_engine(
      const weights::model_weights& model) const override {
    return reference::make_torch_engine(model);
  }
  expected<std::function<void()>, training::train_refusal> eager_steps(
      const weights::model_weights& from, std::vector<bytes> data,
      training::trainer_options options) const override {
    auto started = reference::eager_trainer::start(from, std::move(data), std::move(options));
    if (!started) return make_unexpected(started.error());
    const auto trainer = std::make_shared<reference::eager_trainer>(std::move(*started));
    return [trainer] { (void)trainer->step(); };
  }
  double sgemm_seconds(std::size_t m, std::size_t n, std::size_t k,
                       unsigned repeats) const override {
    return reference::sgemm_seconds(m, n, k, repeats);
  }
};

}  // namespace
}  // namespace soma::cli

extern "C" const soma::cli::reference_library* soma_reference(const char* version,
                                                              std::uint32_t threads) {
  static const soma::cli::linked_reference reference;
  if (version != soma::version) return nullptr;
  soma::reference::configure_threads(static_cast<int>(threads));
  return &reference;
}
