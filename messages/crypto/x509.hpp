// An operator's certificate authority and the certificates of its processes, for mutual TLS inside
// one cluster. ECDSA P-256 throughout. They say who belongs to the operator, and have nothing to do
// with the keys of accounts.
//
// make_ca(folder)                 -> folder/ca.pem (0644), folder/ca.key (0600)
// make_certificate(folder, n, o)  -> o/n.pem (0644: n's certificate, then the CA's), o/n.key (0600)
// Keys lie there in the clear, because processes start without a person to ask. Nothing is
// overwritten (security §10.2).
#pragma once

#include <filesystem>
#include <string_view>

#include "messages/crypto/key_file.hpp"
#include "messages/values/expected.hpp"

namespace soma::crypto {

enum class certificate_refusal : std::uint8_t {
  already_exists,
  not_writable,
  no_ca,         // ca.pem or ca.key is missing, unreadable, or not what it should be
  key_mismatch,  // the key's file is no key, or not the certificate's
  not_trusted,   // no certificate, expired, or not signed by this CA
  bad_name,      // 1 to 63 of a-z A-Z 0-9 . _ -, and neither "ca" nor beginning with a dot
};
[[nodiscard]] std::string_view to_text(certificate_refusal refusal);

struct certificate_files {
  std::filesystem::path certificate;
  std::filesystem::path key;
};

/// Valid for ten years. The folder is made if it is missing.
[[nodiscard]] expected<certificate_files, certificate_refusal> make_ca(
    const std::filesystem::path& folder);

/// Valid for five years, as client and as server, for the DNS name `name` and localhost.
[[nodiscard]] expected<certificate_files, certificate_refusal> make_certificate(
    const std::filesystem::path& ca_folder, std::string_view name,
    const std::filesystem::path& out_folder);

/// Whether a peer that trusts `ca_file` would take these files, as server and as client: asked
/// before connecting, so that a wrong set-up is told by name and not by a handshake that fails.
[[nodiscard]] expected<void, certificate_refusal> check_certificate(
    const std::filesystem::path& ca_file, const certificate_files& files);

}  // namespace soma::crypto
