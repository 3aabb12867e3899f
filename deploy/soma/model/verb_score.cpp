#include <chrono>

#include "deploy/soma/model/model_options.hpp"
#include "deploy/soma/model/reference_library.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/files.hpp"
#include "deploy/soma/shell/resources.hpp"
#include "deploy/soma/verbs.hpp"
#include "messages/crypto/hash.hpp"
#include "model/scoring/exact_engine.hpp"
#include "model/tokens/tokens.hpp"
#include "model/weights/architectures.hpp"

namespace soma::cli {
namespace {

constexpr std::uint64_t max_data_bytes = std::uint64_t{1} << 30U;
/// What a process needs besides the planned memory: stacks, page tables and small objects.
constexpr std::uint64_t slack_bytes = 2U << 20U;

class model_score final : public verb {
 public:
  std::string_view name() const override { return "model score"; }
  std::string_view summary() const override { return "score one model on one file"; }
  std::string_view example() const override {
    return "soma model score --weights w.safetensors --data README.md\n"
           "soma model score --weights w.safetensors --data README.md --seed 7 --json\n"
           "soma model score --weights v1.safetensors --data README.md --memory 2GiB --plan";
  }
  void declare(option_set& options) override;
  outcome run(const run_context& context) override;

 private:
  struct scored {
    exact::score score;
    hash256 digest;
    std::uint64_t bytes = 0;
    double seconds = 0;
    std::string_view engine, isa;
    std::uint64_t planned_bytes = 0;  // 0 if the engine does not plan its memory
    std::uint64_t peak_bytes = 0;
  };
  struct planned {
    exact::memory_plan memory;
    std::uint64_t sequences = 0;
    std::uint64_t process_bytes = 0;
    [[nodiscard]] std::uint64_t total_bytes() const { return process_bytes + memory.total_bytes(); }
  };
  [[nodiscard]] outcome check() const;
  [[nodiscard]] expected<planned, failure> make_plan(const model_architecture& arch,
                                                     std::uint64_t data_bytes, simd::isa set) const;
  [[nodiscard]] outcome show_plan(bool wants_json) const;
  [[nodiscard]] expected<scored, failure> measure() const;
  [[nodiscard]] expected<scored, failure> measure_exact(const bytes& data) const;
  [[nodiscard]] expected<scored, failure> measure_torch(const bytes& data) const;
  [[nodiscard]] expected<scored, failure> run_engine(scoring::scoring_engine& engine,
                                                     const weights::model_weights& weights,
                                                     const bytes& data) const;
  [[nodiscard]] failure too_little_memory(const exact::plan_request& request) const;
  void print_json(const scored& result) const;
  void print_table(const scored& result) const;

  std::filesystem::path weights_, data_;
  std::string engine_ = "exact";
  std::uint64_t seed_ = 0;
  std::uint32_t threads_ = 1, batch_ = 16;
  std::optional<byte_count> memory_;
  std::optional<std::uint32_t> heads_, max_seq_;
  bool plan_ = false;
};

void model_score::declare(option_set& options) {
  options.add("weights", weights_, "safetensors file with the model").required();
  options.add("data", data_, "the file to score").required();
  options.add("seed", seed_, "seed of the noise that SIGReg draws; batch b takes seed + b");
  options
      .add("engine", engine_,
           "exact: the engine that the network uses; torch: a reference in libtorch")
      .among({"exact", "torch"});
  options.add("threads", threads_,
              "number of threads; it does not change the result of the exact engine");
  options.add("memory", memory_, "use at most this much memory, not counting mapped weights");
  options.add("plan", plan_, "print how the memory would be used, and load nothing");
  options.add("batch", batch_, "sequences in a batch; the network uses 16");
  options.add("max-seq", max_seq_, "positions in a sequence, for files that do not tell");
  options.add("heads", heads_, "attention heads, for files that do not tell");
}

outcome model_score::check() const {
  if (batch_ < 1 || batch_ > 4096) {
    return wrong_usage("--batch", std::to_string(batch_) + " is not between 1 and 4096", "try 16");
  }
  if (plan_ && engine_ != "exact") {
    return wrong_usage("--plan", "only the exact engine plans its memory", "leave --engine out");
  }
  return check_threads(threads_);
}

failure model_score::too_little_memory(const exact::plan_request& request) const {
  const auto least = exact::least_memory_bytes(request) + own_memory_bytes() + slack_bytes;
  return {"cannot score within the " + to_text(*memory_) + " of --memory",
          "this model and this batch need at least " + to_text(byte_count{least}),
          "allow more memory, or use fewer threads"};
}

expected<model_score::planned, failure> model_score::make_plan(const model_architecture& arch,
                                                               std::uint64_t data_bytes,
                                                               simd::isa set) const {
  planned plan;
  plan.sequences = tokens::sequence_count(data_bytes, arch.max_seq);
  plan.process_bytes = own_memory_bytes() + slack_bytes;
  exact::plan_request request{arch, plan.sequences, batch_, threads_, set};
  if (memory_) {
    request.budget_bytes =
        memory_->value > plan.process_bytes ? memory_->value - plan.process_bytes : 0;
  }
  const auto memory = exact::plan_memory(request);
  if (!memory) return make_unexpected(too_little_memory(request));
  plan.memory = *memory;
  return plan;
}

outcome model_score::show_plan(bool wants_json) const {
  const auto outline = outline_at(weights_, {heads_, max_seq_});
  if (!outline) return make_unexpected(outline.error());
  const auto size = size_of_named_file(data_, max_data_bytes, "the data");
  if (!size) return make_unexpected(size.error());
  const auto set = simd::chosen_isa();
  const auto plan = make_plan(outline->architecture, *size, set);
  if (!plan) return make_unexpected(plan.error());
  const auto& m = plan->memory;
  if (wants_json) {
    print_line(json::of({{"architecture", weights::to_text(outline->architecture)},
                         {"isa", simd::to_text(set)},
                         {"threads", threads_},
                         {"sequences", plan->sequences},
                         {"sequences_at_once", m.sweep},
                         {"keeps_layers", m.keeps_layers},
                         {"packed_weights_bytes", m.packed_bytes},
                         {"activations_bytes", m.activation_bytes},
                         {"scratch_bytes", m.scratch_bytes},
                         {"batch_bytes", m.batch_bytes},
                         {"process_bytes", plan->process_bytes},
                         {"planned_memory_bytes", plan->total_bytes()},
                         {"weights_file_bytes", outline->file_size_bytes}})
                   .text());
    return {};
  }
  const auto size_text = [](std::uint64_t value) { return to_text(byte_count{value}); };
  table facts({"", painted("plan", colour::bold, stream::out)});
  facts.row({"architecture", weights::to_text(outline->architecture)});
  facts.row({"sequences", std::to_string(plan->sequences) + ", " + std::to_string(m.sweep) +
                              " through the layers at once"});
  facts.row({"packed weights", size_text(m.packed_bytes) +
                                   (m.keeps_layers ? ", all layers" : ", one layer at a time")});
  facts.row({"activations", size_text(m.activation_bytes)});
  facts.row({"threads", std::to_string(threads_) + ", " + size_text(m.scratch_bytes)});
  facts.row({"losses and noise", size_text(m.batch_bytes)});
  facts.row({"the process itself", size_text(plan->process_bytes)});
  facts.row({"in all", size_text(plan->total_bytes())});
  facts.row({"mapped from the file", size_text(outline->file_size_bytes) + ", not counted"});
  facts.print();
  return {};
}

expected<model_score::scored, failure> model_score::run_engine(
    scoring::scoring_engine& engine, const weights::model_weights& weights,
    const bytes& data) const {
  memory_watch watch(memory_);
  const auto start = std::chrono::steady_clock::now();
  auto result = engine.run(data, seed_, {batch_, {}});
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  if (!result) {
    return failed("cannot score " + data_.string(), std::string(to_text(result.error())),
                  "name other data, or allow more memory");
  }
  scored all;
  all.score = std::move(*result);
  all.bytes = data.size();
  all.seconds = taken.count();
  all.engine = engine.name();
  all.peak_bytes = watch.peak_bytes();
  const data_hash name{crypto::hash("soma.blob-data", data).value};
  all.digest =
      scoring::score_digest(weights.architecture(), weights.hash(), name, seed_, all.score);
  return all;
}

expected<model_score::scored, failure> model_score::measure_exact(const bytes& data) const {
  const auto outline = outline_at(weights_, {heads_, max_seq_});
  if (!outline) return make_unexpected(outline.error());
  const auto set = simd::chosen_isa();
  const auto plan = make_plan(outline->architecture, data.size(), set);
  if (!plan) return make_unexpected(plan.error());
  const auto weights = mapped_weights_at(weights_, {heads_, max_seq_});
  if (!weights) return make_unexpected(weights.error());
  const auto engine =
      scoring::make_exact_engine(*weights, std::make_shared<exact::workspace>(threads_, set),
                                 {plan->memory.total_bytes(), false});
  auto result = run_engine(*engine, *weights, data);
  if (!result) return result;
  if (!weights->still_as_mapped()) {
    return failed("cannot use the weights " + weights_.string(),
                  "the file was changed while it was used", "score again");
  }
  result->isa = simd::to_text(set);
  result->planned_bytes = plan->total_bytes();
  return result;
}

expected<model_score::scored, failure> model_score::measure_torch(const bytes& data) const {
  const auto weights = weights_at(weights_, {heads_, max_seq_});
  if (!weights) return make_unexpected(weights.error());
  const auto reference = load_reference(threads_);
  if (!reference) return make_unexpected(reference.error());
  const auto engine = (*reference)->torch_engine(*weights);
  auto result = run_engine(*engine, *weights, data);
  if (result) result->isa = vector_isa();
  return result;
}

expected<model_score::scored, failure> model_score::measure() const {
  const auto data = read_named_file(data_, max_data_bytes, "the data");
  if (!data) return make_unexpected(data.error());
  if (data->empty()) {
    return failed("cannot score " + data_.string(),
                  std::string(to_text(scoring::score_refusal::empty_data)), "name other data");
  }
  return engine_ == "exact" ? measure_exact(*data) : measure_torch(*data);
}

void model_score::print_json(const scored& result) const {
  const auto& s = result.score;
  auto facts = json::of({{"loss", s.loss},
                         {"cross_entropy", s.cross_entropy},
                         {"sigreg", s.sigreg},
                         {"bits_per_byte", s.bits_per_byte},
                         {"embedding", json::list_of(s.embedding)},
                         {"digest", result.digest.text()},
                         {"valid", s.valid},
                         {"engine", result.engine},
                         {"isa", result.isa},
                         {"threads", threads_},
                         {"bytes", result.bytes},
                         {"seconds", result.seconds},
                         {"peak_memory_bytes", result.peak_bytes}});
  if (result.planned_bytes != 0) facts.set("planned_memory_bytes", result.planned_bytes);
  print_line(facts.text());
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
                          std::string(result.isa) + ", " + std::to_string(threads_) +
                          (threads_ == 1 ? " thread" : " threads") + ")"});
  std::string memory = to_text(byte_count{result.peak_bytes});
  if (result.planned_bytes != 0) {
    memory += " of " + to_text(byte_count{result.planned_bytes}) + " planned";
  }
  facts.row({"memory", memory});
  facts.print();
}

outcome model_score::run(const run_context& context) {
  if (auto checked = check(); !checked) return checked;
  if (plan_) return show_plan(context.wants_json);
  const auto result = measure();
  if (!result) return make_unexpected(result.error());
  if (context.wants_json) {
    print_json(*result);
  } else {
    print_table(*result);
  }
  if (!result->score.valid) {
    return failed("the score is not valid", "a value is infinite or not a number",
                  "in the network, such a score loses against every other");
  }
  return {};
}

}  // namespace

std::unique_ptr<verb> make_model_score() {
  return std::make_unique<model_score>();
}

}  // namespace soma::cli
