// A TLS connection of OpenSSL between two buffers, without a socket. tls_session and public_tls
// differ in how they choose keys and judge the peer; moving bytes is the same in both. Only the
// sources of this folder and of those below it include this file.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cstddef>
#include <memory>

#include "messages/crypto/openssl.hpp"
#include "messages/crypto/tls_session.hpp"
#include "messages/values/assert.hpp"

namespace soma::crypto {

using context_ptr = std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>>;
using ssl_ptr = std::unique_ptr<SSL, freed_by<SSL_free>>;

struct tls_pipe {
  static constexpr std::size_t read_step_bytes = 16 * 1024;  // one record

  ssl_ptr ssl;
  BIO* in = nullptr;  // freed by the SSL handle, which owns both
  BIO* out = nullptr;
  tls_state state = tls_state::handshaking;

  tls_pipe(SSL_CTX* context, tls_side side) : ssl(SSL_new(context)) {
    bio_ptr to_read(BIO_new(BIO_s_mem())), to_write(BIO_new(BIO_s_mem()));
    require(ssl != nullptr && to_read != nullptr && to_write != nullptr, "TLS session");
    in = to_read.get();
    out = to_write.get();
    SSL_set_bio(ssl.get(), to_read.release(), to_write.release());
    if (side == tls_side::client) {
      SSL_set_connect_state(ssl.get());
    } else {
      SSL_set_accept_state(ssl.get());
    }
  }

  /// Sets the state of the connection after a call that did not succeed.
  void settle(int result) {
    switch (SSL_get_error(ssl.get(), result)) {
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE:
        break;
      case SSL_ERROR_ZERO_RETURN:
        state = tls_state::ended;
        break;
      default:
        state = tls_state::failed;
    }
    ERR_clear_error();
  }

  /// Goes on with the handshake. True when it is over; the owner then judges the peer and sets the
  /// state.
  [[nodiscard]] bool shake_hands() {
    ERR_clear_error();
    const int done = SSL_do_handshake(ssl.get());
    if (done != 1) settle(done);
    return done == 1;
  }

  void arrived(byte_view ciphertext) {
    if (ciphertext.empty()) return;
    std::size_t taken = 0;
    require(BIO_write_ex(in, ciphertext.data(), ciphertext.size(), &taken) == 1 &&
                taken == ciphertext.size(),
            "no memory for what arrived");
  }

  void read(bytes& plain) {
    while (state == tls_state::open) {
      ERR_clear_error();
      const std::size_t before = plain.size();
      plain.resize(before + read_step_bytes);
      std::size_t got = 0;
      const int done = SSL_read_ex(ssl.get(), plain.data() + before, read_step_bytes, &got);
      plain.resize(before + (done == 1 ? got : 0));
      if (done != 1) {
        settle(done);
        return;
      }
    }
  }

  tls_state write(byte_view plain) {
    SOMA_ASSERT(state == tls_state::open, "only an open session carries anything");
    while (!plain.empty() && state == tls_state::open) {
      ERR_clear_error();
      std::size_t taken = 0;
      const int done = SSL_write_ex(ssl.get(), plain.data(), plain.size(), &taken);
      if (done != 1) {
        // The outgoing buffer always takes everything, so a failure here never means "try again
        // later".
        ERR_clear_error();
        state = tls_state::failed;
        break;
      }
      plain = plain.subspan(taken);
    }
    return state;
  }

  [[nodiscard]] std::size_t waiting_bytes() const { return BIO_ctrl_pending(out); }

  void take(bytes& ciphertext) {
    const std::size_t waiting = waiting_bytes();
    if (waiting == 0) return;
    const std::size_t before = ciphertext.size();
    ciphertext.resize(before + waiting);
    std::size_t got = 0;
    require(BIO_read_ex(out, ciphertext.data() + before, waiting, &got) == 1 && got == waiting,
            "ciphertext that was there");
  }

  void end() {
    if (state != tls_state::open) return;
    ERR_clear_error();
    SSL_shutdown(ssl.get());
    ERR_clear_error();
    state = tls_state::ended;
  }
};

}  // namespace soma::crypto
