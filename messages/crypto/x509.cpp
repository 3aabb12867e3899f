#include "messages/crypto/x509.hpp"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <string>
#include <system_error>

#include "messages/crypto/pem_file.hpp"
#include "messages/crypto/random.hpp"

namespace soma::crypto {
namespace {

using extension_ptr = std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>>;
constexpr long day_seconds = 24 * 60 * 60;

pkey_ptr new_key() {
  pkey_ptr key(EVP_EC_gen("P-256"));
  require(key != nullptr, "P-256 key");
  return key;
}

void extend(X509* certificate, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const extension_ptr extension(X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str()));
  require(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1,
          "certificate extension");
}

/// Makes a certificate with everything but extensions and signature.
x509_ptr new_certificate(EVP_PKEY* key, const std::string& name, long days) {
  x509_ptr made(X509_new());
  require(made != nullptr, "no memory for a certificate");
  std::uint8_t serial[16];
  system_random().fill(serial);
  serial[0] = static_cast<std::uint8_t>((serial[0] & 0x7f) | 0x40);  // positive and of full length
  std::unique_ptr<BIGNUM, freed_by<BN_free>> number(BN_bin2bn(serial, sizeof serial, nullptr));
  X509_NAME* subject = X509_get_subject_name(made.get());
  require(number != nullptr && X509_set_version(made.get(), 2) == 1 &&
              BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(made.get())) != nullptr &&
              // Clocks may run up to an hour behind.
              X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600) != nullptr &&
              X509_gmtime_adj(X509_getm_notAfter(made.get()), days * day_seconds) != nullptr &&
              X509_set_pubkey(made.get(), key) == 1 &&
              X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC,
                                         reinterpret_cast<const unsigned char*>("SOMA operator"),
                                         -1, -1, 0) == 1 &&
              X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                         reinterpret_cast<const unsigned char*>(name.c_str()), -1,
                                         -1, 0) == 1,
          "certificate");
  return made;
}

void sign(X509* certificate, X509* issuer, EVP_PKEY* issuer_key) {
  require(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1, "issuer");
  extend(certificate, issuer, NID_authority_key_identifier, "keyid:always");
  require(X509_sign(certificate, issuer_key, EVP_sha256()) > 0, "certificate signature");
}

std::string pem_of(X509* certificate) {
  const bio_ptr out(BIO_new(BIO_s_mem()));
  require(out != nullptr && PEM_write_bio_X509(out.get(), certificate) == 1, "certificate PEM");
  return text_in(out.get());
}

/// Writes the key first, since a certificate without its key would be of no use.
expected<certificate_files, certificate_refusal> write_pair(const certificate_files& files,
                                                            EVP_PKEY* key,
                                                            const std::string& certificates) {
  std::error_code failed;
  std::filesystem::create_directories(files.key.parent_path(), failed);
  if (std::filesystem::exists(files.certificate, failed)) {
    return make_unexpected(certificate_refusal::already_exists);
  }
  std::string pem = pem_of_key(key, std::nullopt);
  auto written = write_new_file(files.key, pem, 0600);
  OPENSSL_cleanse(pem.data(), pem.size());
  if (written) written = write_new_file(files.certificate, certificates, 0644);
  if (written) return files;
  return make_unexpected(written.error() == key_file_refusal::already_exists
                             ? certificate_refusal::already_exists
                             : certificate_refusal::not_writable);
}

x509_ptr load_certificate(const std::filesystem::path& file) {
  const auto pem = read_small_file(file, false);
  if (!pem) return nullptr;
  const bio_ptr in(BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size())));
  require(in != nullptr, "no memory for a PEM");
  x509_ptr certificate(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  return certificate;
}

pkey_ptr load_plain_key(const std::filesystem::path& file) {
  auto pem = read_small_file(file, true);
  if (!pem) return nullptr;
  auto key = key_of_pem(*pem, std::nullopt);
  OPENSSL_cleanse(pem->data(), pem->size());
  return key ? std::move(*key) : nullptr;
}

bool belong_together(X509* certificate, EVP_PKEY* key) {
  const bool fits = X509_check_private_key(certificate, key) == 1;
  ERR_clear_error();
  return fits;
}

struct authority {
  x509_ptr certificate;
  pkey_ptr key;
};

std::optional<authority> load_ca(const std::filesystem::path& folder) {
  authority ca{load_certificate(folder / "ca.pem"), load_plain_key(folder / "ca.key")};
  if (!ca.certificate || !ca.key || X509_check_ca(ca.certificate.get()) <= 0 ||
      !belong_together(ca.certificate.get(), ca.key.get())) {
    return std::nullopt;
  }
  return ca;
}

/// `purpose` is X509_PURPOSE_SSL_SERVER or X509_PURPOSE_SSL_CLIENT.
bool is_trusted(X509* certificate, X509* ca, int purpose) {
  const std::unique_ptr<X509_STORE, freed_by<X509_STORE_free>> store(X509_STORE_new());
  const std::unique_ptr<X509_STORE_CTX, freed_by<X509_STORE_CTX_free>> check(X509_STORE_CTX_new());
  require(store && check && X509_STORE_add_cert(store.get(), ca) == 1 &&
              X509_STORE_CTX_init(check.get(), store.get(), certificate, nullptr) == 1 &&
              X509_STORE_CTX_set_purpose(check.get(), purpose) == 1,
          "certificate check");
  const bool trusted = X509_verify_cert(check.get()) == 1;
  ERR_clear_error();
  return trusted;
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 63 && name != "ca" && name.front() != '.' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}

}  // namespace

expected<certificate_files, certificate_refusal> make_ca(const std::filesystem::path& folder) {
  const auto key = new_key();
  const auto ca = new_certificate(key.get(), "SOMA operator CA", 3650);
  extend(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  extend(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  extend(ca.get(), ca.get(), NID_subject_key_identifier, "hash");
  sign(ca.get(), ca.get(), key.get());
  return write_pair({folder / "ca.pem", folder / "ca.key"}, key.get(), pem_of(ca.get()));
}

expected<certificate_files, certificate_refusal> make_certificate(
    const std::filesystem::path& ca_folder, std::string_view name,
    const std::filesystem::path& out_folder) {
  if (!is_name(name)) return make_unexpected(certificate_refusal::bad_name);
  const auto ca = load_ca(ca_folder);
  if (!ca) return make_unexpected(certificate_refusal::no_ca);
  const std::string text(name);
  const auto key = new_key();
  const auto made = new_certificate(key.get(), text, 1825);
  extend(made.get(), ca->certificate.get(), NID_basic_constraints, "critical,CA:FALSE");
  extend(made.get(), ca->certificate.get(), NID_key_usage, "critical,digitalSignature");
  extend(made.get(), ca->certificate.get(), NID_ext_key_usage, "serverAuth,clientAuth");
  extend(made.get(), ca->certificate.get(), NID_subject_alt_name,
         "DNS:" + text + ",DNS:localhost,IP:127.0.0.1");
  extend(made.get(), ca->certificate.get(), NID_subject_key_identifier, "hash");
  sign(made.get(), ca->certificate.get(), ca->key.get());
  return write_pair({out_folder / (text + ".pem"), out_folder / (text + ".key")}, key.get(),
                    pem_of(made.get()) + pem_of(ca->certificate.get()));
}

expected<void, certificate_refusal> check_certificate(const std::filesystem::path& ca_file,
                                                      const certificate_files& files) {
  const auto ca = load_certificate(ca_file);
  if (!ca) return make_unexpected(certificate_refusal::no_ca);
  const auto certificate = load_certificate(files.certificate);
  if (!certificate || !is_trusted(certificate.get(), ca.get(), X509_PURPOSE_SSL_SERVER) ||
      !is_trusted(certificate.get(), ca.get(), X509_PURPOSE_SSL_CLIENT)) {
    return make_unexpected(certificate_refusal::not_trusted);
  }
  const auto key = load_plain_key(files.key);
  if (!key || !belong_together(certificate.get(), key.get())) {
    return make_unexpected(certificate_refusal::key_mismatch);
  }
  return {};
}

std::string_view to_text(certificate_refusal refusal) {
  switch (refusal) {
    case certificate_refusal::key_mismatch:
      return "the key's file (mode 0600) does not hold the certificate's key";
    case certificate_refusal::not_trusted:
      return "the certificate is not one of this CA";
    case certificate_refusal::already_exists:
      return "the files exist already and are left as is";
    case certificate_refusal::not_writable:
      return "the files can't be written";
    case certificate_refusal::no_ca:
      return "no CA there: ca.pem and ca.key (mode 0600) are needed";
    case certificate_refusal::bad_name:
      return "a name is 1 to 63 letters, digits, '.', '_' or '-'";
  }
  return "unknown refusal";
}

}  // namespace soma::crypto
