#include "messages/crypto/x509.hpp"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "messages/crypto/pem_file.hpp"
#include "messages/crypto/random.hpp"

namespace soma::crypto {
namespace {

using extension_ptr = std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>>;
constexpr long day_seconds = 24 * 60 * 60;

unexpected<certificate_fault> refused(certificate_refusal why, std::filesystem::path file) {
  return unexpected<certificate_fault>(certificate_fault{why, std::move(file)});
}

certificate_refusal refusal_of(key_file_refusal why) {
  switch (why) {
    case key_file_refusal::not_found:
      return certificate_refusal::not_found;
    case key_file_refusal::open_to_others:
      return certificate_refusal::open_to_others;
    case key_file_refusal::not_a_key:
      return certificate_refusal::too_large;  // read_small_file() says it of a file's size alone
    case key_file_refusal::already_exists:
      return certificate_refusal::already_exists;
    case key_file_refusal::not_writable:
      return certificate_refusal::not_writable;
    case key_file_refusal::no_room:
      return certificate_refusal::no_room;
    default:
      return certificate_refusal::not_readable;
  }
}

/// Frees a list of certificates, which have owners of their own.
void free_stack(STACK_OF(X509) * list) {
  sk_X509_free(list);
}

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
expected<certificate_files, certificate_fault> write_pair(const certificate_files& files,
                                                          EVP_PKEY* key,
                                                          const std::string& certificates) {
  std::error_code failed;
  std::filesystem::create_directories(files.key.parent_path(), failed);
  if (failed == std::errc::no_space_on_device) {
    return refused(certificate_refusal::no_room, files.key);
  }
  if (std::filesystem::exists(files.certificate, failed)) {
    return refused(certificate_refusal::already_exists, files.certificate);
  }
  std::string pem = pem_of_key(key, std::nullopt);
  auto written = write_new_file(files.key, pem, 0600);
  OPENSSL_cleanse(pem.data(), pem.size());
  const auto& last = written ? files.certificate : files.key;
  if (written) {
    written = write_new_file(files.certificate, certificates, 0644);
    // The new key alone would only stand in the way of the next try.
    if (!written) std::filesystem::remove(files.key, failed);
  }
  if (written) return files;
  return refused(refusal_of(written.error()), last);
}

/// All certificates of a file, at least one.
expected<std::vector<x509_ptr>, certificate_fault> load_certificates(
    const std::filesystem::path& file) {
  const auto pem = read_small_file(file, false);
  if (!pem) return refused(refusal_of(pem.error()), file);
  const bio_ptr in(BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size())));
  require(in != nullptr, "no memory for a PEM");
  std::vector<x509_ptr> all;
  while (auto* next = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)) {
    all.emplace_back(next);
  }
  ERR_clear_error();
  if (all.empty()) return refused(certificate_refusal::no_certificate, file);
  return all;
}

expected<pkey_ptr, certificate_fault> load_plain_key(const std::filesystem::path& file) {
  auto pem = read_small_file(file, true);
  if (!pem) return refused(refusal_of(pem.error()), file);
  auto key = key_of_pem(*pem, std::nullopt);
  OPENSSL_cleanse(pem->data(), pem->size());
  if (key) return std::move(*key);
  return refused(key.error() == key_file_refusal::passphrase_needed
                     ? certificate_refusal::encrypted_key
                     : certificate_refusal::no_key,
                 file);
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

expected<authority, certificate_fault> load_ca(const std::filesystem::path& folder) {
  auto certificates = load_certificates(folder / "ca.pem");
  if (!certificates) return make_unexpected(certificates.error());
  auto* first = certificates->front().get();
  if (X509_check_ca(first) <= 0) {
    return refused(certificate_refusal::not_an_authority, folder / "ca.pem");
  }
  auto key = load_plain_key(folder / "ca.key");
  if (!key) return make_unexpected(key.error());
  if (!belong_together(first, key->get())) {
    return refused(certificate_refusal::other_key, folder / "ca.key");
  }
  return authority{std::move(certificates->front()), std::move(*key)};
}

/// What OpenSSL's answer means for a person. `depth` is 0 for the certificate itself, and larger
/// for the authorities above it.
certificate_fault fault_of(int error, int depth, const std::filesystem::path& certificate,
                           const std::filesystem::path& ca) {
  const auto& file = depth == 0 ? certificate : ca;
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return {certificate_refusal::expired, file};
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return {certificate_refusal::not_yet_valid, file};
    case X509_V_ERR_INVALID_PURPOSE:
      return {certificate_refusal::wrong_use, file};
    default:
      return {certificate_refusal::other_ca, certificate};
  }
}

/// `purpose` is X509_PURPOSE_SSL_SERVER or X509_PURPOSE_SSL_CLIENT. The certificates after the
/// first one lead to the authority, and are not trusted by themselves.
std::optional<certificate_fault> check_trust(const std::vector<x509_ptr>& certificates,
                                             const std::vector<x509_ptr>& trusted, int purpose,
                                             const std::filesystem::path& certificate,
                                             const std::filesystem::path& ca) {
  const std::unique_ptr<X509_STORE, freed_by<X509_STORE_free>> store(X509_STORE_new());
  const std::unique_ptr<X509_STORE_CTX, freed_by<X509_STORE_CTX_free>> check(X509_STORE_CTX_new());
  const std::unique_ptr<STACK_OF(X509), freed_by<free_stack>> between(sk_X509_new_null());
  require(store && check && between, "no memory for a certificate check");
  for (const auto& one : trusted) {
    require(X509_STORE_add_cert(store.get(), one.get()) == 1, "certificate check");
  }
  for (const auto& one : std::span(certificates).subspan(1)) {
    require(sk_X509_push(between.get(), one.get()) > 0, "certificate check");
  }
  require(X509_STORE_CTX_init(check.get(), store.get(), certificates.front().get(),
                              between.get()) == 1 &&
              X509_STORE_CTX_set_purpose(check.get(), purpose) == 1,
          "certificate check");
  const bool is_trusted = X509_verify_cert(check.get()) == 1;
  ERR_clear_error();
  if (is_trusted) return std::nullopt;
  return fault_of(X509_STORE_CTX_get_error(check.get()),
                  X509_STORE_CTX_get_error_depth(check.get()), certificate, ca);
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 63 && name.front() != '.' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}

}  // namespace

expected<certificate_files, certificate_fault> make_ca(const std::filesystem::path& folder) {
  const auto key = new_key();
  const auto ca = new_certificate(key.get(), "SOMA operator CA", 3650);
  extend(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  extend(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  extend(ca.get(), ca.get(), NID_subject_key_identifier, "hash");
  sign(ca.get(), ca.get(), key.get());
  return write_pair({folder / "ca.pem", folder / "ca.key"}, key.get(), pem_of(ca.get()));
}

expected<certificate_files, certificate_fault> make_certificate(
    const std::filesystem::path& ca_folder, std::string_view name,
    const std::filesystem::path& out_folder) {
  if (name == "ca") return refused(certificate_refusal::authority_name, {});
  if (!is_name(name)) return refused(certificate_refusal::bad_name, {});
  const auto ca = load_ca(ca_folder);
  if (!ca) return make_unexpected(ca.error());
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

expected<void, certificate_fault> check_certificate(const std::filesystem::path& ca_file,
                                                    const certificate_files& files) {
  const auto trusted = load_certificates(ca_file);
  if (!trusted) return make_unexpected(trusted.error());
  if (X509_check_ca(trusted->front().get()) <= 0) {
    return refused(certificate_refusal::not_an_authority, ca_file);
  }
  const auto certificates = load_certificates(files.certificate);
  if (!certificates) return make_unexpected(certificates.error());
  for (const int purpose : {X509_PURPOSE_SSL_SERVER, X509_PURPOSE_SSL_CLIENT}) {
    if (auto fault = check_trust(*certificates, *trusted, purpose, files.certificate, ca_file)) {
      return make_unexpected(std::move(*fault));
    }
  }
  const auto key = load_plain_key(files.key);
  if (!key) return make_unexpected(key.error());
  if (!belong_together(certificates->front().get(), key->get())) {
    return refused(certificate_refusal::other_key, files.key);
  }
  return {};
}

std::string_view to_text(certificate_refusal refusal) {
  switch (refusal) {
    case certificate_refusal::already_exists:
      return "the file exists already and is left as it is";
    case certificate_refusal::not_writable:
      return "the file can't be written";
    case certificate_refusal::no_room:
      return "there is no room for the file: the disk is full, or a limit is reached";
    case certificate_refusal::authority_name:
      return "the files of the authority have this name";
    case certificate_refusal::bad_name:
      return "a name is 1 to 63 letters, digits, '.', '_' or '-'";
    case certificate_refusal::not_found:
      return "there is no such file";
    case certificate_refusal::not_readable:
      return "the file can't be read";
    case certificate_refusal::too_large:
      return "the file has more than 16 KiB";
    case certificate_refusal::open_to_others:
      return "the file's mode lets others in";
    case certificate_refusal::no_certificate:
      return "the file holds no certificate";
    case certificate_refusal::no_key:
      return "the file holds no key";
    case certificate_refusal::encrypted_key:
      return "the key is encrypted, and nobody is asked for its passphrase";
    case certificate_refusal::other_key:
      return "it is the key of another certificate";
    case certificate_refusal::not_an_authority:
      return "it is the certificate of a process and not that of an authority";
    case certificate_refusal::other_ca:
      return "it was signed by another authority than the one that is trusted here";
    case certificate_refusal::expired:
      return "it has expired";
    case certificate_refusal::not_yet_valid:
      return "it is not valid yet";
    case certificate_refusal::wrong_use:
      return "it is not meant for both servers and clients";
  }
  return "unknown refusal";
}

}  // namespace soma::crypto
