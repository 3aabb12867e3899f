// A genesis while it is put together: from a TOML file, from options, or from both. A value that
// comes later replaces an earlier one.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/shell/json.hpp"
#include "deploy/soma/shell/verb.hpp"
#include "messages/crypto/ed25519.hpp"
#include "messages/values/genesis.hpp"

namespace soma::cli {

class genesis_draft {
 public:
  /// Reads a TOML file as `soma genesis new --help` describes it. Does nothing for an empty path.
  [[nodiscard]] outcome read_file(const run_context& context, const std::filesystem::path& file);

  // In the next three functions, `where` is the option or the place in the file that a refusal
  // names.

  /// Sets a parameter by its name.
  [[nodiscard]] outcome set(const std::string& field, const std::string& value,
                            const std::string& where);
  /// Sets the Unix time in milliseconds at which the network starts.
  [[nodiscard]] outcome set_start(std::uint64_t start_ms, const std::string& where);
  /// Adds an account that starts with `balance`. `owner` is the name of a key or an address.
  [[nodiscard]] outcome add_account(const run_context& context, const std::string& owner,
                                    const std::string& balance, const std::string& where);
  /// Adds a validator with the key in that file. For a missing file there is a new key, which
  /// save_keys() writes there. An empty `stake` means the minimum.
  [[nodiscard]] outcome add_validator(const std::filesystem::path& key, const std::string& stake,
                                      const std::string& where);
  /// Fills in what follows from the other values, and refuses if the result cannot be the genesis
  /// of a network.
  [[nodiscard]] outcome finish();
  /// Writes the new keys to their files. It comes after finish(), so that a genesis that is refused
  /// leaves no keys behind.
  [[nodiscard]] outcome save_keys() const;

  [[nodiscard]] soma::genesis& genesis() { return genesis_; }
  [[nodiscard]] const soma::genesis& genesis() const { return genesis_; }
  struct new_key {
    std::filesystem::path path;
    crypto::key_pair key;
  };
  /// The keys that add_validator() made.
  [[nodiscard]] const std::vector<new_key>& new_keys() const { return new_keys_; }

 private:
  /// Refuses a second validator with the same key.
  [[nodiscard]] outcome add(const genesis_validator& validator, const std::string& where);
  [[nodiscard]] outcome read_parameters(const json& table, const std::string& where);
  /// A path in the table is relative to `folder`.
  [[nodiscard]] outcome read_validator(const json& table, const std::filesystem::path& folder,
                                       const std::string& where);

  soma::genesis genesis_;
  std::vector<std::string> given_;  // names of the parameters that were set
  std::vector<new_key> new_keys_;
};

}  // namespace soma::cli
