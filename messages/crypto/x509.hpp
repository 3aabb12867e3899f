// An operator's certificate authority and the certificates of its processes, for mutual TLS inside
// one cluster. ECDSA P-256 throughout. The certificates show which processes belong to the
// operator; they have nothing to do with the keys of accounts.
//
// make_ca(folder)                 writes folder/ca.pem (0644) and folder/ca.key (0600)
// make_certificate(folder, n, o)  writes o/n.pem (0644: the certificate of n, then that of the CA)
//                                 and o/n.key (0600)
//
// The keys are stored unencrypted, because processes start without a person to ask. An existing
// file is never overwritten (security §10.2).
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
  key_mismatch,  // the key's file holds no key, or another than the certificate's
  not_trusted,   // no certificate, expired, or not signed by this CA
  bad_name,      // not 1 to 63 of a-z A-Z 0-9 . _ -, or "ca", or beginning with a dot
};
[[nodiscard]] std::string_view to_text(certificate_refusal refusal);

struct certificate_files {
  std::filesystem::path certificate;
  std::filesystem::path key;
};

/// Valid for ten years. Creates the folder if it is missing.
[[nodiscard]] expected<certificate_files, certificate_refusal> make_ca(
    const std::filesystem::path& folder);

/// Valid for five years, as client and as server, for the DNS name `name` and localhost.
[[nodiscard]] expected<certificate_files, certificate_refusal> make_certificate(
    const std::filesystem::path& ca_folder, std::string_view name,
    const std::filesystem::path& out_folder);

/// Checks whether a peer that trusts `ca_file` would accept these files, as server and as client.
/// It is called before connecting, so that a wrong set-up is refused by name and not by a failed
/// handshake.
[[nodiscard]] expected<void, certificate_refusal> check_certificate(
    const std::filesystem::path& ca_file, const certificate_files& files);

}  // namespace soma::crypto
