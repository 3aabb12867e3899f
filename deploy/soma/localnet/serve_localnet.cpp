#include "deploy/soma/localnet/serve_localnet.hpp"

#include "actors/localnet/localnet_genesis.hpp"
#include "actors/mesh/host_port.hpp"
#include "deploy/soma/node/run_node.hpp"
#include "deploy/soma/shell/config.hpp"
#include "deploy/soma/shell/files.hpp"
#include "messages/codec/codec.hpp"
#include "messages/crypto/key_file.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

std::string config_text(const mesh::host_port& at) {
  return "# A local network in real time. `soma node run --config` starts it again.\n"
         "[node]\n"
         "home = \".\"\n\n"
         "[roles.blob_store]\n"
         "[roles.scorer]\n"
         "workers = 1\n"
         "[roles.model_registry]\n"
         "[roles.router]\n"
         "[roles.target_generator]\n\n"
         "[roles.validator]\n"
         "genesis = \"genesis.bin\"\n"
         "key = \"validator.key\"\n\n"
         "[roles.gateway]\n"
         "listen = \"" +
         to_text(at) +
         "\"\n"
         "faucet = \"faucet.key\"\n";
}

outcome save(const fs::path& file, const crypto::key_pair& key) {
  auto saved = crypto::save_key(file, key, std::nullopt);
  if (saved) return {};
  return failed("cannot make " + file.string(), std::string(crypto::to_text(saved.error())),
                "make room there, or choose another --home");
}

}  // namespace

outcome check_served(const std::string& address, std::uint32_t validators) {
  if (validators != 1) {
    return wrong_usage("--serve", "a network that is served has one validator",
                       "leave --validators out; `soma genesis new --output-dir` makes a network of "
                       "several processes");
  }
  const auto at = mesh::parse_host_port(address);
  if (at) return {};
  return wrong_usage("--serve", "`" + address + "`: " + std::string(mesh::to_text(at.error())),
                     std::string(mesh::how_to_write_address));
}

outcome serve_localnet(const run_context& context, const fs::path& directory,
                       const soma::genesis& genesis, std::uint64_t seed,
                       const std::string& address) {
  const auto config_file = directory / "node.toml";
  const auto text = config_text(mesh::parse_host_port(address).value());
  auto done = write_named_file(directory / "genesis.bin", encode(genesis), true);
  if (done) done = write_named_file(config_file, as_bytes(text), true);
  if (done) done = save(directory / "validator.key", localnet::validator_key(seed, 0));
  if (done) done = save(directory / "faucet.key", localnet::faucet_key(seed));
  if (!done) return done;
  const auto document = parse_config(text, config_file.string());
  if (!document) return make_unexpected(document.error());
  const auto config = parse_node_config(*document, config_file, directory);
  if (!config) return make_unexpected(config.error());
  return run_node(context, *config);
}

}  // namespace soma::cli
