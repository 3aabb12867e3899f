#include "deploy/soma/network/ledger_place.hpp"

#include "deploy/soma/network/network_connection.hpp"
#include "deploy/soma/shell/files.hpp"
#include "deploy/soma/source/node_config.hpp"
#include "deploy/soma/source/stored_ledger.hpp"

namespace soma::cli {
namespace {

const std::string* text_at(const json& config, std::string_view dotted) {
  const auto* found = config.find_path(dotted);
  return found == nullptr ? nullptr : found->as_string();
}

/// What the person has named at the top of the configuration; checked when it was read.
std::string configured(const run_context& context, std::string_view name) {
  const auto* text = text_at(context.config, name);
  return text == nullptr ? std::string() : *text;
}

}  // namespace

void ledger_place::declare(option_set& options) {
  add_ledger_option(options, ledger);
  options
      .add(
          "join", join,
          "ask these gateways, https://HOST:PORT[#PIN], separated by commas, or the validator that "
          "listens at HOST:PORT; default: `join` of the configuration, or the validator of "
          "--config")
      .shown_as("ADDRESS");
  options
      .add("network", network,
           "chain id of the network to believe, for gateways; default: `network` of the "
           "configuration, or the network that the home knows, or the gateway's, which the home "
           "then remembers")
      .shown_as("HASH");
  options
      .add(
          "trusted-end", trusted_end,
          "EPOCH:0xBLOCK, the block that closed an epoch, from somebody you trust; for gateways to "
          "a network that was not followed for a long time")
      .shown_as("END");
  options.add("unverified", unverified, "believe gateways without proofs: they may lie");
  options.add("certificate", certificate,
              "certificate of this process, for --join of a validator; default: [tls] of --config; "
              "see `soma node new-cert`");
  options.add("certificate-key", certificate_key, "key of the certificate");
  options.add("ca", ca, "certificate of the operator's authority");
}

expected<std::vector<http::origin>, failure> ledger_place::gateways(
    const run_context& context) const {
  const bool is_given = !join.empty();
  const auto text = is_given ? join : configured(context, "join");
  if (!names_gateways(text)) return std::vector<http::origin>{};
  return parse_gateways(is_given ? "--join" : "the configuration's join", text);
}

expected<std::optional<chain_id>, failure> ledger_place::named_network(
    const run_context& context) const {
  const bool is_given = !network.empty();
  const auto text = is_given ? network : configured(context, "network");
  if (text.empty()) return std::optional<chain_id>{};
  if (const auto read = chain_id::parse(text)) return std::optional(*read);
  return wrong_usage(is_given ? "--network" : "the configuration's network",
                     "`" + text + "` is not a chain id",
                     "write its 64 hex digits; `soma status` of the network shows them");
}

expected<mesh::host_port, failure> remote_at(const std::string& option, const std::string& text) {
  const auto at = mesh::parse_remote(text);
  if (at) return *at;
  return wrong_usage(option, "`" + text + "`: " + std::string(mesh::to_text(at.error())),
                     std::string(mesh::how_to_write_address));
}

expected<std::optional<mesh::host_port>, failure> ledger_place::role(const run_context& context,
                                                                     const std::string& option,
                                                                     const std::string& given,
                                                                     const std::string& role) {
  if (!given.empty()) {
    const auto at = remote_at(option, given);
    if (!at) return make_unexpected(at.error());
    return std::optional(*at);
  }
  for (const auto* name : {".at", ".listen"}) {
    const auto* text = text_at(context.config, "roles." + role + name);
    if (text == nullptr) continue;
    const auto at = mesh::parse_host_port(*text);
    if (!at) {
      return failed("the configuration's roles." + role + name,
                    "`" + *text + "`: " + std::string(mesh::to_text(at.error())),
                    std::string(mesh::how_to_write_address));
    }
    if (at->port != 0) return std::optional(*at);
  }
  return std::optional<mesh::host_port>{};
}

expected<std::optional<mesh::host_port>, failure> ledger_place::validator(
    const run_context& context) const {
  if (join.empty()) {
    const auto named = configured(context, "join");
    if (!named.empty()) return role(context, "the configuration's join", named, "validator");
  }
  return role(context, "--join", join, "validator");
}

expected<cluster::cluster_identity, failure> ledger_place::identity(
    const run_context& context) const {
  cluster::cluster_identity found{certificate, certificate_key, ca};
  for (const auto& [name, path] :
       {std::pair{"tls.certificate", &found.certificate}, std::pair{"tls.key", &found.key},
        std::pair{"tls.ca", &found.ca}}) {
    const auto* text = text_at(context.config, name);
    if (path->empty() && text != nullptr) *path = path_beside(context.config_path, *text);
  }
  if (found.certificate.empty() || found.key.empty() || found.ca.empty()) {
    return wrong_usage(
        "a validator answers over mutual TLS only",
        "all of --certificate, --certificate-key and --ca are needed",
        "`soma node new-cert` makes them; they can also stand in [tls] of --config; a "
        "gateway, --join https://HOST:PORT, needs none");
  }
  if (auto checked = check_identity(found); !checked) return make_unexpected(checked.error());
  return found;
}

expected<std::unique_ptr<ledger_source>, failure> open_source(const run_context& context,
                                                              const ledger_place& place) {
  const bool names_network =
      !place.join.empty() || (place.ledger.empty() && !configured(context, "join").empty());
  bool asks = names_network;
  if (!asks && place.ledger.empty() && !find_ledger(context, {})) {
    const auto validator = place.validator(context);
    if (!validator) return make_unexpected(validator.error());
    asks = validator->has_value();
  }
  if (!asks) return open_stored_source(context, place.ledger);
  auto connected = network_connection::open(context, place);
  if (!connected) return make_unexpected(connected.error());
  return std::unique_ptr<ledger_source>(std::move(*connected));
}

}  // namespace soma::cli
