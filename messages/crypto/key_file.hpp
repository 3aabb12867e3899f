// Keys at rest: PKCS#8 PEM, mode 0600, encrypted under a passphrase (PBKDF2-HMAC-SHA-256,
// AES-256-CBC) unless the caller says otherwise. A file is complete or not there. A file that is
// there is never overwritten, since keys are money (security §10.1).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "messages/crypto/ed25519.hpp"
#include "messages/values/expected.hpp"

namespace soma::crypto {

enum class key_file_refusal : std::uint8_t {
  not_found,
  not_readable,
  open_to_others,  // the mode gives access to the group or to others
  not_a_key,       // no PEM, damaged, or too large to be a key
  passphrase_needed,
  wrong_passphrase,
  not_ed25519,
  already_exists,
  not_writable,
  no_room,  // the disk or the quota is full, or the file would be larger than the process may write
  passphrase_empty,
  passphrase_too_long,
  not_opened_again,  // the file that was about to be written does not give the key back
};
[[nodiscard]] std::string_view to_text(key_file_refusal refusal);

inline constexpr std::size_t max_key_file_bytes = 16 * 1024;
/// OpenSSL hands at most this many bytes of a passphrase to whoever reads a PEM file. With a longer
/// one it would write a file that it never opens again.
inline constexpr std::size_t max_passphrase_bytes = 1'024;

/// Without a passphrase the key is stored unencrypted. What is about to be written is opened first,
/// with the same passphrase, and must give the same key back.
[[nodiscard]] expected<void, key_file_refusal> save_key(
    const std::filesystem::path& path, const key_pair& key,
    const std::optional<std::string>& passphrase);

/// If the file needs no passphrase, a given passphrase is not used.
[[nodiscard]] expected<key_pair, key_file_refusal> load_key(
    const std::filesystem::path& path, const std::optional<std::string>& passphrase);

}  // namespace soma::crypto
