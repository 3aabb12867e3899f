// The options that say where a verb finds its ledger, and opening it.
#pragma once

#include "actors/cluster/cluster.hpp"
#include "actors/cluster/system_config.hpp"
#include "deploy/soma/network/gateway_addresses.hpp"
#include "deploy/soma/shell/options.hpp"
#include "deploy/soma/source/ledger_source.hpp"

namespace soma::cli {

struct ledger_place {
  std::filesystem::path ledger;
  std::string join;
  std::filesystem::path certificate, certificate_key, ca;
  std::string network;
  std::string trusted_end;
  bool unverified = false;

  void declare(option_set& options);
  /// The gateways to ask: --join, else `join` of the configuration in force. Empty if neither names
  /// any; a refusal if an address is wrong.
  [[nodiscard]] expected<std::vector<http::origin>, failure> gateways(
      const run_context& context) const;
  /// The network that the person has named: --network, else `network` of the configuration in
  /// force. nullopt if there is neither.
  [[nodiscard]] expected<std::optional<chain_id>, failure> named_network(
      const run_context& context) const;
  /// The address of a validator: --join, else `join` of the configuration in force, else the
  /// validator of the node whose configuration that is. nullopt if there is none; a refusal if it
  /// is no address.
  [[nodiscard]] expected<std::optional<mesh::host_port>, failure> validator(
      const run_context& context) const;
  /// The same for any role: `given` is the value of `option` on the command line; if it is empty,
  /// the address of `role` in the configuration is taken.
  [[nodiscard]] static expected<std::optional<mesh::host_port>, failure> role(
      const run_context& context, const std::string& option, const std::string& given,
      const std::string& role);
  /// Certificate, key and CA: from the options, else from [tls] of the configuration in force.
  [[nodiscard]] expected<cluster::cluster_identity, failure> identity(
      const run_context& context) const;
};

/// The address in the text of an option, for connecting to it; a refusal that names the option if
/// it is none.
[[nodiscard]] expected<mesh::host_port, failure> remote_at(const std::string& option,
                                                           const std::string& text);

/// Opens the ledger for reading. With --join, or `join` in the configuration and no --ledger, it
/// asks those gateways or that validator. Otherwise it reads the ledger on this machine, and if
/// there is none, it asks the configured validator.
[[nodiscard]] expected<std::unique_ptr<ledger_source>, failure> open_source(
    const run_context& context, const ledger_place& place);

}  // namespace soma::cli
