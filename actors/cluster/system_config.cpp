#include "actors/cluster/system_config.hpp"

#include <caf/io/middleman.hpp>
#include <caf/openssl/manager.hpp>

#include <stdexcept>

#include "actors/cluster/message_names.hpp"
#include "messages/crypto/cluster_tls.hpp"

namespace soma::cluster {
system_config::system_config() {
  add_network_messages(*this);
  add_model_messages(*this);
  add_scoring_messages(*this);
  add_work_messages(*this);
  // With this policy idle threads sleep until there is work. With the default policy they look for
  // work to steal again and again, which costs a third of a processor.
  set("scheduler.policy", caf::atom("sharing"));
}

system_config::system_config(const cluster_identity& identity, unsigned threads) : system_config() {
  crypto::keep_tls_errors_apart();
  const auto held = crypto::hold_tls_files(identity.certificate, identity.key, identity.ca);
  if (!held)
    throw std::runtime_error("cannot use the certificate of this process: " + held.error());
  load<caf::io::middleman>();
  load<caf::openssl::manager>();
  openssl_certificate = identity.certificate.string();
  openssl_key = identity.key.string();
  openssl_cafile = identity.ca.string();
  if (threads != 0) set("scheduler.max-threads", threads);
  // No process of a cluster uses spawning by name and the configuration server, so they are closed.
  set("middleman.enable-automatic-connections", false);
}

}  // namespace soma::cluster
