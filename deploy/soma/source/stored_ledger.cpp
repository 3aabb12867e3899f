#include "deploy/soma/source/stored_ledger.hpp"

#include "deploy/soma/shell/files.hpp"
#include "deploy/soma/source/localnet_home.hpp"
#include "messages/codec/codec.hpp"
#include "messages/signing/signing.hpp"
#include "storage/lmdb/failure.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

/// The `home` that the [node] table of the configuration names, if there is one. It is a text: the
/// tables were checked when the configuration was read.
std::optional<fs::path> configured_node_home(const run_context& context) {
  const auto* home = context.config.find_path("node.home");
  if (home == nullptr) return {};
  return path_beside(context.config_path, *home->as_string());
}

unexpected<failure> no_ledger(const fs::path& where) {
  return named(failure_names::not_found,
               failed("there is no ledger in " + where.string(), "no network was run there",
                      "run `soma localnet`, or name a node's home with --ledger"));
}

}  // namespace

option& add_ledger_option(option_set& options, fs::path& into) {
  return options
      .add("ledger", into,
           "folder of the ledger: a node's home, a local network's folder, or the ledger's own; "
           "default: the ledger in the home directory")
      .shown_as("FOLDER");
}

bool holds_ledger(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / "data.mdb", ignored);
}

expected<fs::path, failure> find_ledger(const run_context& context, const fs::path& named) {
  if (!named.empty()) {
    for (const auto& folder : {named, named / "ledger", named / "localnet" / "ledger"}) {
      if (holds_ledger(folder)) return folder;
    }
    return no_ledger(named);
  }
  if (const auto home = configured_node_home(context); home && holds_ledger(*home / "ledger")) {
    return *home / "ledger";
  }
  const auto of_node = context.home / "ledger";
  const auto of_localnet = context.home / "localnet" / "ledger";
  const bool has_node = holds_ledger(of_node), has_localnet = holds_ledger(of_localnet);
  if (has_node && has_localnet) {
    return failed(
        "there are two ledgers in " + context.home.string(),
        "that of a node in ledger and that of a local network in localnet",
        "name one with --ledger " + of_node.string() + " or --ledger " + of_localnet.string());
  }
  if (has_node) return of_node;
  if (has_localnet) return of_localnet;
  return no_ledger(context.home);
}

expected<stored_ledger, failure> stored_ledger::open(const run_context& context,
                                                     const fs::path& named) {
  auto folder = find_ledger(context, named);
  if (!folder) return make_unexpected(folder.error());
  const auto what = "cannot read the ledger in " + folder->string();
  stored_ledger out;
  out.folder_ = std::move(*folder);
  try {
    tables::ledger_options options;
    options.read_only = true;
    out.store_ = std::make_unique<tables::ledger_store>(out.folder_, options);
    const auto content = out.store_->genesis();
    if (!content) return failed(what, "its network has not begun", "start its node first");
    const auto genesis = decode<soma::genesis>(*content);
    if (!genesis) {
      return failed(what,
                    "its genesis is of another version: " + std::string(to_text(genesis.error())),
                    "use the soma that wrote it, or run the network anew");
    }
    out.genesis_ = *genesis;
  } catch (const lmdb::failure& error) {
    const bool is_old = error.code() == lmdb::failure_code::wrong_format ||
                        error.code() == lmdb::failure_code::not_there;
    return failed(what, error.what(),
                  is_old ? "use the soma that wrote it, or run the network anew"
                         : "check the disk and the permissions of the folder");
  }
  out.chain_ = signing::chain_id_of(out.genesis_);
  auto names = names_of_localnet(out.folder_.parent_path());
  if (!names) return make_unexpected(names.error());
  out.names_ = std::move(*names);
  return out;
}

}  // namespace soma::cli
