#include "deploy/soma/genesis/network_homes.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "deploy/soma/genesis/voting_home.hpp"
#include "messages/codec/codec.hpp"
#include "messages/crypto/key_file.hpp"
#include "messages/crypto/public_tls/certificate.hpp"
#include "messages/crypto/x509.hpp"
#include "messages/signing/signing.hpp"
#include "storage/files/durable.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t ports_a_node = 2;
constexpr std::uint32_t ports_a_gateway = 3;
constexpr std::uint32_t max_port = 65'535;
constexpr std::uint32_t max_followers = 1'000;

unexpected<failure> cannot_make(const fs::path& what, std::string why) {
  return failed("cannot make " + what.string(), std::move(why),
                "name another --output-dir, or make room");
}

outcome write_file(const fs::path& path, const void* data, std::size_t size) {
  return write_named_file(path, byte_view(static_cast<const std::uint8_t*>(data), size), false);
}

outcome check(const network_plan& plan) {
  const auto help = "see `soma genesis new --help`";
  if (plan.validators < 1 || plan.validators > max_committee) {
    return wrong_usage("--validators", "it is not between 1 and " + std::to_string(max_committee),
                       help);
  }
  if (plan.followers > max_followers) {
    return wrong_usage("--followers", "it is above " + std::to_string(max_followers), help);
  }
  if (plan.gateways > max_followers) {
    return wrong_usage("--gateways", "it is above " + std::to_string(max_followers), help);
  }
  const auto nodes = plan.validators + plan.followers + plan.gateways;
  if (plan.hosts.size() != 1 && plan.hosts.size() != nodes) {
    return wrong_usage(
        "--host",
        "there are " + std::to_string(plan.hosts.size()) + " hosts for " + std::to_string(nodes) +
            " nodes",
        "give one for all of them, or one for each: validators, followers, gateways");
  }
  for (const auto& host : plan.hosts) {
    if (const auto at = mesh::parse_remote(host + ":1"); !at) {
      return wrong_usage("--host", "`" + host + "`: " + std::string(to_text(at.error())),
                         "write it as 10.0.0.5, node.example or [::1]");
    }
  }
  if (plan.first_port < 1 ||
      plan.first_port + ports_a_node * nodes + plan.gateways - 1 > max_port) {
    return wrong_usage("--port", "some port would not be between 1 and " + std::to_string(max_port),
                       help);
  }
  std::error_code ignored;
  const bool is_there = fs::exists(plan.folder, ignored);
  if (is_there && !fs::is_empty(plan.folder, ignored)) {
    if (!plan.replaces) {
      return failed("cannot make " + plan.folder.string(), "it exists",
                    "name another folder, or add --force");
    }
    // It replaces only a folder that it once made, so that a mistyped name does not delete other
    // files.
    if (!fs::exists(plan.folder / "genesis.bin", ignored) ||
        !fs::exists(plan.folder / "validator-1" / "node.toml", ignored)) {
      return failed("cannot replace " + plan.folder.string(), "it does not hold a network",
                    "name another folder");
    }
  }
  return {};
}

}  // namespace

network_homes::~network_homes() {
  std::error_code left;
  if (!building_.empty()) fs::remove_all(building_, left);
}

expected<network_homes, failure> network_homes::begin(network_plan plan) {
  plan.folder = fs::absolute(plan.folder).lexically_normal();
  if (!plan.folder.has_filename()) plan.folder = plan.folder.parent_path();
  if (auto checked = check(plan); !checked) return make_unexpected(checked.error());
  network_homes made(std::move(plan));
  const auto& p = made.plan_;
  if (auto locked = made.lock_old_homes(); !locked) return make_unexpected(locked.error());
  std::error_code error;
  fs::create_directories(p.folder.parent_path(), error);
  if (error) return cannot_make(p.folder.parent_path(), error.message());
  // A name that no other folder has: what somebody else made there stays as it is.
  auto pattern =
      (p.folder.parent_path() / ("." + p.folder.filename().string() + ".XXXXXX")).string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    return cannot_make(pattern, std::generic_category().message(errno));
  }
  const fs::path building = pattern;
  made.building_ = building;
  if (auto ca = crypto::make_ca(building / "ca"); !ca) {
    return cannot_make(building / "ca", std::string(to_text(ca.error().why)));
  }
  for (const auto& [kind, count] :
       {std::pair{"validator", p.validators}, std::pair{"follower", p.followers},
        std::pair{"gateway", p.gateways}}) {
    for (std::uint32_t i = 1; i <= count; ++i) {
      if (auto one = made.make_home(kind, i); !one) return make_unexpected(one.error());
    }
  }
  return made;
}

outcome network_homes::lock_old_homes() {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(plan_.folder, none)) {
    std::error_code ignored;
    if (!fs::exists(entry.path() / "node.toml", ignored)) continue;
    auto lock = folder_lock::take(
        entry.path() / home_lock_name,
        {"cannot replace " + plan_.folder.string(),
         "the node in " + entry.path().filename().string() + " runs", "stop it first"});
    if (!lock) return make_unexpected(lock.error());
    old_homes_.push_back(std::move(*lock));
  }
  return {};
}

/// Makes the certificate whose key clients of a gateway pin.
outcome network_homes::make_gateway(network_home& home, std::uint16_t port) const {
  const crypto::certificate_files files{building_ / home.name / "gateway.pem",
                                        building_ / home.name / "gateway.key"};
  std::vector<std::string> names{home.mesh.host};
  if (home.mesh.host != "localhost") names.emplace_back("localhost");
  const auto made = public_tls::make_self_signed(files, names);
  const auto pin = made ? public_tls::pin_of(files.certificate) : make_unexpected(made.error());
  if (!pin) return cannot_make(pin.error().file, std::string(to_text(pin.error().why)));
  const mesh::host_port at{home.mesh.host, port};
  home.gateway = {at, "https://" + to_text(at) + "#" + to_hex(pin->view())};
  return {};
}

outcome network_homes::make_home(const std::string& kind, std::uint32_t number_of_kind) {
  network_home home;
  const auto name = kind + "-" + std::to_string(number_of_kind);
  home.name = name;
  home.is_validator = kind == "validator";
  const auto& text = plan_.hosts[plan_.hosts.size() == 1 ? 0 : homes_.size()];
  const auto host = mesh::parse_remote(text + ":1").value().host;  // without brackets
  auto port = plan_.first_port;
  for (const auto& other : homes_) {
    if (other.mesh.host == host) port += other.gateway ? ports_a_gateway : ports_a_node;
  }
  home.mesh = {host, static_cast<std::uint16_t>(port)};
  home.door = {host, static_cast<std::uint16_t>(port + 1)};
  const auto folder = building_ / name;
  std::error_code error;
  fs::create_directories(folder / "tls", error);
  fs::permissions(folder, fs::perms::owner_all, error);
  if (error) return cannot_make(folder, error.message());
  crypto::system_random random;
  const auto key = crypto::key_pair::generate(random);
  if (auto saved = crypto::save_key(folder / "validator.key", key, std::nullopt); !saved) {
    return cannot_make(folder / "validator.key", std::string(crypto::to_text(saved.error())));
  }
  home.key = key.public_half();
  if (auto made = crypto::make_certificate(building_ / "ca", name, folder / "tls"); !made) {
    return cannot_make(folder / "tls", std::string(to_text(made.error().why)));
  }
  fs::copy_file(building_ / "ca" / "ca.pem", folder / "tls" / "ca.pem", error);
  if (error) return cannot_make(folder / "tls" / "ca.pem", error.message());
  if (kind == "gateway") {
    auto made = make_gateway(home, static_cast<std::uint16_t>(port + ports_a_node));
    if (!made) return made;
  }
  homes_.push_back(std::move(home));
  return {};
}

std::string network_homes::config_of(const network_home& home, const soma::genesis& genesis) const {
  std::string peers;
  for (const auto& other : homes_) {
    if (other.key == home.key || !other.is_validator) continue;
    peers += "  \"0x" + to_hex(other.key) + "@" + to_text(other.mesh) + "\",\n";
  }
  return "# " + home.name + " of the network " + genesis.name + ", chain " +
         signing::chain_id_of(genesis).text() + "\n" +
         "[node]\n"
         "home = \".\"\n\n"
         "[tls]\n"
         "certificate = \"tls/" +
         home.name +
         ".pem\"\n"
         "key = \"tls/" +
         home.name +
         ".key\"\n"
         "ca = \"tls/ca.pem\"\n\n"
         "[roles.blob_store]\n"
         "[roles.scorer]\n"
         "workers = 1\n"
         "[roles.model_registry]\n"
         "[roles.router]\n"
         "[roles.target_generator]\n\n"
         "[roles.validator]\n"
         "listen = \"" +
         to_text(home.door) +
         "\"  # for the verbs of its operator\n"
         "mesh = \"" +
         to_text(home.mesh) +
         "\"  # for the other nodes\n"
         "genesis = \"genesis.bin\"\n"
         "key = \"validator.key\"\n"
         "# sync = \"state\"  # takes a snapshot from the others instead of executing all blocks\n"
         "peers = [\n" +
         peers + "]\n" +
         (home.gateway ? "\n[roles.gateway]\nlisten = \"" + to_text(home.gateway->at) +
                             "\"  # for everybody, as " + home.gateway->address + "\n"
                       : "");
}

outcome network_homes::finish(const soma::genesis& genesis) {
  const auto content = encode(genesis);
  auto done = write_file(building_ / "genesis.bin", content.data(), content.size());
  for (const auto& home : homes_) {
    if (!done) break;
    const auto folder = building_ / home.name;
    const auto config = config_of(home, genesis);
    done = write_file(folder / "node.toml", config.data(), config.size());
    if (done) done = write_file(folder / "genesis.bin", content.data(), content.size());
    if (done) {
      done =
          make_voting_record(votes_beside(folder / "validator.key", signing::chain_id_of(genesis)),
                             signing::chain_id_of(genesis), home.key);
    }
  }
  return done ? put_in_place() : done;
}

outcome network_homes::put_in_place() {
  // begin() has checked that the folder is empty or may be replaced. The two change places in one
  // step, so that the old network is there until the new one is.
  std::error_code error;
  fs::permissions(building_, fs::perms(0755), error);
  try {
    files::replace_directory(building_, plan_.folder);
  } catch (const std::exception& failed_with) {
    return cannot_make(plan_.folder, reason_of(failed_with));
  }
  fs::remove_all(std::exchange(building_, {}), error);
  return {};
}

json homes_json(const network_homes& homes, const fs::path& folder) {
  auto list = json::list();
  for (const auto& home : homes.all()) {
    auto one = json::of({{"name", home.name},
                         {"folder", (folder / home.name).string()},
                         {"validator", home.is_validator},
                         {"key", "0x" + to_hex(home.key)},
                         {"mesh", to_text(home.mesh)},
                         {"listen", to_text(home.door)}});
    if (home.gateway) one.set("gateway", home.gateway->address);
    list.push(std::move(one));
  }
  return list;
}

}  // namespace soma::cli
