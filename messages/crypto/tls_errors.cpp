#include "messages/crypto/tls_errors.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace {

int as_int(int done, std::size_t bytes) {
  return done == 1 ? static_cast<int>(bytes) : 0;
}

}  // namespace

// For every caller, the program's own definitions take precedence over those of the shared library.
// They call the library by its newer names, which mean the same.
extern "C" {

int SSL_read(SSL* connection, void* into, int size) {
  ERR_clear_error();
  if (size < 0) return -1;
  std::size_t bytes = 0;
  const int done = SSL_read_ex(connection, into, static_cast<std::size_t>(size), &bytes);
  return as_int(done, bytes);
}

int SSL_write(SSL* connection, const void* from, int size) {
  ERR_clear_error();
  if (size < 0) return -1;
  std::size_t bytes = 0;
  const int done = SSL_write_ex(connection, from, static_cast<std::size_t>(size), &bytes);
  return as_int(done, bytes);
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

}  // extern "C"

namespace soma::crypto {

void keep_tls_errors_apart() {}

}  // namespace soma::crypto
