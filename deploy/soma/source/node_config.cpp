#include "deploy/soma/source/node_config.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "deploy/soma/shell/config.hpp"
#include "deploy/soma/shell/files.hpp"
#include "deploy/soma/shell/options.hpp"
#include "deploy/soma/shell/units.hpp"
#include "deploy/soma/source/table_reader.hpp"
#include "messages/crypto/x509.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

struct config_reader {
  const json& document;
  fs::path folder;
  /// True if a node shall run with it: then what a node needs must be there.
  bool must_be_whole;
  node_config out{};

  outcome node(const fs::path& home) {
    out.home = home;
    table_reader table(document.find("node"), "node", folder);
    table.read("home", out.home);
    for (const auto* verb : {"run", "new-ca", "new-cert"}) table.leave(verb);
    return table.finish();
  }

  outcome tls() {
    const auto* found = document.find("tls");
    if (found == nullptr) return {};
    cluster::cluster_identity identity;
    table_reader table(found, "tls", folder);
    table.read("certificate", identity.certificate);
    table.read("key", identity.key);
    table.read("ca", identity.ca);
    const bool has_all =
        !identity.certificate.empty() && !identity.key.empty() && !identity.ca.empty();
    if (must_be_whole && !has_all) {
      table.refuse("", "all of certificate, key and ca are needed");
    }
    if (auto finished = table.finish(); !finished) return finished;
    out.identity = std::move(identity);
    return {};
  }

  void read_sync(table_reader& table) {
    const auto sync = table.text("sync").value_or("blocks");
    if (sync != "blocks" && sync != "state") table.refuse("sync", "it is neither blocks nor state");
    out.takes_state = sync == "state";
    if (out.takes_state && out.peers.empty()) table.refuse("peers", "sync = \"state\" needs peers");
    const auto snapshots = table.text("snapshots").value_or(out.mesh ? "keep" : "none");
    if (snapshots != "keep" && snapshots != "none") {
      table.refuse("snapshots", "it is neither keep nor none");
    }
    if (snapshots == "keep" && !out.mesh) {
      table.refuse("snapshots", "without a mesh nobody can take them");
    }
    out.keeps_snapshots = snapshots == "keep";
    const auto end = table.text("trusted_end");
    if (!end) return;
    if (!out.takes_state) table.refuse("trusted_end", "it needs sync = \"state\"");
    const auto colon = end->find(':');
    const auto block = colon == end->npos ? std::nullopt : block_id::parse(end->substr(colon + 1));
    std::uint64_t epoch = 0;
    const auto* stop = end->data() + std::min(colon, end->size());
    const auto read = std::from_chars(end->data(), stop, epoch);
    if (!block || read.ec != std::errc() || read.ptr != stop) {
      return table.refuse("trusted_end", "it is not EPOCH:0xBLOCK");
    }
    out.trusted_end = {epoch_number{epoch}, *block};
  }

  void read_validator(table_reader& table) {
    table.read("genesis", out.genesis);
    table.read("key", out.validator_key);
    table.read("votes", out.votes);
    table.read("mesh", out.mesh);
    table.read("peers", out.peers);
    if (!out.peers.empty() && !out.mesh) table.refuse("mesh", "peers need a mesh");
    table.read("block_ms", out.block_ms, 1, 3'600'000);
    out.idle_ms = std::max(out.idle_ms, out.block_ms);
    table.read("idle_ms", out.idle_ms, out.block_ms, 3'600'000);
    table.read("view_timeout_ms", out.view_timeout_ms, 10, 60'000);
    table.read("listen_ms", out.listen_ms, 0, 600'000);
    read_sync(table);
    if (!must_be_whole) return;
    if (out.genesis.empty()) table.refuse("genesis", "a validator needs a genesis");
    if (out.validator_key.empty()) table.refuse("key", "a validator needs a key");
  }

  void read_gateway(table_reader& table) {
    auto& gateway = out.gateway;
    table.read("listen", gateway.listen);
    table.read("certificate", gateway.certificate);
    table.read("key", gateway.key);
    table.read("plain", gateway.plain);
    table.read("proxies", gateway.proxies);
    table.read("names", gateway.names);
    table.read("faucet", gateway.faucet);
    if (const auto text = table.text("faucet_amount")) {
      const auto amount = parse_amount(*text);
      if (!amount || amount->value == 0) table.refuse("faucet_amount", "it is no amount");
      if (amount) gateway.faucet_amount = *amount;
    }
    const auto bytes = [&](const char* name, std::uint64_t& to) {
      byte_count count{to};
      table.read(name, count);
      to = count.value;
    };
    bytes("upload_bytes_per_soma", gateway.upload_per_soma);
    bytes("upload_bytes_most", gateway.upload_most);
    bytes("upload_bytes_all", gateway.upload_all);
    bytes("blob_bytes_per_second", gateway.blobs_per_second);
    bytes("blob_bytes_per_second_host", gateway.blobs_per_second_host);
    table.read("signature_checks_per_second", gateway.checks_per_second, 1, 1'000'000);
    table.read("signature_checks_per_second_host", gateway.checks_per_second_host, 1, 1'000'000);
    table.read("event_streams", gateway.event_streams, 0, 1'000'000);
    if (gateway.certificate.empty() != gateway.key.empty()) {
      table.refuse("", "certificate and key are needed both, or none of them");
    }
    if (gateway.plain && !gateway.certificate.empty()) {
      table.refuse("plain", "plain HTTP has no certificate");
    }
    if (must_be_whole && !gateway.listen) table.refuse("listen", "a gateway needs an address");
  }

  outcome role(const std::string& name, const json& value) {
    table_reader table(&value, "roles." + name, folder);
    if (std::ranges::find(node_roles, name) == node_roles.end()) {
      table.refuse(
          "", "there is no such role" + nearest_of(name, {node_roles.begin(), node_roles.end()}));
      return table.finish();
    }
    role_place place;
    table.read_remote("at", place.at);
    if (place.at && name == "gateway") table.refuse("at", "no role of a node asks a gateway");
    if (place.at) {
      for (const auto& [other, setting] : *value.as_object()) {
        if (other == "at") continue;
        table.refuse(other, "`at` says that the role runs on another machine, which decides this");
      }
    } else {
      // The address of a gateway is not one where CAF listens.
      if (name == "gateway") read_gateway(table);
      if (name != "gateway") table.read("listen", place.listen);
      if (name == "scorer") table.read("workers", out.workers, 0, 256);
      if (name == "blob_store") {
        byte_count quota{out.blob_quota_bytes};
        table.read("quota", quota);
        out.blob_quota_bytes = quota.value;
      }
      if (name == "validator") read_validator(table);
    }
    out.roles.emplace(name, place);
    return table.finish();
  }

  outcome roles() {
    const auto* found = document.find("roles");
    if (found == nullptr) return {};
    if (found->as_object() == nullptr) {
      return failed("the configuration's roles", line_of(*found) + "it is not a table",
                    "write [roles.NAME]");
    }
    for (const auto& [name, value] : *found->as_object()) {
      if (auto done = role(name, value); !done) return done;
    }
    return {};
  }

  /// Refuses two listeners at one address: the second one could not start.
  outcome addresses() const {
    std::vector<std::pair<std::string, mesh::host_port>> all;
    if (out.mesh) all.emplace_back("roles.validator.mesh", *out.mesh);
    if (out.gateway.listen) all.emplace_back("roles.gateway.listen", *out.gateway.listen);
    for (const auto& [name, place] : out.roles) {
      if (place.listen) all.emplace_back("roles." + name + ".listen", *place.listen);
    }
    for (const auto& [name, at] : all) {
      for (const auto& [other, taken] : all) {
        if (&at == &taken) break;
        if (at.port == 0 || at != taken) continue;
        return failed("the configuration's " + name,
                      line_of(*document.find_path(name)) + "it is the address of " + other,
                      "give each its own port");
      }
    }
    return {};
  }

  outcome read(const fs::path& home) {
    auto done = node(home);
    if (done) done = tls();
    if (done) done = roles();
    if (done) done = addresses();
    return done;
  }

  [[nodiscard]] outcome needs(std::string_view role, std::string_view helper) const {
    if (!out.runs(role) || out.roles.contains(helper)) return {};
    return failed(
        "the role " + std::string(helper) + " is missing",
        "the role " + std::string(role) + " needs it",
        "add [roles." + std::string(helper) + "], to run it here or with at = \"tls://HOST:PORT\"");
  }

  outcome check() const {
    if (out.roles.empty()) {
      return failed("there is nothing to run", "the configuration names no role",
                    "add a table such as [roles.scorer]");
    }
    for (const auto& [role, helper] :
         {std::pair{"validator", "target_generator"}, std::pair{"validator", "model_registry"},
          std::pair{"validator", "scorer"}, std::pair{"target_generator", "router"},
          std::pair{"gateway", "validator"}}) {
      if (auto met = needs(role, helper); !met) return met;
    }
    if (out.workers != 0) {
      if (auto met = needs("scorer", "blob_store"); !met) return met;
    }
    const auto has_address = std::ranges::any_of(
        out.roles, [](const auto& one) { return one.second.at || one.second.listen; });
    if (has_address && !out.identity) {
      return failed("the configuration's tls is missing", "roles with an address need mutual TLS",
                    "add [tls] with certificate, key and ca; `soma node new-cert` makes them");
    }
    return {};
  }
};

}  // namespace

expected<node_config, failure> parse_node_config(const json& document, const fs::path& path,
                                                 const fs::path& home) {
  config_reader reader{document, fs::absolute(path).parent_path(), true};
  auto done = reader.read(home);
  if (done) done = reader.check();
  if (done && reader.out.identity) done = check_identity(*reader.out.identity);
  if (!done) return make_unexpected(done.error());
  return std::move(reader.out);
}

outcome check_node_tables(const json& document) {
  return config_reader{document, {}, false}.read({});
}

outcome check_identity(const cluster::cluster_identity& identity) {
  using enum crypto::certificate_refusal;
  const auto checked = crypto::check_certificate(identity.ca, {identity.certificate, identity.key});
  if (checked) return {};
  const auto& [why, file] = checked.error();
  const bool is_ca = file == identity.ca, is_key = file == identity.key;
  const std::string what = is_ca    ? "the authority's certificate "
                           : is_key ? "the key "
                                    : "the certificate ";
  std::string remedy = is_ca
                           ? "name the ca.pem of the cluster; its operator has it"
                           : "name one that `soma node new-cert` made with the cluster's authority";
  if (is_key) remedy = "name the key that `soma node new-cert` wrote beside the certificate";
  if (why == not_readable) remedy = "check that it is a file that you may read";
  if (why == open_to_others) remedy = "keep it for yourself: chmod 600 " + file.string();
  if (why == encrypted_key) remedy = "store it without a passphrase and with mode 600";
  if (why == not_yet_valid) remedy = "check the clock of this machine";
  if (why == expired && is_ca) remedy = "its operator makes a new one with `soma node new-ca`";
  if (why == expired && !is_ca) remedy = "make a new one with `soma node new-cert`";
  if (why == other_ca) remedy = "make one with that authority, or name the other one's ca.pem";
  return failed("cannot use " + what + file.string(), std::string(crypto::to_text(why)), remedy);
}

}  // namespace soma::cli
