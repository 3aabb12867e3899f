#include "actors/documents/rows.hpp"
#include "actors/state_tree/state_proof.hpp"
#include "deploy/soma/inspect/proof_report.hpp"
#include "deploy/soma/network/network_connection.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/files.hpp"
#include "deploy/soma/shell/report.hpp"
#include "deploy/soma/source/ids.hpp"
#include "deploy/soma/source/names.hpp"
#include "deploy/soma/source/stored_ledger.hpp"
#include "deploy/soma/verbs.hpp"
#include "messages/codec/codec_proofs.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

class prove_verb final : public verb {
 public:
  std::string_view name() const override { return "prove"; }
  std::string_view summary() const override {
    return "prove to a person without the ledger that it has a row, or that it does not";
  }
  std::string_view example() const override {
    return "soma prove 0x1f3a90c2 -o row.proof\n"
           "soma prove 0x1f3a90c2 --table submission --json\n"
           "soma prove 0x3f9a21c4 -o model.proof --join https://gateway.example.org";
  }
  void declare(option_set& options) override {
    options.add("key", key_, "an address, model or target: 0x and 64 digits, or the first 8")
        .positional();
    options.add("table", table_, "table to look in; default: account, model and target")
        .among(documents::table_names());
    options.add("row", row_, "whole key of a row in hex, instead of an id").shown_as("HEX");
    options.add("output", output_, "file to write the proof to").also('o').shown_as("FILE");
    options.add("force", force_, "replace an existing file");
    place_.declare(options);
  }
  outcome run(const run_context& context) override;

 private:
  [[nodiscard]] expected<row_key, failure> wanted(ledger_source& source) const;
  [[nodiscard]] expected<row_key, failure> key_by_id(ledger_source& source,
                                                     const std::string& digits) const;
  [[nodiscard]] expected<proven_row, failure> prove(const run_context& context) const;
  [[nodiscard]] outcome write(const proven_row& proven) const;

  std::string key_, table_, row_;
  fs::path output_;
  ledger_place place_;
  bool force_ = false;
};

row_key key_in(ledger_table table, const hash256& id) {
  auto key = table_prefix(table);
  key.insert(key.end(), id.value.begin(), id.value.end());
  return key;
}

expected<row_key, failure> prove_verb::wanted(ledger_source& source) const {
  if (key_.empty() == row_.empty()) {
    return wrong_usage("prove", "give either an id or --row KEY", "see `soma prove --help`");
  }
  if (!row_.empty()) {
    auto key = from_hex(row_);
    if (!key || !table_of(*key)) {
      return wrong_usage("--row", "`" + row_ + "` is not a key of a row",
                         "a key is the table's byte and its fields, in hex");
    }
    return *key;
  }
  const auto digits = id_digits(key_);
  if (!digits) {
    return wrong_usage("cannot prove `" + key_ + "`",
                       "an id is 0x and 64 hex digits, or at least the first 8 of them",
                       "see `soma prove --help`");
  }
  return key_by_id(source, *digits);
}

expected<row_key, failure> prove_verb::key_by_id(ledger_source& source,
                                                 const std::string& digits) const {
  std::vector<ledger_table> within{ledger_table::account, ledger_table::model,
                                   ledger_table::target};
  if (!table_.empty()) within = {*documents::table_named(table_)};
  std::vector<row_key> found;
  for (const auto table : within) {
    if (!table_of(key_in(table, {}))) {
      return wrong_usage("--table", "the key of a row of " + table_ + " is not just an id",
                         "name the row with --row KEY");
    }
    for (const auto& id : ids_in(source, table, digits)) found.push_back(key_in(table, id));
  }
  if (found.size() == 1) return found.front();
  if (found.size() > 1) {
    std::string all;
    for (const auto& key : found) {
      all += (all.empty() ? "" : ", ") + std::string(documents::table_name(key)) + " 0x" +
             to_hex(byte_view(key).subspan(1));
    }
    return failed("`" + key_ + "` can mean more than one", all, "write more digits");
  }
  const auto whole = hash256::parse(digits);
  if (whole && !table_.empty()) return key_in(within.front(), *whole);
  return failed("no " + (table_.empty() ? std::string("account, model or target") : table_) +
                    " begins with " + key_,
                "the ledger has no such row", "to prove that, give all 64 digits and --table");
}

expected<proven_row, failure> prove_stored(const tables::ledger_view& view, const row_key& key) {
  const auto last = view.block_at(view.height());
  if (!last) {
    return failed(
        "cannot prove anything yet",
        "the ledger has no block yet, and only the header of a block contains the state root",
        "wait for the first one");
  }
  state_tree::tree::builder rows;
  view.scan([&](byte_view row, byte_view value) {
    rows.add(row, value);
    return true;
  });
  const auto tree = std::move(rows).finish();
  if (tree.root() != last->header.state_root) {
    return failed("the ledger does not have the state root of its last block",
                  tree.root().text() + " instead of " + last->header.state_root.text(),
                  "the ledger is damaged, or another version wrote it; fill it anew");
  }
  return proven_row{last->header, key, view.find_row(key), state_tree::prove(tree, key)};
}

expected<proven_row, failure> prove_verb::prove(const run_context& context) const {
  auto opened = open_source(context, place_);
  if (!opened) return make_unexpected(opened.error());
  const auto key = wanted(**opened);
  if (!key) return make_unexpected(key.error());
  if (auto* network = dynamic_cast<network_connection*>(opened->get())) {
    return network->prove(*key);
  }
  opened->reset();  // a process opens a ledger once at a time
  const auto ledger = stored_ledger::open(context, place_.ledger);
  if (!ledger) return make_unexpected(ledger.error());
  return prove_stored(ledger->view(), *key);
}

outcome prove_verb::write(const proven_row& proven) const {
  return write_named_file(output_, encode(proven), force_);
}

outcome prove_verb::run(const run_context& context) {
  if (!output_.empty()) {
    if (auto free = check_new_file(context, output_, force_); !free) return free;
  }
  const auto proven = prove(context);
  if (!proven) return make_unexpected(proven.error());
  if (!output_.empty()) {
    if (auto written = write(*proven); !written) return written;
    remember_done("made " + output_.string());
  }
  if (context.wants_json) {
    auto facts = documents::proof_json(*proven);
    if (!output_.empty()) facts.set("file", output_.string());
    print_line(facts.text());
    return {};
  }
  print_proof(*proven);
  if (!output_.empty()) print_line("");
  if (!output_.empty()) print_line("proof in " + output_.string());
  return {};
}

}  // namespace

std::unique_ptr<verb> make_prove() {
  return std::make_unique<prove_verb>();
}

}  // namespace soma::cli
