#include "messages/crypto/public_tls/session.hpp"

#include <openssl/ssl.h>

#include <array>
#include <cstring>
#include <utility>

#include "messages/crypto/public_tls/pem_chain.hpp"
#include "messages/crypto/tls_pipe.hpp"

namespace soma::public_tls {
namespace {

using crypto::certificate_fault;
using crypto::certificate_refusal;
using crypto::context_ptr;
using crypto::require;
using crypto::tls_pipe;
using crypto::tls_side;
using crypto::tls_state;

constexpr std::array<unsigned char, 9> protocol{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
constexpr std::size_t max_chain_bytes = 32 * 1024;  // a client takes no more from a server
constexpr int min_security_bits = 112;              // RSA of 2,048 bits has as many

context_ptr new_context(const SSL_METHOD* method) {
  context_ptr made(SSL_CTX_new(method));
  require(made != nullptr, "TLS context");
  SSL_CTX* context = made.get();
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);  // an idle connection uses little memory
  SSL_CTX_set_max_cert_list(context, max_chain_bytes);
  require(SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
              SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
              SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1 &&
              SSL_CTX_set_num_tickets(context, 0) == 1 &&
              SSL_CTX_set_max_early_data(context, 0) == 1,
          "TLS settings");
  return made;
}

/// Chooses http/1.1 among what the client offers, or ends the handshake.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned int offered_size, void*) {
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, chosen_size, protocol.data(), protocol.size(), offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

struct server_identity::content {
  context_ptr context;
  hash256 pin;
};

server_identity::server_identity(std::unique_ptr<content> made) : content_(std::move(made)) {}
server_identity::~server_identity() = default;

const hash256& server_identity::pin() const {
  return content_->pin;
}

expected<std::shared_ptr<const server_identity>, certificate_fault> server_identity::load(
    const crypto::certificate_files& files) {
  const auto refused = [](certificate_refusal why, const std::filesystem::path& file) {
    return unexpected<certificate_fault>(certificate_fault{why, file});
  };
  const auto chain = load_chain(files.certificate);
  if (!chain) return make_unexpected(chain.error());
  const auto key = load_plain_key(files.key);
  if (!key) return make_unexpected(key.error());
  X509* first = chain->front().get();
  if (X509_check_private_key(first, key->get()) != 1) {
    ERR_clear_error();
    return refused(certificate_refusal::other_key, files.key);
  }
  if (X509_cmp_current_time(X509_get0_notAfter(first)) < 0) {
    return refused(certificate_refusal::expired, files.certificate);
  }
  if (EVP_PKEY_get_security_bits(key->get()) < min_security_bits) {
    return refused(certificate_refusal::no_key, files.key);
  }
  auto made = std::make_unique<content>(content{new_context(TLS_server_method()), pin_of(first)});
  SSL_CTX* context = made->context.get();
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  require(SSL_CTX_use_certificate(context, first) == 1 &&
              SSL_CTX_use_PrivateKey(context, key->get()) == 1,
          "TLS identity");
  for (std::size_t i = 1; i < chain->size(); ++i) {
    require(SSL_CTX_add1_chain_cert(context, (*chain)[i].get()) == 1, "TLS certificate chain");
  }
  return std::shared_ptr<const server_identity>(new server_identity(std::move(made)));
}

struct client_trust::content {
  context_ptr context;
  std::optional<hash256> pin;
};

client_trust::client_trust(std::unique_ptr<content> made) : content_(std::move(made)) {}
client_trust::~client_trust() = default;

std::shared_ptr<const client_trust> client_trust::pinned(const hash256& pin) {
  auto made = std::make_unique<content>(content{new_context(TLS_client_method()), pin});
  // The pin is compared when the handshake is over, which proves that the server holds the key.
  SSL_CTX_set_verify(made->context.get(), SSL_VERIFY_NONE, nullptr);
  return std::shared_ptr<const client_trust>(new client_trust(std::move(made)));
}

std::shared_ptr<const client_trust> client_trust::system_authorities() {
  auto made = std::make_unique<content>(content{new_context(TLS_client_method()), std::nullopt});
  SSL_CTX_set_verify(made->context.get(), SSL_VERIFY_PEER, nullptr);
  require(SSL_CTX_set_default_verify_paths(made->context.get()) == 1, "the system's authorities");
  return std::shared_ptr<const client_trust>(new client_trust(std::move(made)));
}

expected<std::shared_ptr<const client_trust>, certificate_fault> client_trust::authorities_in(
    const std::filesystem::path& file) {
  const auto trusted = load_chain(file);
  if (!trusted) return make_unexpected(trusted.error());
  auto made = std::make_unique<content>(content{new_context(TLS_client_method()), std::nullopt});
  SSL_CTX_set_verify(made->context.get(), SSL_VERIFY_PEER, nullptr);
  for (const auto& one : *trusted) {
    require(X509_STORE_add_cert(SSL_CTX_get_cert_store(made->context.get()), one.get()) == 1,
            "an authority");
  }
  return std::shared_ptr<const client_trust>(new client_trust(std::move(made)));
}

struct session::connection {
  tls_pipe pipe;
  std::shared_ptr<const server_identity> identity;
  std::shared_ptr<const client_trust> trust;
  std::optional<hash256> pin = std::nullopt;
  std::string distrust = {};

  void shake_hands() {
    SSL* ssl = pipe.ssl.get();
    const bool done = pipe.shake_hands();
    if (!done && pipe.state == tls_state::handshaking) return;
    if (!trust) {
      if (done) pipe.state = tls_state::open;
      return;
    }
    const crypto::x509_ptr shown(SSL_get1_peer_certificate(ssl));
    if (shown) pin = pin_of(shown.get());
    if (done && trust->content_->pin && pin != trust->content_->pin) {
      distrust = "it holds another key than the pinned one: " + (pin ? to_hex(pin->view()) : "");
    } else if (const long verdict = SSL_get_verify_result(ssl);
               !trust->content_->pin && verdict != X509_V_OK) {
      distrust = X509_verify_cert_error_string(verdict);
    }
    pipe.state = done && shown && distrust.empty() ? tls_state::open : tls_state::failed;
  }
};

session::session(std::shared_ptr<const server_identity> identity)
    : connection_(new connection{tls_pipe(identity->content_->context.get(), tls_side::server),
                                 std::move(identity), nullptr}) {}

session::session(std::shared_ptr<const client_trust> trust, const std::string& host)
    : connection_(new connection{tls_pipe(trust->content_->context.get(), tls_side::client),
                                 nullptr, std::move(trust)}) {
  SSL* ssl = connection_->pipe.ssl.get();
  require(SSL_set_alpn_protos(ssl, protocol.data(), protocol.size()) == 0, "ALPN");
  X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl);
  if (is_address(host)) {
    require(X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) == 1, "the address of a server");
  } else {
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    require(SSL_set_tlsext_host_name(ssl, host.c_str()) == 1 &&
                X509_VERIFY_PARAM_set1_host(wanted, host.data(), host.size()) == 1,
            "the name of a server");
  }
}

session::~session() = default;
session::session(session&&) noexcept = default;
session& session::operator=(session&&) noexcept = default;

tls_state session::feed(byte_view arrived, bytes& plain) {
  auto& pipe = connection_->pipe;
  if (pipe.state != tls_state::handshaking && pipe.state != tls_state::open) return pipe.state;
  pipe.arrived(arrived);
  if (pipe.state == tls_state::handshaking) connection_->shake_hands();
  pipe.read(plain);
  return pipe.state;
}

tls_state session::write(byte_view plain) {
  return connection_->pipe.write(plain);
}

void session::take(bytes& out) {
  connection_->pipe.take(out);
}

std::size_t session::waiting_bytes() const {
  return connection_->pipe.waiting_bytes();
}

void session::end() {
  connection_->pipe.end();
}

tls_state session::state() const {
  return connection_->pipe.state;
}

const std::string& session::distrust() const {
  return connection_->distrust;
}

const std::optional<hash256>& session::server_pin() const {
  return connection_->pin;
}

}  // namespace soma::public_tls
