#include "deploy/soma/model/model_options.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/files.hpp"
#include "deploy/soma/shell/report.hpp"
#include "deploy/soma/verbs.hpp"
#include "model/weights/architectures.hpp"

namespace soma::cli {
namespace {

class model_init final : public verb {
 public:
  std::string_view name() const override { return "model init"; }
  std::string_view summary() const override {
    return "write untrained weights, which follow from a seed";
  }
  std::string_view example() const override {
    return "soma model init --arch tiny --seed 7 -o w.safetensors";
  }
  void declare(option_set& options) override {
    options.add("arch", arch_, architecture_help).shown_as("A");
    options.add("seed", seed_, "the same seed gives the same weights everywhere");
    options.add("output", output_, "the file to write").also('o').required();
    options.add("force", force_, "replace a file that exists");
  }
  outcome run(const run_context& context) override;

 private:
  std::string arch_ = "tiny";
  std::uint64_t seed_ = 0;
  std::filesystem::path output_;
  bool force_ = false;
};

outcome model_init::run(const run_context& context) {
  const auto arch = architecture_of(arch_);
  if (!arch) return make_unexpected(arch.error());
  if (auto free = check_new_file(context, output_, force_); !free) return free;
  const auto made = weights::init_weights(*arch, seed_);
  weights::write_weights(output_, made);
  remember_done("made " + output_.string());
  if (context.wants_json) {
    print_line(json::of({{"weights", output_.string()},
                         {"hash", made.hash().text()},
                         {"architecture", weights::to_text(*arch)},
                         {"parameters", weights::parameter_count(*arch)},
                         {"bytes", made.file_size_bytes()},
                         {"seed", seed_}})
                   .text());
    return {};
  }
  print_line(output_.string() + ": " + weights::to_text(*arch) + ", " +
             count_text(weights::parameter_count(*arch)) + " parameters, " +
             to_text(byte_count{made.file_size_bytes()}) + ", hash " + made.hash().text());
  return {};
}

}  // namespace

std::unique_ptr<verb> make_model_init() {
  return std::make_unique<model_init>();
}

}  // namespace soma::cli
