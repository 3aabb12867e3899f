// A genesis as it comes together: from a TOML file, from options, or both; what comes later wins.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/shell/verb.hpp"
#include "messages/values/genesis.hpp"

namespace soma::cli {

class genesis_draft {
 public:
  /// TOML, as `soma genesis new --help` describes it; nothing for an empty path.
  [[nodiscard]] outcome read_file(const run_context& context, const std::filesystem::path& file);

  // `where` names the option or the place in a file, for refusals.
  [[nodiscard]] outcome set(const std::string& field, const std::string& value,
                            const std::string& where);
  /// A key's name or an address.
  [[nodiscard]] outcome add_account(const run_context& context, const std::string& owner,
                                    const std::string& balance, const std::string& where);
  /// A key file, made if it is missing. No stake: the minimum.
  [[nodiscard]] outcome add_validator(const std::filesystem::path& key, const std::string& stake,
                                      const std::string& where);
  /// What follows from the rest, and whether all of it makes a network.
  [[nodiscard]] outcome finish();

  [[nodiscard]] soma::genesis& genesis() { return genesis_; }
  [[nodiscard]] const soma::genesis& genesis() const { return genesis_; }
  /// Keys that add_validator made.
  [[nodiscard]] const std::vector<std::pair<std::filesystem::path, public_key>>& made_keys() const {
    return made_keys_;
  }

 private:
  soma::genesis genesis_;
  std::vector<std::string> given_;  // parameters that somebody set
  std::vector<std::pair<std::filesystem::path, public_key>> made_keys_;
};

}  // namespace soma::cli
