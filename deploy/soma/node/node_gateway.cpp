#include "deploy/soma/node/node_gateway.hpp"

#include "deploy/soma/shell/files.hpp"
#include "deploy/soma/version.hpp"
#include "messages/crypto/key_file.hpp"
#include "messages/crypto/public_tls/certificate.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;
using supervisor::role_failure;

unexpected<role_failure> refused(const std::string& why) {
  return make_unexpected(role_failure{"gateway", why});
}

std::string words_of(const crypto::certificate_fault& fault) {
  return fault.file.string() + ": " + std::string(crypto::to_text(fault.why));
}

/// The operator's files, or those in the home, which are made if they are missing.
expected<crypto::certificate_files, role_failure> files_of(const node_config& config) {
  const auto& gateway = config.gateway;
  if (!gateway.certificate.empty()) {
    return crypto::certificate_files{gateway.certificate, gateway.key};
  }
  crypto::certificate_files own{config.home / "gateway.pem", config.home / "gateway.key"};
  std::error_code ignored;
  if (fs::exists(own.certificate, ignored)) return own;
  auto names = gateway.names;
  if (names.empty()) {
    const auto& host = gateway.listen->host;
    if (host != "0.0.0.0" && host != "::") names.push_back(host);
    if (host != "localhost") names.emplace_back("localhost");
  }
  if (auto made = public_tls::make_self_signed(own, names); !made) {
    return refused("cannot make a certificate: " + words_of(made.error()));
  }
  return own;
}

}  // namespace

expected<started_gateway, role_failure> start_gateway(const node_config& config,
                                                      supervised_process& process,
                                                      gateway::gateway_ports ports) {
  const auto& wanted = config.gateway;
  gateway::gateway_options options;
  options.listen_host = wanted.listen->host;
  options.listen_port = wanted.listen->port;
  options.proxies = wanted.proxies;
  options.build = std::string(version);
  options.uploads.bytes_per_soma = wanted.upload_per_soma;
  options.uploads.most_bytes = wanted.upload_most;
  options.uploads.all_bytes = wanted.upload_all;
  options.blob_rates.all_per_second = wanted.blobs_per_second;
  options.blob_rates.host_per_second = wanted.blobs_per_second_host;
  options.signature_checks.all_per_second = wanted.checks_per_second;
  options.signature_checks.host_per_second = wanted.checks_per_second_host;
  options.streams = wanted.event_streams;
  if (!wanted.faucet.empty()) {
    auto key = crypto::load_key(wanted.faucet, std::nullopt);
    if (!key) {
      return refused("cannot use the faucet's key " + wanted.faucet.string() + ": " +
                     std::string(crypto::to_text(key.error())));
    }
    options.faucet.emplace(gateway::faucet_options{std::move(*key), wanted.faucet_amount});
  }
  std::string pin;
  if (!wanted.plain) {
    const auto files = files_of(config);
    if (!files) return make_unexpected(files.error());
    auto identity = public_tls::server_identity::load(*files);
    if (!identity) return refused("cannot use the certificate: " + words_of(identity.error()));
    pin = "#" + to_hex((*identity)->pin().view());
    options.identity = std::move(*identity);
  }
  ports.clock = process.clock();
  auto spawned = gateway::spawn_gateway(process.system(), std::move(ports), options);
  if (!spawned) {
    return refused("cannot listen at " + mesh::to_text(*wanted.listen) + ": " + spawned.error());
  }
  started_gateway out;
  out.role = spawned->role;
  out.door.name = "gateway";
  out.door.at = {wanted.listen->host, spawned->port};
  out.door.address = (wanted.plain ? "http://" : "https://") + mesh::to_text(out.door.at) + pin;
  const auto line = out.door.address + "\n";
  const auto file = config.home / "gateway.address";
  if (auto written = write_named_file(file, as_bytes(line), true); !written) {
    return refused("cannot write " + file.string() + ": " + one_line(written.error()));
  }
  return out;
}

}  // namespace soma::cli
