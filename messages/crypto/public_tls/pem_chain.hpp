// Reading certificates and keys from PEM files, for the sources of this folder only.
#pragma once

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <string>
#include <utility>
#include <vector>

#include "messages/crypto/hash.hpp"
#include "messages/crypto/pem_file.hpp"
#include "messages/crypto/x509.hpp"

namespace soma::public_tls {

inline crypto::certificate_refusal refusal_of(crypto::key_file_refusal why) {
  using from = crypto::key_file_refusal;
  using to = crypto::certificate_refusal;
  switch (why) {
    case from::not_found:
      return to::not_found;
    case from::open_to_others:
      return to::open_to_others;
    case from::not_a_key:
      return to::too_large;  // read_small_file() says it of a file's size alone
    case from::already_exists:
      return to::already_exists;
    case from::not_writable:
      return to::not_writable;
    case from::no_room:
      return to::no_room;
    default:
      return to::not_readable;
  }
}

/// All certificates of a file, at least one.
inline expected<std::vector<crypto::x509_ptr>, crypto::certificate_fault> load_chain(
    const std::filesystem::path& file) {
  const auto refused = [&](crypto::certificate_refusal why) {
    return unexpected<crypto::certificate_fault>(crypto::certificate_fault{why, file});
  };
  const auto pem = crypto::read_small_file(file, false);
  if (!pem) return refused(refusal_of(pem.error()));
  const crypto::bio_ptr in(BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size())));
  crypto::require(in != nullptr, "no memory for a PEM");
  std::vector<crypto::x509_ptr> all;
  while (auto* next = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)) {
    all.emplace_back(next);
  }
  ERR_clear_error();
  if (all.empty()) return refused(crypto::certificate_refusal::no_certificate);
  return all;
}

/// A key that is stored unencrypted in a file that others cannot read.
inline expected<crypto::pkey_ptr, crypto::certificate_fault> load_plain_key(
    const std::filesystem::path& file) {
  const auto refused = [&](crypto::certificate_refusal why) {
    return unexpected<crypto::certificate_fault>(crypto::certificate_fault{why, file});
  };
  auto pem = crypto::read_small_file(file, true);
  if (!pem) return refused(refusal_of(pem.error()));
  auto key = crypto::key_of_pem(*pem, std::nullopt);
  OPENSSL_cleanse(pem->data(), pem->size());
  if (key) return std::move(*key);
  return refused(key.error() == crypto::key_file_refusal::passphrase_needed
                     ? crypto::certificate_refusal::encrypted_key
                     : crypto::certificate_refusal::no_key);
}

/// Whether a host is an IP address and not a name.
inline bool is_address(const std::string& host) {
  const std::unique_ptr<ASN1_OCTET_STRING, crypto::freed_by<ASN1_OCTET_STRING_free>> address(
      a2i_IPADDRESS(host.c_str()));
  return address != nullptr;
}

/// SHA-256 of the key in a certificate, as DER of SubjectPublicKeyInfo.
inline hash256 pin_of(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  crypto::require(size > 0, "the key of a certificate");
  const auto pin = crypto::sha256({der, static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return pin;
}

}  // namespace soma::public_tls
