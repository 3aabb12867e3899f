#include <chrono>

#include "deploy/soma/console.hpp"
#include "deploy/soma/files.hpp"
#include "deploy/soma/model_options.hpp"
#include "deploy/soma/resources.hpp"
#include "deploy/soma/verbs.hpp"
#include "messages/crypto/hash.hpp"
#include "model/torch/torch_engine.hpp"
#include "model/weights/architectures.hpp"

namespace soma {
namespace {

constexpr std::uint64_t max_data_bytes = std::uint64_t{1} << 30U;

class model_score final : public verb {
 public:
  std::string_view name() const override { return "model score"; }
  std::string_view summary() const override { return "score one model on one file"; }
  std::string_view example() const override {
    return "soma model score --weights w.safetensors --data README.md\n"
           "soma model score --weights w.safetensors --data README.md --seed 7 --json";
  }
  void declare(option_set& options) override;
  outcome run(const run_context& context) override;

 private:
  struct scored {
    model::score score;
    hash256 digest;
    std::uint64_t bytes = 0;
    double seconds = 0;
    std::string_view engine;
  };
  [[nodiscard]] expected<scored, failure> measure() const;
  void print_json(const scored& result) const;
  void print_table(const scored& result) const;

  std::filesystem::path weights_, data_;
  std::string engine_ = "torch";
  std::uint64_t seed_ = 0;
  std::uint32_t threads_ = 1, batch_ = 16;
  std::optional<byte_count> memory_;
  std::optional<std::uint32_t> heads_, max_seq_;
};

void model_score::declare(option_set& options) {
  options.add("weights", weights_, "the model, a safetensors file").required();
  options.add("data", data_, "the file to score").required();
  options.add("seed", seed_, "of the noise that SIGReg draws; batch b takes seed + b");
  options.add("engine", engine_, "what computes").among({"torch"});
  options.add("threads", threads_, "threads of one tensor operation");
  options.add("memory", memory_, "give up beyond this much memory");
  options.add("batch", batch_, "sequences a batch; the network's value is 16");
  options.add("max-seq", max_seq_, "positions a sequence, for files that do not say so");
  options.add("heads", heads_, "attention heads, for files that do not say so");
}

expected<model_score::scored, failure> model_score::measure() const {
  if (batch_ < 1 || batch_ > 4096) {
    return wrong_usage("--batch", std::to_string(batch_) + " is not between 1 and 4096", "try 16");
  }
  std::optional<memory_watch> watch;
  if (memory_) watch.emplace(*memory_);
  if (auto set = use_threads(threads_); !set) return make_unexpected(set.error());
  const auto model = weights_at(weights_, {heads_, max_seq_});
  if (!model) return make_unexpected(model.error());
  const auto data = read_named_file(data_, max_data_bytes, "the data");
  if (!data) return make_unexpected(data.error());

  const auto start = std::chrono::steady_clock::now();
  const auto engine = model::make_torch_engine(*model);
  auto result = engine->run(*data, seed_, {batch_});
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  if (!result) {
    return failed("cannot score " + data_.string(), std::string(to_text(result.error())),
                  "name other data, or allow more memory");
  }
  scored all{std::move(*result), {}, data->size(), taken.count(), engine->name()};
  const data_hash name{crypto::hash("soma.blob-data", *data).value};
  all.digest = model::score_digest(model->architecture(), model->hash(), name, seed_, all.score);
  return all;
}

void model_score::print_json(const scored& result) const {
  const auto& s = result.score;
  print_line(json::of({{"loss", s.loss},
                       {"cross_entropy", s.cross_entropy},
                       {"sigreg", s.sigreg},
                       {"bits_per_byte", s.bits_per_byte},
                       {"embedding", json::list_of(s.embedding)},
                       {"digest", result.digest.text()},
                       {"valid", s.valid},
                       {"engine", result.engine},
                       {"isa", vector_isa()},
                       {"threads", threads_},
                       {"bytes", result.bytes},
                       {"seconds", result.seconds},
                       {"peak_memory_bytes", peak_memory_bytes()}})
                 .text());
}

void model_score::print_table(const scored& result) const {
  const auto& s = result.score;
  table facts({"", painted(data_.filename().string(), colour::bold, stream::out)});
  facts.row({"bits per byte", json(s.bits_per_byte).text()});
  facts.row({"loss", json(s.loss).text()});
  facts.row({"cross-entropy", json(s.cross_entropy).text()});
  facts.row({"SIGReg", json(s.sigreg).text()});
  facts.row({"embedding", std::to_string(s.embedding.size()) + " values (--json prints them)"});
  facts.row({"digest", result.digest.text()});
  facts.row({"bytes", count_text(result.bytes)});
  facts.row({"taken", duration_text(result.seconds) + " (" + std::string(result.engine) + ", " +
                          std::to_string(threads_) + (threads_ == 1 ? " thread" : " threads") +
                          ", peak " + to_text(byte_count{peak_memory_bytes()}) + ")"});
  facts.print();
}

outcome model_score::run(const run_context& context) {
  const auto result = measure();
  if (!result) return make_unexpected(result.error());
  if (context.wants_json) {
    print_json(*result);
  } else {
    print_table(*result);
  }
  if (!result->score.valid) {
    return failed("the score is not valid", "a value is infinite or not a number",
                  "the network counts such a score as lost to any other");
  }
  return {};
}

}  // namespace

std::unique_ptr<verb> make_model_score() {
  return std::make_unique<model_score>();
}

}  // namespace soma
