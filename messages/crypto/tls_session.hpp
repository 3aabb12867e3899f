// One end of a TLS 1.3 connection between two Ed25519 keys, without a socket: ciphertext goes in
// and out as bytes, and the owner of the socket moves them.
//
// There is no certificate authority and there are no names. Each side shows a certificate that it
// made itself, signs the handshake with its key, and is then known by that key. Whether the key is
// welcome is for the caller to decide. Only TLS 1.3, X25519 and Ed25519 are used, without tickets,
// early data or resumption (security §2.1).
//
// The key may be one that signs other things too. What TLS signs begins with 64 blanks and a
// sentence that names TLS 1.3, and a certificate begins as DER; everything else that SOMA signs is
// a 32-byte hash. So a signature of one kind can never be used as one of another kind.
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
  ended,   // the peer closed the session
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
  tls_session(const tls_identity& identity, tls_side side);  // `identity` must outlive it
  ~tls_session();
  tls_session(tls_session&&) noexcept;
  tls_session& operator=(tls_session&&) noexcept;

  /// Takes what came from the peer and appends the decrypted bytes to `plain`. A client begins with
  /// an empty feed. Afterwards there may be something to take, in every state: an alert tells the
  /// peer why the session failed.
  tls_state feed(byte_view arrived, bytes& plain);
  /// Encrypts `plain`. Asserts that the session is open; the session becomes `failed` if it cannot
  /// encrypt.
  tls_state write(byte_view plain);
  /// Appends the ciphertext for the peer to `out`.
  void take(bytes& out);
  /// The number of bytes that there are to take.
  [[nodiscard]] std::size_t waiting_bytes() const;
  /// Closes the session; nothing can be written any more.
  void end();

  [[nodiscard]] tls_state state() const;
  /// Once open: the key that the peer has proved to hold.
  [[nodiscard]] const std::optional<public_key>& peer_key() const;

 private:
  struct connection;
  std::unique_ptr<connection> connection_;
};

}  // namespace soma::crypto
