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
  no_room,         // as with keys
  bad_name,        // not 1 to 63 of a-z A-Z 0-9 . _ -, or beginning with a dot
  authority_name,  // "ca", the name of the authority's own files
  not_found,
  not_readable,
  too_large,
  open_to_others,  // a key's file whose mode gives access to the group or to others
  no_certificate,
  no_key,
  encrypted_key,
  other_key,         // the key of another certificate
  not_an_authority,  // a certificate that may sign no others
  other_ca,
  expired,
  not_yet_valid,
  wrong_use,  // not for both servers and clients
};
[[nodiscard]] std::string_view to_text(certificate_refusal refusal);

/// What is wrong, and with which file. For `bad_name` and `authority_name` there is no
/// file.
struct certificate_fault {
  certificate_refusal why;
  std::filesystem::path file;
};

struct certificate_files {
  std::filesystem::path certificate;
  std::filesystem::path key;
};

/// Valid for ten years. Creates the folder if it is missing.
[[nodiscard]] expected<certificate_files, certificate_fault> make_ca(
    const std::filesystem::path& folder);

/// Valid for five years, as client and as server, for the DNS name `name` and localhost.
[[nodiscard]] expected<certificate_files, certificate_fault> make_certificate(
    const std::filesystem::path& ca_folder, std::string_view name,
    const std::filesystem::path& out_folder);

/// Checks whether a peer that trusts `ca_file` would accept these files, as server and as client.
/// It is called before connecting, so that a wrong set-up is refused by name and not by a failed
/// handshake. All certificates in `ca_file` are trusted, and the first must be an authority's.
[[nodiscard]] expected<void, certificate_fault> check_certificate(
    const std::filesystem::path& ca_file, const certificate_files& files);

}  // namespace soma::crypto
