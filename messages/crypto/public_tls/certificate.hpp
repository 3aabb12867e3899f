// Certificates of servers that anybody may call, in PEM files.
//
// An operator brings the files of a public authority, or lets make_self_signed() write a pair. A
// self-signed certificate holds an ECDSA P-256 key, because browsers take no Ed25519 certificate.
// Its key stays the same when the certificate is written anew, and so does its pin.
//
// A pin is the SHA-256 of the key as it stands in the certificate (DER of SubjectPublicKeyInfo). It
// is written as 64 hex digits behind the address: https://host:port#pin. A client that has a pin
// needs no authority and no name.
#pragma once

#include <string>
#include <vector>

#include "messages/crypto/x509.hpp"
#include "messages/values/ids.hpp"

namespace soma::public_tls {

/// Writes a certificate (mode 0644) that is valid for ten years for these DNS names and IP
/// addresses, of which the first is the certificate's name. If the key's file exists, its key is
/// used, and it must be P-256; otherwise a new key is written there (mode 0600). An existing
/// certificate is never overwritten. `bad_name` when there is no name, or one of them is neither an
/// address nor a DNS name.
[[nodiscard]] expected<void, crypto::certificate_fault> make_self_signed(
    const crypto::certificate_files& files, const std::vector<std::string>& names);

/// The pin of the first certificate in a PEM file.
[[nodiscard]] expected<hash256, crypto::certificate_fault> pin_of(
    const std::filesystem::path& certificate);

}  // namespace soma::public_tls
