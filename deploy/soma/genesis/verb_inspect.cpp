#include "actors/rules/genesis_state.hpp"
#include "deploy/soma/genesis/genesis_report.hpp"
#include "deploy/soma/network/ledger_place.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/files.hpp"
#include "deploy/soma/verbs.hpp"

namespace soma::cli {
namespace {

constexpr std::uint64_t max_genesis_file_bytes = 8ULL << 20U;

class genesis_inspect final : public verb {
 public:
  std::string_view name() const override { return "genesis inspect"; }
  std::string_view summary() const override {
    return "what a network starts with: parameters, allocations, emission, first committee";
  }
  std::string_view example() const override {
    return "soma genesis inspect genesis.bin\n"
           "soma genesis inspect --ledger /var/lib/soma --json";
  }
  void declare(option_set& options) override {
    options.add("file", file_, "file with a genesis; default: the genesis of the ledger")
        .positional()
        .shown_as("FILE");
    place_.declare(options);
  }
  outcome run(const run_context& context) override;

 private:
  [[nodiscard]] expected<soma::genesis, failure> found(const run_context& context) const;
  std::filesystem::path file_;
  ledger_place place_;
};

expected<soma::genesis, failure> genesis_inspect::found(const run_context& context) const {
  if (file_.empty()) {
    const auto source = open_source(context, place_);
    if (!source) return make_unexpected(source.error());
    return (*source)->genesis();
  }
  const auto content = read_named_file(file_, max_genesis_file_bytes, "the genesis");
  if (!content) return make_unexpected(content.error());
  const auto genesis = decode<soma::genesis>(*content);
  if (!genesis) {
    return failed("cannot read the genesis " + file_.string(),
                  std::string(to_text(genesis.error())),
                  "name a file that `soma genesis new` wrote");
  }
  if (const auto refusal = rules::check_genesis(*genesis)) {
    return failed("no network can be made of " + file_.string(),
                  std::string(rules::to_text(*refusal)), "make another with `soma genesis new`");
  }
  return *genesis;
}

outcome genesis_inspect::run(const run_context& context) {
  const auto genesis = found(context);
  if (!genesis) return make_unexpected(genesis.error());
  if (context.wants_json) {
    print_line(genesis_json(*genesis).text());
    return {};
  }
  for (const auto& line : genesis_lines(*genesis)) print_line(line);
  return {};
}

}  // namespace

std::unique_ptr<verb> make_genesis_inspect() {
  return std::make_unique<genesis_inspect>();
}

}  // namespace soma::cli
