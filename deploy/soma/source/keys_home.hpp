// The keys of a home directory. Each account has one key, in keys/NAME.pem. Beside it lies NAME.pub
// with the public half of the key and, in its second line, the hash of the key file, so that lists
// and balances need no passphrase. What must hold: a key file is never overwritten, a passphrase is
// never printed, and NAME.pub counts only for the key file that it was written for.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/shell/verb.hpp"
#include "messages/crypto/ed25519.hpp"
#include "messages/values/ids.hpp"

namespace soma::cli {

/// True for 1 to 63 characters of a-z A-Z 0-9 . _ - that do not begin with a dot.
[[nodiscard]] bool is_key_name(std::string_view name);

struct home_key {
  std::string name;
  std::filesystem::path path;
  /// The public half. nullopt if the key is locked by a passphrase and no NAME.pub is of this file.
  std::optional<public_key> half;
  bool is_of_home = false;  // false for a key file that a person named by its path
  /// Why the file cannot be read; empty if it can. Such a key is a key all the same: without it,
  /// another one would be taken for the only one.
  std::string unreadable = {};
};
/// All keys of a home, ordered by name. Folders, dangling links and files that hold no key are left
/// out, whatever their names. Refuses if the folder of the keys cannot be read; one that is missing
/// holds no key.
[[nodiscard]] expected<std::vector<home_key>, failure> keys_of(const std::filesystem::path& home);
/// The addresses of those keys of the home that can be shown. Refuses for `verb_name` if there is
/// none. Says on the standard error which keys cannot be read.
[[nodiscard]] expected<std::vector<address>, failure> accounts_of_home(
    const run_context& context, const std::string& verb_name);

/// The key that a person means: `named` is the name of a key of the home, or a key file. If it is
/// empty, the home must have exactly one key.
[[nodiscard]] expected<home_key, failure> find_key(const run_context& context,
                                                   const std::string& named);

/// Gets a passphrase from the first line of --passphrase-file (a file, a pipe or a terminal), else
/// from SOMA_PASSPHRASE, else by asking on the terminal. With `is_new` it asks twice and compares.
[[nodiscard]] expected<std::string, failure> passphrase(const std::filesystem::path& file,
                                                        bool is_new);

/// Reads the secret key. Gets the passphrase as passphrase() does if the file is locked by one.
[[nodiscard]] expected<crypto::key_pair, failure> unlock(
    const home_key& key, const std::filesystem::path& passphrase_file);

/// Makes keys/NAME.pem and NAME.pub. Without a passphrase the key is stored unencrypted.
[[nodiscard]] expected<home_key, failure> make_key(const run_context& context,
                                                   const std::string& name,
                                                   const std::optional<std::string>& phrase);

}  // namespace soma::cli
