// A ledger on this machine, opened for reading beside whoever writes it: a local network's, a
// node's, or the one that --ledger names. What must hold: nothing here writes, and a ledger that
// cannot be read ends in a refusal that says what to do.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/shell/options.hpp"
#include "deploy/soma/shell/verb.hpp"
#include "messages/values/genesis.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::cli {

/// Declares --ledger; an empty path means "the one that the home directory holds".
option& add_ledger_option(option_set& options, std::filesystem::path& into);

/// Whether there is a ledger in `folder` itself.
[[nodiscard]] bool holds_ledger(const std::filesystem::path& folder);

/// The folder of the ledger that a person means. `named`: a ledger's folder, a node's home or a
/// local network's folder. Empty: that of the node whose configuration is in force, else what lies
/// in the home directory, a node's `ledger` or a local network's `localnet/ledger`; both at once
/// are refused, since nobody can say which is meant.
[[nodiscard]] expected<std::filesystem::path, failure> find_ledger(
    const run_context& context, const std::filesystem::path& named);

class stored_ledger {
 public:
  [[nodiscard]] static expected<stored_ledger, failure> open(const run_context& context,
                                                             const std::filesystem::path& named);

  /// The ledger as it stands now; a moment later another view may show more blocks.
  [[nodiscard]] tables::ledger_view view() const { return store_->view(); }
  [[nodiscard]] const tables::ledger_store& store() const { return *store_; }
  [[nodiscard]] const soma::genesis& genesis() const { return genesis_; }
  [[nodiscard]] const chain_id& chain() const { return chain_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  /// Names of models where somebody gave them some: a local network names its specialists.
  [[nodiscard]] const std::map<model_id, std::string>& names() const { return names_; }

 private:
  stored_ledger() = default;
  std::filesystem::path folder_;
  std::unique_ptr<tables::ledger_store> store_;
  soma::genesis genesis_;
  chain_id chain_;
  std::map<model_id, std::string> names_;
};

}  // namespace soma::cli
