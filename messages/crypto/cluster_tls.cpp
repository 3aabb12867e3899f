#include "messages/crypto/cluster_tls.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "messages/crypto/openssl.hpp"

namespace soma::crypto {
namespace {

int as_int(int done, std::size_t bytes) {
  return done == 1 ? static_cast<int>(bytes) : 0;
}

/// What a PEM file holds: certificates in the order of the file, or a key.
struct held_file {
  std::vector<x509_ptr> certificates;
  pkey_ptr key;
};

std::mutex holding;

std::map<std::string, std::shared_ptr<const held_file>>& held_files() {
  static std::map<std::string, std::shared_ptr<const held_file>> files;
  return files;
}

std::shared_ptr<const held_file> read_held(const std::string& path) {
  auto file = std::make_shared<held_file>();
  const bio_ptr certificates(BIO_new_file(path.c_str(), "r"));
  while (certificates) {
    x509_ptr one(PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr));
    if (!one) break;
    file->certificates.push_back(std::move(one));
  }
  const bio_ptr key(BIO_new_file(path.c_str(), "r"));
  // Without a passphrase, OpenSSL would ask for one at the terminal.
  char none[] = "";
  if (key) file->key.reset(PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, none));
  ERR_clear_error();  // the end of a file and a missing key are errors to OpenSSL
  return file;
}

/// What is held of this file, or what it holds now.
std::shared_ptr<const held_file> content_of(const char* path) {
  const std::lock_guard lock(holding);
  const auto found = held_files().find(path);
  return found == held_files().end() ? read_held(path) : found->second;
}

}  // namespace

void keep_tls_errors_apart() {}

expected<void, std::string> hold_tls_files(const std::filesystem::path& certificate,
                                           const std::filesystem::path& key,
                                           const std::filesystem::path& authority) {
  for (const auto& path : {certificate, key, authority}) {
    if (path.empty()) continue;
    auto file = read_held(path.string());
    const bool is_there = path == key ? file->key != nullptr : !file->certificates.empty();
    if (!is_there) {
      return make_unexpected(path.string() + " holds no " + (path == key ? "key" : "certificate"));
    }
    const std::lock_guard lock(holding);
    held_files()[path.string()] = std::move(file);
  }
  return {};
}

}  // namespace soma::crypto

// For every caller, the program's own definitions take precedence over those of the shared library.
// They call the library by its newer names, which mean the same.
extern "C" {

int SSL_read(SSL* connection, void* into, int size) {
  ERR_clear_error();
  if (size < 0) return -1;
  std::size_t bytes = 0;
  const int done = SSL_read_ex(connection, into, static_cast<std::size_t>(size), &bytes);
  return soma::crypto::as_int(done, bytes);
}

int SSL_write(SSL* connection, const void* from, int size) {
  ERR_clear_error();
  if (size < 0) return -1;
  std::size_t bytes = 0;
  const int done = SSL_write_ex(connection, from, static_cast<std::size_t>(size), &bytes);
  return soma::crypto::as_int(done, bytes);
}

int SSL_accept(SSL* connection) {
  ERR_clear_error();
  if (SSL_in_before(connection) != 0) SSL_set_accept_state(connection);
  return SSL_do_handshake(connection);
}

int SSL_connect(SSL* connection) {
  ERR_clear_error();
  if (SSL_in_before(connection) != 0) SSL_set_connect_state(connection);
  return SSL_do_handshake(connection);
}

int SSL_CTX_use_certificate_chain_file(SSL_CTX* context, const char* path) {
  const auto file = soma::crypto::content_of(path);
  const auto& chain = file->certificates;
  if (chain.empty() || SSL_CTX_use_certificate(context, chain[0].get()) != 1) return 0;
  SSL_CTX_clear_chain_certs(context);
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1) return 0;
  }
  return 1;
}

int SSL_CTX_use_PrivateKey_file(SSL_CTX* context, const char* path, int) {
  const auto file = soma::crypto::content_of(path);
  return file->key && SSL_CTX_use_PrivateKey(context, file->key.get()) == 1 ? 1 : 0;
}

int SSL_CTX_load_verify_locations(SSL_CTX* context, const char* path, const char*) {
  if (path == nullptr) return 0;
  const auto file = soma::crypto::content_of(path);
  auto* const trusted = SSL_CTX_get_cert_store(context);
  for (const auto& one : file->certificates) {
    if (X509_STORE_add_cert(trusted, one.get()) != 1) return 0;
  }
  return file->certificates.empty() ? 0 : 1;
}

}  // extern "C"
