#include "messages/crypto/public_tls/certificate.hpp"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

#include "messages/crypto/pem_file.hpp"
#include "messages/crypto/public_tls/pem_chain.hpp"
#include "messages/crypto/random.hpp"

namespace soma::public_tls {
namespace {

using crypto::certificate_fault;
using crypto::certificate_refusal;
using crypto::freed_by;
using crypto::pkey_ptr;
using crypto::require;
using crypto::x509_ptr;

using extension_ptr = std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>>;

constexpr long valid_seconds = 3650L * 24 * 60 * 60;
constexpr std::size_t max_names = 32;

unexpected<certificate_fault> refused(certificate_refusal why, std::filesystem::path file = {}) {
  return unexpected<certificate_fault>(certificate_fault{why, std::move(file)});
}

/// The characters are limited to those of DNS names, so that nothing in a name can be read as
/// another part of the list of names.
bool is_dns_name(std::string_view name) {
  return !name.empty() && name.size() <= 253 && name.front() != '.' && name.front() != '-' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '-';
         });
}

void extend(X509* certificate, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const extension_ptr extension(X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str()));
  require(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1,
          "certificate extension");
}

x509_ptr new_certificate(EVP_PKEY* key, const std::vector<std::string>& names) {
  x509_ptr made(X509_new());
  require(made != nullptr, "no memory for a certificate");
  std::uint8_t serial[16];
  crypto::system_random().fill(serial);
  serial[0] = static_cast<std::uint8_t>((serial[0] & 0x7f) | 0x40);  // positive and of full length
  const std::unique_ptr<BIGNUM, freed_by<BN_free>> number(
      BN_bin2bn(serial, sizeof serial, nullptr));
  X509_NAME* subject = X509_get_subject_name(made.get());
  const std::string common = names.front().substr(0, 64);  // the most that X.509 allows
  require(number != nullptr && X509_set_version(made.get(), 2) == 1 &&
              BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(made.get())) != nullptr &&
              // Clocks may run up to an hour behind.
              X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600) != nullptr &&
              X509_gmtime_adj(X509_getm_notAfter(made.get()), valid_seconds) != nullptr &&
              X509_set_pubkey(made.get(), key) == 1 &&
              X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                         reinterpret_cast<const unsigned char*>(common.c_str()), -1,
                                         -1, 0) == 1 &&
              X509_set_issuer_name(made.get(), subject) == 1,
          "certificate");
  std::string all;
  for (const auto& name : names) {
    all += all.empty() ? "" : ",";
    all += (is_address(name) ? "IP:" : "DNS:") + name;
  }
  extend(made.get(), NID_subject_alt_name, all);
  // Programs that trust one certificate alone want it to be its own authority.
  extend(made.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  extend(made.get(), NID_key_usage, "critical,digitalSignature,keyCertSign");
  extend(made.get(), NID_ext_key_usage, "serverAuth");
  extend(made.get(), NID_subject_key_identifier, "hash");
  require(X509_sign(made.get(), key, EVP_sha256()) > 0, "certificate signature");
  return made;
}

bool is_p256(EVP_PKEY* key) {
  char name[64] = {};
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(key, name, sizeof name, nullptr) == 1 &&
         std::string_view(name) == SN_X9_62_prime256v1;
}

expected<pkey_ptr, certificate_fault> key_in(const std::filesystem::path& file) {
  std::error_code failed;
  if (std::filesystem::exists(file, failed)) {
    auto key = load_plain_key(file);
    if (key && !is_p256(key->get())) return refused(certificate_refusal::no_key, file);
    return key;
  }
  pkey_ptr made(EVP_EC_gen("P-256"));
  require(made != nullptr, "P-256 key");
  std::string pem = crypto::pem_of_key(made.get(), std::nullopt);
  const auto written = crypto::write_new_file(file, pem, 0600);
  OPENSSL_cleanse(pem.data(), pem.size());
  if (!written) return refused(refusal_of(written.error()), file);
  return made;
}

}  // namespace

expected<void, certificate_fault> make_self_signed(const crypto::certificate_files& files,
                                                   const std::vector<std::string>& names) {
  if (names.empty() || names.size() > max_names ||
      !std::ranges::all_of(
          names, [](const std::string& name) { return is_address(name) || is_dns_name(name); })) {
    return refused(certificate_refusal::bad_name);
  }
  std::error_code failed;
  if (std::filesystem::exists(files.certificate, failed)) {
    return refused(certificate_refusal::already_exists, files.certificate);
  }
  for (const auto& file : {files.key, files.certificate}) {
    if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), failed);
  }
  const auto key = key_in(files.key);
  if (!key) return make_unexpected(key.error());
  const auto made = new_certificate(key->get(), names);
  const crypto::bio_ptr out(BIO_new(BIO_s_mem()));
  require(out != nullptr && PEM_write_bio_X509(out.get(), made.get()) == 1, "certificate PEM");
  const auto written = crypto::write_new_file(files.certificate, crypto::text_in(out.get()), 0644);
  if (!written) return refused(refusal_of(written.error()), files.certificate);
  return {};
}

expected<hash256, certificate_fault> pin_of(const std::filesystem::path& certificate) {
  const auto chain = load_chain(certificate);
  if (!chain) return make_unexpected(chain.error());
  return pin_of(chain->front().get());
}

}  // namespace soma::public_tls
