#include "deploy/soma/model_options.hpp"

#include "model/torch/threads.hpp"
#include "model/weights/architectures.hpp"

namespace soma {

expected<model_architecture, failure> architecture_of(const std::string& text) {
  if (const auto arch = model::parse_architecture(text)) return *arch;
  return wrong_usage("no architecture is called '" + text + "'", architecture_help,
                     "heads divide dim into even parts; try --arch tiny");
}

namespace {

template <class Value>
expected<Value, failure> of_weights_file(const std::filesystem::path& path,
                                         expected<Value, model::weights_refusal> read) {
  if (read) return std::move(*read);
  return failed("cannot use the weights " + path.string(), std::string(to_text(read.error())),
                "name a file that `soma model init` or `soma model train` wrote");
}

}  // namespace

expected<model::weights, failure> weights_at(const std::filesystem::path& path,
                                             const model::weights_overrides& overrides) {
  return of_weights_file(path, model::read_weights(path, overrides));
}

expected<model::weights, failure> mapped_weights_at(const std::filesystem::path& path,
                                                    const model::weights_overrides& overrides) {
  return of_weights_file(path, model::map_weights(path, overrides));
}

expected<model::weights_outline, failure> outline_at(const std::filesystem::path& path,
                                                     const model::weights_overrides& overrides) {
  return of_weights_file(path, model::read_outline(path, overrides));
}

outcome use_threads(std::uint32_t threads) {
  if (threads < 1 || threads > 256) {
    return wrong_usage("--threads", std::to_string(threads) + " is not between 1 and 256", "try 1");
  }
  model::configure_threads(static_cast<int>(threads));
  return {};
}

}  // namespace soma
