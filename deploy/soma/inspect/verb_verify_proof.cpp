#include "actors/documents/rows.hpp"
#include "actors/state_tree/state_proof.hpp"
#include "deploy/soma/inspect/proof_report.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/files.hpp"
#include "deploy/soma/verbs.hpp"
#include "messages/codec/codec_proofs.hpp"
#include "messages/signing/signing.hpp"

namespace soma::cli {
namespace {

constexpr std::uint64_t max_file_bytes = std::uint64_t{2} << 20U;

class verify_proof final : public verb {
 public:
  std::string_view name() const override { return "verify-proof"; }
  std::string_view summary() const override {
    return "check a proof that `soma prove` wrote, without a ledger";
  }
  std::string_view example() const override {
    return "soma verify-proof row.proof\n"
           "soma verify-proof row.proof --header-id 0x… --json";
  }
  void declare(option_set& options) override {
    options.add("file", file_, "file with the proof").positional().required();
    options.add("root", root_, "the state root that you trust").shown_as("0x…");
    options.add("header-id", header_, "the id of the block that you trust").shown_as("0x…");
  }
  outcome run(const run_context& context) override;

 private:
  [[nodiscard]] outcome check_trust(const proven_row& proven) const;

  std::filesystem::path file_;
  std::string root_, header_;
};

unexpected<failure> does_not_hold(const std::string& why) {
  return failed("the proof does not hold", why, "do not believe what it says");
}

/// Checks that `given`, if it is not empty, is the hash `actual`.
outcome check_equal(const char* option, const std::string& given, const std::string& what,
                    const hash256& actual) {
  if (given.empty()) return {};
  const auto wanted = hash256::parse(given);
  if (!wanted) return wrong_usage(option, "`" + given + "` is not 0x and 64 hex digits");
  if (*wanted == actual) return {};
  return does_not_hold("it is about the " + what + " " + actual.text() + ", not " + wanted->text());
}

outcome verify_proof::check_trust(const proven_row& proven) const {
  const auto same_root =
      check_equal("--root", root_, "state root", proven.header.state_root.as<hash_tag>());
  if (!same_root) return same_root;
  return check_equal("--header-id", header_, "block", signing::id_of(proven.header).as<hash_tag>());
}

outcome verify_proof::run(const run_context& context) {
  const auto content = read_named_file(file_, max_file_bytes, "the proof");
  if (!content) return make_unexpected(content.error());
  const auto proven = decode<proven_row>(*content);
  if (!proven) {
    return failed(file_.string() + " is not a proof", std::string(to_text(proven.error())),
                  "name a file that `soma prove` wrote");
  }
  const auto value = proven->value ? std::optional<byte_view>(*proven->value) : std::nullopt;
  const auto held =
      state_tree::verify(proven->proof, proven->key, value, proven->header.state_root);
  if (!held) return does_not_hold(std::string(state_tree::to_text(held.error())));
  if (auto trusted = check_trust(*proven); !trusted) return trusted;
  const bool is_trusted = !root_.empty() || !header_.empty();
  if (context.wants_json) {
    auto facts = documents::proof_json(*proven);
    facts.set("holds", true);
    facts.set("compared_with_trusted", is_trusted);
    print_line(facts.text());
    return {};
  }
  print_proof(*proven);
  print_line("");
  print_line("The proof holds: the ledger with this state root " +
             std::string(proven->value ? "has this row." : "has no such row."));
  if (!is_trusted) {
    note_line(
        "The file cannot show that a network has that root: compare it with a block that you "
        "trust, with --header-id or --root.");
  }
  return {};
}

}  // namespace

std::unique_ptr<verb> make_verify_proof() {
  return std::make_unique<verify_proof>();
}

}  // namespace soma::cli
