#include "messages/crypto/tls_session.hpp"

#include <openssl/crypto.h>
#include <openssl/ssl.h>

#include "messages/crypto/tls_pipe.hpp"

namespace soma::crypto {
namespace {

constexpr std::size_t max_certificate_bytes = 1024;  // our certificates have about 200

pkey_ptr handle_of(const key_pair& key) {
  auto seed = key.seed();
  pkey_ptr handle(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
  OPENSSL_cleanse(seed.data(), seed.size());
  require(handle != nullptr, "Ed25519 key of a TLS identity");
  return handle;
}

/// Makes the same certificate for the same key every time, since it contains nothing but the key.
x509_ptr certificate_of(EVP_PKEY* key) {
  x509_ptr made(X509_new());
  require(made != nullptr, "no memory for a certificate");
  X509_NAME* name = X509_get_subject_name(made.get());
  require(X509_set_version(made.get(), 2) == 1 &&
              ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1) == 1 &&
              X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                         reinterpret_cast<const unsigned char*>("SOMA peer"), -1,
                                         -1, 0) == 1 &&
              X509_set_issuer_name(made.get(), name) == 1 &&
              ASN1_TIME_set_string(X509_getm_notBefore(made.get()), "20000101000000Z") == 1 &&
              ASN1_TIME_set_string(X509_getm_notAfter(made.get()), "99991231235959Z") == 1 &&
              X509_set_pubkey(made.get(), key) == 1 && X509_sign(made.get(), key, nullptr) > 0,
          "certificate of a TLS identity");
  return made;
}

/// The key of a certificate that this key itself has signed; nullopt for any other certificate.
std::optional<public_key> key_in(X509* certificate) {
  EVP_PKEY* handle = certificate == nullptr ? nullptr : X509_get0_pubkey(certificate);
  if (handle == nullptr || EVP_PKEY_get_id(handle) != EVP_PKEY_ED25519) return std::nullopt;
  public_key key;
  std::size_t size = key.size();
  if (EVP_PKEY_get_raw_public_key(handle, key.data(), &size) != 1 || size != key.size() ||
      !is_acceptable(key) || X509_verify(certificate, handle) != 1) {
    return std::nullopt;
  }
  return key;
}

/// OpenSSL asks whether the peer's certificate is acceptable. That the peer holds the key is proved
/// afterwards, by the handshake's own signature.
int is_certificate_fine(X509_STORE_CTX* shown, void*) {
  const auto* chain = X509_STORE_CTX_get0_untrusted(shown);
  const bool fine = (chain == nullptr || sk_X509_num(chain) <= 1) &&
                    key_in(X509_STORE_CTX_get0_cert(shown)).has_value();
  X509_STORE_CTX_set_error(shown, fine ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
  return fine ? 1 : 0;
}

context_ptr new_context(const SSL_METHOD* method, EVP_PKEY* key, X509* certificate) {
  context_ptr made(SSL_CTX_new(method));
  require(made != nullptr, "TLS context");
  SSL_CTX* context = made.get();
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(context, max_certificate_bytes);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);  // an idle connection uses little memory
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context, is_certificate_fine, nullptr);
  require(SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
              SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
              SSL_CTX_set_ciphersuites(
                  context, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256") == 1 &&
              SSL_CTX_set1_groups_list(context, "X25519") == 1 &&
              SSL_CTX_set1_sigalgs_list(context, "ed25519") == 1 &&
              SSL_CTX_set_num_tickets(context, 0) == 1 &&
              SSL_CTX_set_max_early_data(context, 0) == 1 &&
              SSL_CTX_use_certificate(context, certificate) == 1 &&
              SSL_CTX_use_PrivateKey(context, key) == 1,
          "TLS settings");
  return made;
}

}  // namespace

struct tls_identity::contexts {
  context_ptr client, server;
};

tls_identity::tls_identity(const key_pair& key) {
  const auto handle = handle_of(key);
  const auto certificate = certificate_of(handle.get());
  contexts_ = std::make_unique<contexts>(
      contexts{new_context(TLS_client_method(), handle.get(), certificate.get()),
               new_context(TLS_server_method(), handle.get(), certificate.get())});
}

tls_identity::~tls_identity() = default;

struct tls_session::connection {
  tls_pipe pipe;
  std::optional<public_key> peer;

  void shake_hands() {
    if (!pipe.shake_hands()) return;
    const x509_ptr shown(SSL_get1_peer_certificate(pipe.ssl.get()));
    peer = key_in(shown.get());
    pipe.state =
        peer && SSL_version(pipe.ssl.get()) == TLS1_3_VERSION ? tls_state::open : tls_state::failed;
  }
};

tls_session::tls_session(const tls_identity& identity, tls_side side)
    : connection_(
          new connection{tls_pipe(side == tls_side::client ? identity.contexts_->client.get()
                                                           : identity.contexts_->server.get(),
                                  side),
                         std::nullopt}) {}

tls_session::~tls_session() = default;
tls_session::tls_session(tls_session&&) noexcept = default;
tls_session& tls_session::operator=(tls_session&&) noexcept = default;

tls_state tls_session::feed(byte_view arrived, bytes& plain) {
  auto& pipe = connection_->pipe;
  if (pipe.state != tls_state::handshaking && pipe.state != tls_state::open) return pipe.state;
  pipe.arrived(arrived);
  if (pipe.state == tls_state::handshaking) connection_->shake_hands();
  pipe.read(plain);
  return pipe.state;
}

tls_state tls_session::write(byte_view plain) {
  return connection_->pipe.write(plain);
}

void tls_session::take(bytes& out) {
  connection_->pipe.take(out);
}

std::size_t tls_session::waiting_bytes() const {
  return connection_->pipe.waiting_bytes();
}

void tls_session::end() {
  connection_->pipe.end();
}

tls_state tls_session::state() const {
  return connection_->pipe.state;
}

const std::optional<public_key>& tls_session::peer_key() const {
  return connection_->peer;
}

}  // namespace soma::crypto
