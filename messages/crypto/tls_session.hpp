// One end of a TLS 1.3 connection between two Ed25519 keys, without a socket: ciphertext goes in
// and out as bytes, whoever owns the socket carries them.
//
// There is no authority and no name. Each side shows a certificate it made itself, signs the
// handshake with its key, and is then known by that key; whether the key is welcome is the caller's
// question. TLS 1.3 alone, X25519 alone, Ed25519 alone: no tickets, no early data, no resumption
// (security §2.1).
//
// The key may be one that signs other things too. What TLS signs begins with 64 blanks and a
// sentence that names TLS 1.3, and a certificate begins as DER; everything else that SOMA signs is
// a 32-byte hash. So no signature of one kind is one of another kind.
#pragma once

#include <memory>
#include <optional>

#include "messages/crypto/ed25519.hpp"
#include "messages/values/bytes.hpp"

namespace soma::crypto {

enum class tls_side : std::uint8_t { client, server };

enum class tls_state : std::uint8_t {
  handshaking,
  open,
  ended,   // the peer said goodbye
  failed,  // not our kind of TLS, no acceptable key, or damaged on the way
};

/// A key and the certificate that shows it, for all sessions of a process.
class tls_identity {
 public:
  explicit tls_identity(const key_pair& key);
  ~tls_identity();
  tls_identity(const tls_identity&) = delete;
  tls_identity& operator=(const tls_identity&) = delete;

 private:
  friend class tls_session;
  struct contexts;
  std::unique_ptr<contexts> contexts_;
};

class tls_session {
 public:
  tls_session(const tls_identity& identity, tls_side side);  // outlived by `identity`
  ~tls_session();
  tls_session(tls_session&&) noexcept;
  tls_session& operator=(tls_session&&) noexcept;

  /// Takes what came from the peer and appends to `plain` what it says. A caller begins with an
  /// empty feed. Afterwards there may be something to take, in every state: an alert tells the
  /// peer why.
  tls_state feed(byte_view arrived, bytes& plain);
  /// Encrypts; asserts that the session is open. It becomes `failed` if that cannot be done.
  tls_state write(byte_view plain);
  /// Ciphertext for the peer, appended to `out`.
  void take(bytes& out);
  /// How much there is to take.
  [[nodiscard]] std::size_t waiting_bytes() const;
  /// Says goodbye; nothing is written any more.
  void end();

  [[nodiscard]] tls_state state() const;
  /// Once open: who the peer has proved to be.
  [[nodiscard]] const std::optional<public_key>& peer_key() const;

 private:
  struct connection;
  std::unique_ptr<connection> connection_;
};

}  // namespace soma::crypto
