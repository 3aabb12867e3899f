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

/// A sink of OpenSSL that appends to a buffer of ours. OpenSSL's own sink in memory copies what is
/// in it whenever it grows, and once more when it is emptied.
inline const BIO_METHOD* appending_sink() {
  static const std::unique_ptr<BIO_METHOD, freed_by<BIO_meth_free>> made = [] {
    std::unique_ptr<BIO_METHOD, freed_by<BIO_meth_free>> sink(
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "appending sink"));
    require(sink != nullptr, "a sink");
    BIO_meth_set_write_ex(sink.get(),
                          [](BIO* to, const char* data, std::size_t size, std::size_t* written) {
                            auto& buffer = *static_cast<bytes*>(BIO_get_data(to));
                            const auto* const begin = reinterpret_cast<const std::uint8_t*>(data);
                            buffer.insert(buffer.end(), begin, begin + size);
                            *written = size;
                            return 1;
                          });
    BIO_meth_set_ctrl(sink.get(),
                      [](BIO*, int what, long, void*) { return what == BIO_CTRL_FLUSH ? 1L : 0L; });
    return sink;
  }();
  return made.get();
}

using context_ptr = std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>>;
using ssl_ptr = std::unique_ptr<SSL, freed_by<SSL_free>>;

struct tls_pipe {
  static constexpr std::size_t read_step_bytes = 16 * 1024;  // one record

  ssl_ptr ssl;
  BIO* in = nullptr;                                       // freed by the SSL handle
  std::unique_ptr<bytes> out = std::make_unique<bytes>();  // stays where it is when the pipe moves
  tls_state state = tls_state::handshaking;

  tls_pipe(SSL_CTX* context, tls_side side) : ssl(SSL_new(context)) {
    bio_ptr to_read(BIO_new(BIO_s_mem())), to_write(BIO_new(appending_sink()));
    require(ssl != nullptr && to_read != nullptr && to_write != nullptr, "TLS session");
    in = to_read.get();
    BIO_set_data(to_write.get(), out.get());
    BIO_set_init(to_write.get(), 1);
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

  [[nodiscard]] std::size_t waiting_bytes() const { return out->size(); }

  /// When nothing waits, the memory for it is given back: most connections are idle.
  void take(bytes& ciphertext) {
    if (out->empty()) return bytes().swap(*out);
    if (ciphertext.empty()) {
      // The buffers change places, so that both keep their memory.
      ciphertext.swap(*out);
    } else {
      ciphertext.insert(ciphertext.end(), out->begin(), out->end());
      out->clear();
    }
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
