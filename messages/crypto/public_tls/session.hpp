// One end of a TLS 1.3 connection between a public server and anybody, without a socket: ciphertext
// goes in and out as bytes, and the owner of the socket moves them.
//
// The server shows the certificate chain of its operator and asks the client for none. The client
// believes either one pinned key, whatever the certificate says otherwise, or the authorities of
// its system together with the name of the host. Both sides refuse what is older than TLS 1.3, and
// there are no tickets, no resumption, no early data, no renegotiation and no compression. By ALPN
// they agree on http/1.1; a client that offers other protocols alone is refused.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "messages/crypto/tls_session.hpp"
#include "messages/crypto/x509.hpp"
#include "messages/values/bytes.hpp"
#include "messages/values/expected.hpp"
#include "messages/values/ids.hpp"

namespace soma::public_tls {

/// The certificate chain and the key of a server: ECDSA, RSA of 2,048 bits or more, or Ed25519. All
/// sessions of a process share it; it may be used on several threads.
class server_identity {
 public:
  /// Reads both PEM files. The key must belong to the first certificate, which must not be expired.
  [[nodiscard]] static expected<std::shared_ptr<const server_identity>, crypto::certificate_fault>
  load(const crypto::certificate_files& files);
  ~server_identity();

  /// What a client may pin: see certificate.hpp.
  [[nodiscard]] const hash256& pin() const;

 private:
  friend class session;
  struct content;
  explicit server_identity(std::unique_ptr<content> made);
  std::unique_ptr<content> content_;
};

/// Which servers a client believes.
class client_trust {
 public:
  /// The server that holds this key, and no other. Its certificate's names and dates mean nothing.
  [[nodiscard]] static std::shared_ptr<const client_trust> pinned(const hash256& pin);
  /// The servers whose certificate leads to an authority of the system and names the host.
  [[nodiscard]] static std::shared_ptr<const client_trust> system_authorities();
  /// The same with the certificates of this PEM file as the only authorities.
  [[nodiscard]] static expected<std::shared_ptr<const client_trust>, crypto::certificate_fault>
  authorities_in(const std::filesystem::path& file);
  ~client_trust();

 private:
  friend class session;
  struct content;
  explicit client_trust(std::unique_ptr<content> made);
  std::unique_ptr<content> content_;
};

class session {
 public:
  using state_type = crypto::tls_state;

  explicit session(std::shared_ptr<const server_identity> identity);
  /// A client's end. `host` is the name or the address that was called, without a port.
  session(std::shared_ptr<const client_trust> trust, const std::string& host);
  ~session();
  session(session&&) noexcept;
  session& operator=(session&&) noexcept;

  // As in crypto::tls_session.
  state_type feed(byte_view arrived, bytes& plain);
  state_type write(byte_view plain);
  void take(bytes& out);
  [[nodiscard]] std::size_t waiting_bytes() const;
  void end();
  [[nodiscard]] state_type state() const;

  /// Why a client does not believe the server, in words; empty when it failed otherwise or not.
  [[nodiscard]] const std::string& distrust() const;
  /// The pin of the server's key, once a client's session is open or has met another key than the
  /// pinned one.
  [[nodiscard]] const std::optional<hash256>& server_pin() const;

 private:
  struct connection;
  std::unique_ptr<connection> connection_;
};

}  // namespace soma::public_tls
