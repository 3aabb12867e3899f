#include <utility>

#include "actors/localnet/stored_network.hpp"
#include "deploy/soma/localnet/character_stream.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/files.hpp"
#include "deploy/soma/shell/report.hpp"
#include "deploy/soma/shell/units.hpp"
#include "deploy/soma/source/localnet_home.hpp"
#include "deploy/soma/source/stored_ledger.hpp"
#include "deploy/soma/verbs.hpp"
#include "messages/wire/refusals.hpp"
#include "model/scoring/exact_engine.hpp"
#include "storage/blobs/failure.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t max_text_bytes = std::uint64_t{64} << 20U;

class ask final : public verb {
 public:
  std::string_view name() const override { return "ask"; }
  std::string_view summary() const override { return "ask the specialists as one model"; }
  std::string_view example() const override {
    return "soma ask \"#include <vector>\" --bytes 300\n"
           "soma ask --eval notes.txt --json";
  }
  void declare(option_set& options) override {
    options.add("text", text_, "the text to continue").positional();
    options.add("eval", eval_,
                "measure this file instead: bits per byte of the mixture and of each expert alone");
    options.add("bytes", bytes_, "number of bytes to write");
    options.add("experts", experts_, "number of experts to mix; the router chooses the nearest");
    options.add("temperature", temperature_,
                "1: choose bytes as predicted; 0: always the most likely byte");
    options.add("seed", seed_, "seed of the choice of bytes");
    options
        .add(
            "ledger", network_,
            "folder of the local network, with its models; default: localnet in the home directory")
        .also_named("network")
        .shown_as("FOLDER");
    options.add("threads", threads_, "number of experts that run at once");
  }
  outcome run(const run_context& context) override;

 private:
  [[nodiscard]] outcome check() const;
  [[nodiscard]] outcome answer(const run_context& context, localnet::stored_network& network);
  [[nodiscard]] outcome measure(const run_context& context, localnet::stored_network& network);
  /// What the model's refusal means for a person who has only this folder of a network.
  [[nodiscard]] outcome refused(std::string problem, schema::Refusal::Reader refusal) const;
  [[nodiscard]] json shares_json(capnp::List<schema::ExpertShare>::Reader shares) const;
  [[nodiscard]] std::string name_of(schema::ExpertShare::Reader share) const;

  std::string text_;
  fs::path eval_, network_, folder_;
  std::uint32_t bytes_ = 200, experts_ = 4, threads_ = 2;
  double temperature_ = 0.7;
  std::uint64_t seed_ = 0;
  std::map<model_id, std::string> names_;
};

constexpr const char* restore_remedy =
    "put the folder back as the network left it, or run `soma localnet` again";

outcome ask::refused(std::string problem, schema::Refusal::Reader refusal) const {
  const bool is_of_weights = refusal.isGlobalModel() &&
                             refusal.getGlobalModel() == schema::GlobalModelRefusal::SCORING_FAILED;
  if (!is_of_weights) return failed(std::move(problem), why_of(refusal));
  return failed(std::move(problem),
                why_of(refusal) + ", with the weights in " + (folder_ / "blobs").string(),
                restore_remedy);
}

outcome ask::check() const {
  const auto refuse = [](const char* option, const char* why) {
    return wrong_usage(option, why, "see `soma ask --help`");
  };
  if (text_.empty() == eval_.empty()) return refuse("ask", "give either a text or --eval FILE");
  if (bytes_ < 1 || bytes_ > global_model::max_written_bytes)
    return refuse("--bytes", "the value is not between 1 and 65536");
  if (experts_ < 1 || experts_ > global_model::max_probed_models)
    return refuse("--experts", "the value is not between 1 and 16");
  if (threads_ < 1 || threads_ > 256)
    return refuse("--threads", "the value is not between 1 and 256");
  if (!(temperature_ >= 0 && temperature_ <= 100))
    return refuse("--temperature", "the value is not between 0 and 100");
  return {};
}

outcome ask::run(const run_context& context) {
  if (auto checked = check(); !checked) return checked;
  std::error_code ignored;
  folder_ = network_.empty() ? context.home / "localnet" : network_;
  if (!fs::exists(folder_ / "ledger", ignored)) {
    if (holds_ledger(network_)) folder_ = network_.parent_path();
    if (fs::exists(network_ / "localnet" / "ledger", ignored)) folder_ = network_ / "localnet";
  }
  const auto& directory = folder_;
  if (!fs::exists(directory / "ledger", ignored)) {
    return failed("there is no network in " + directory.string(), "nothing was trained yet",
                  "run `soma localnet` first");
  }
  const auto reading = read_localnet(directory);
  if (!reading) return make_unexpected(reading.error());
  auto names = names_of_localnet(directory);
  if (!names) return make_unexpected(names.error());
  names_ = std::move(names->models);
  const auto what = "cannot read the weights in " + (directory / "blobs").string();
  if (!fs::is_directory(directory / "blobs", ignored)) {
    return failed(what, "there is no such folder", restore_remedy);
  }
  std::optional<localnet::stored_network> opened;
  try {
    opened.emplace(directory, threads_, [] { return scoring::exact_engines(); });
  } catch (const blobs::blob_failure& failure) {
    return failed(what, failure.what(), restore_remedy);
  }
  auto& network = *opened;
  if (network.models() == 0)
    return failed("there is no model to ask", "the network has no active model",
                  "run `soma localnet` first");
  return eval_.empty() ? answer(context, network) : measure(context, network);
}

std::string ask::name_of(schema::ExpertShare::Reader share) const {
  const auto ref = ref_of(share.getRef());
  const auto found = names_.find(ref.model);
  return found == names_.end() ? ref.model.short_text() : found->second;
}

json ask::shares_json(capnp::List<schema::ExpertShare>::Reader shares) const {
  json::array list;
  for (const auto& share : shares) {
    list.push_back(json::of({{"id", ref_of(share.getRef()).model.text()},
                             {"version", share.getRef().getVersion()},
                             {"name", name_of(share)},
                             {"bits_per_byte", share.getBitsPerByte()},
                             {"share", share.getShare()},
                             {"distance", share.getDistanceQ30() * 0x1p-30}}));
  }
  return list;
}

outcome ask::answer(const run_context& context, localnet::stored_network& network) {
  const auto question = message<schema::Ask>::build([&](auto out) {
    out.setText(data_of(as_bytes(text_)));
    out.setMostBytes(bytes_);
    out.setExperts(experts_);
    out.setSeed(seed_);
    out.setTemperatureMilli(static_cast<std::uint32_t>(temperature_ * 1000));
  });
  // A person reads along while the answer is written. A refusal comes before the first byte.
  character_stream characters;
  bool has_begun = false;
  const auto show = [&](std::uint8_t byte) {
    if (context.wants_json) return;
    if (!std::exchange(has_begun, true)) print_part(painted(text_, colour::bold, stream::out));
    if (const auto ready = characters.take(byte); !ready.empty()) print_part(ready);
  };
  const auto reply = network.ask(question, show);
  const auto root = reply.root();
  if (is_refused(root.getRefusal())) return refused("no answer", root.getRefusal());
  if (context.wants_json) {
    print_line(json::of({{"text", text_},
                         {"continuation",
                          std::string(reinterpret_cast<const char*>(root.getText().begin()),
                                      root.getText().size())},
                         {"experts", shares_json(root.getShares())}})
                   .text());
    return {};
  }
  print_text(characters.finish());
  print_line("");
  table list({"expert", "carried", "bits per byte on prompt and answer", "distance"});
  for (const auto& share : root.getShares()) {
    list.row({name_of(share), decimal_text(share.getShare() * 100, 1) + " %",
              decimal_text(share.getBitsPerByte(), 3),
              decimal_text(share.getDistanceQ30() * 0x1p-30, 4)});
  }
  list.print();
  return {};
}

outcome ask::measure(const run_context& context, localnet::stored_network& network) {
  const auto content = read_named_file(eval_, max_text_bytes, "the text");
  if (!content) return make_unexpected(content.error());
  const auto reply = network.evaluate(message<schema::Evaluate>::build([&](auto out) {
    out.setText(data_of(*content));
    out.setExperts(experts_);
  }));
  const auto root = reply.root();
  if (is_refused(root.getRefusal())) return refused("no measurement", root.getRefusal());
  if (context.wants_json) {
    print_line(json::of({{"file", eval_.string()},
                         {"bytes", root.getBytes()},
                         {"predicted_bytes", root.getPredicted()},
                         {"bits_per_byte", root.getBitsPerByte()},
                         {"experts", shares_json(root.getShares())}})
                   .text());
    return {};
  }
  table list({"model", "bits per byte", "carried"});
  for (const auto& share : root.getShares()) {
    list.row({name_of(share) + " alone", decimal_text(share.getBitsPerByte(), 3),
              decimal_text(share.getShare() * 100, 1) + " %"});
  }
  list.row({"mixture", decimal_text(root.getBitsPerByte(), 3), "100.0 %"});
  list.print();
  return {};
}

}  // namespace

std::unique_ptr<verb> make_ask() {
  return std::make_unique<ask>();
}

}  // namespace soma::cli
