// A ledger on this machine, opened for reading while another process may write it: that of a local
// network, that of a node, or the one that --ledger names. What must hold: nothing here writes, and
// a ledger that cannot be read is refused with a text that says what to do.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/shell/options.hpp"
#include "deploy/soma/shell/verb.hpp"
#include "deploy/soma/source/localnet_home.hpp"
#include "messages/values/genesis.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::cli {

/// Declares --ledger. An empty path means the ledger that find_ledger() finds by itself.
option& add_ledger_option(option_set& options, std::filesystem::path& into);

/// True if `folder` itself, and not a folder within it, holds a ledger.
[[nodiscard]] bool holds_ledger(const std::filesystem::path& folder);

/// The folder of the ledger that a person means. `named` is the folder of a ledger, the home of a
/// node, or the folder of a local network. If it is empty, it is the ledger of the node whose
/// configuration is in force; else the home directory's, which is `ledger` for a node or
/// `localnet/ledger` for a local network. If the home has both, it refuses, since the person may
/// mean either.
[[nodiscard]] expected<std::filesystem::path, failure> find_ledger(
    const run_context& context, const std::filesystem::path& named);

class stored_ledger {
 public:
  [[nodiscard]] static expected<stored_ledger, failure> open(const run_context& context,
                                                             const std::filesystem::path& named);

  /// The ledger as it is now. A later view may show more blocks.
  [[nodiscard]] tables::ledger_view view() const { return store_->view(); }
  [[nodiscard]] const tables::ledger_store& store() const { return *store_; }
  [[nodiscard]] const soma::genesis& genesis() const { return genesis_; }
  [[nodiscard]] const chain_id& chain() const { return chain_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  /// The names of models and accounts that have one: a local network names its own.
  [[nodiscard]] const localnet_names& names() const { return names_; }

 private:
  stored_ledger() = default;
  std::filesystem::path folder_;
  std::unique_ptr<tables::ledger_store> store_;
  soma::genesis genesis_;
  chain_id chain_;
  localnet_names names_;
};

}  // namespace soma::cli
