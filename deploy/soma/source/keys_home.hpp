// The keys of a home directory: keys/NAME.pem, one an account. Beside each lies NAME.pub with its
// public half, so that lists and balances need no passphrase. What must hold: a key file is never
// overwritten, and a passphrase is never printed.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/shell/verb.hpp"
#include "messages/crypto/ed25519.hpp"

namespace soma::cli {

/// 1 to 63 of a-z A-Z 0-9 . _ -, and no dot at the beginning.
[[nodiscard]] bool is_key_name(std::string_view name);

struct home_key {
  std::string name;
  std::filesystem::path path;
  std::optional<public_key> half;  // nothing: locked, and nobody kept the public half
};
/// By name.
[[nodiscard]] std::vector<home_key> keys_of(const std::filesystem::path& home);

/// The key that a person means: a name of the home, or a file; nothing: the only key there is.
[[nodiscard]] expected<home_key, failure> find_key(const run_context& context,
                                                   const std::string& named);

/// From --passphrase-file, from SOMA_PASSPHRASE, or asked for on the terminal, in this order. With
/// `is_new` a terminal is asked twice.
[[nodiscard]] expected<std::string, failure> passphrase(const std::filesystem::path& file,
                                                        bool is_new);

/// The secret, with the passphrase if it needs one.
[[nodiscard]] expected<crypto::key_pair, failure> unlock(
    const home_key& key, const std::filesystem::path& passphrase_file);

/// Makes keys/NAME.pem and NAME.pub; without a passphrase the key lies there in the clear.
[[nodiscard]] expected<home_key, failure> make_key(const run_context& context,
                                                   const std::string& name,
                                                   const std::optional<std::string>& phrase);

}  // namespace soma::cli
