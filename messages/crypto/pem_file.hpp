// Reading and writing PEM files, for the sources of this folder and of those below it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

#include "messages/crypto/key_file.hpp"
#include "messages/crypto/openssl.hpp"

namespace soma::crypto {

/// Makes the file durable before it is visible: writes it beside its place, syncs it, and links it
/// under its name, which must be free.
[[nodiscard]] expected<void, key_file_refusal> write_new_file(const std::filesystem::path& path,
                                                              std::string_view content,
                                                              mode_t mode);
/// Reads the whole file. A `secret` file is refused if others may read it.
[[nodiscard]] expected<std::string, key_file_refusal> read_small_file(
    const std::filesystem::path& path, bool secret);

/// PKCS#8 PEM of any key.
[[nodiscard]] std::string pem_of_key(EVP_PKEY* key, const std::optional<std::string>& passphrase);
[[nodiscard]] expected<pkey_ptr, key_file_refusal> key_of_pem(
    std::string_view pem, const std::optional<std::string>& passphrase);

[[nodiscard]] std::string text_in(BIO* memory);

}  // namespace soma::crypto
