#include "deploy/soma/node/node_gateway.hpp"

#include <doctest/doctest.h>

#include <caf/exit_reason.hpp>
#include <filesystem>
#include <fstream>

#include "actors/http/client.hpp"
#include "deploy/soma/shell/config.hpp"
#include "messages/crypto/public_tls/certificate.hpp"
#include "tests/support/program.hpp"

using namespace soma;
using namespace soma::cli;
namespace fs = std::filesystem;

namespace {

/// A node without a validator, which is all that a gateway needs in order to listen.
struct lone_process {
  support::scratch_folder folder;
  supervised_process process{std::nullopt};
  node_config config;
  std::vector<gateway::gateway_actor> roles;

  lone_process() {
    config.home = folder.path();
    config.gateway.listen = mesh::host_port{"127.0.0.1", 0};
  }
  ~lone_process() {
    // The process waits for its roles, also when a test has failed before it has ended them.
    for (const auto& role : roles) caf::anon_send_exit(role, caf::exit_reason::user_shutdown);
  }
  expected<started_gateway, supervisor::role_failure> start() {
    auto started = start_gateway(config, process, {});
    if (started) roles.push_back(started->role);
    return started;
  }
  /// Starts and ends a gateway, and gives its address.
  std::string address_of_one_start() {
    const auto started = start();
    REQUIRE(started.has_value());
    CHECK(support::read_text(folder / "gateway.address") == started->door.address + "\n");
    caf::anon_send_exit(started->role, caf::exit_reason::user_shutdown);
    return started->door.address;
  }
  std::string refusal() {
    const auto started = start();
    REQUIRE(!started.has_value());
    CHECK(started.error().role == "gateway");
    return started.error().why;
  }
};

std::string pin_in(const std::string& address) {
  return address.substr(address.find('#') + 1);
}

}  // namespace

TEST_CASE("a node makes its gateway's certificate once, and the address pins its key") {
  lone_process node;
  const auto first = node.start();
  REQUIRE(first.has_value());
  const auto& address = first->door.address;
  CHECK(first->door.name == "gateway");
  CHECK(first->door.at.port != 0);
  CHECK(address.starts_with("https://127.0.0.1:" + std::to_string(first->door.at.port) + "#"));
  CHECK("0x" + pin_in(address) == public_tls::pin_of(node.folder / "gateway.pem")->text());
  const auto key_mode = fs::status(node.folder / "gateway.key").permissions();
  CHECK((key_mode & (fs::perms::group_all | fs::perms::others_all)) == fs::perms::none);

  http::client_options how;
  how.server = *http::parse_origin(address);
  http::client client(how);
  const auto got = client.send({http::method::get, "/openapi.json", {}, nullptr});
  REQUIRE_MESSAGE(got.has_value(), got.error().why);
  CHECK(got->status == 200);
  caf::anon_send_exit(first->role, caf::exit_reason::user_shutdown);

  CHECK(pin_in(node.address_of_one_start()) == pin_in(address));
  fs::remove(node.folder / "gateway.pem");  // a new certificate for the same key
  CHECK(pin_in(node.address_of_one_start()) == pin_in(address));
}

TEST_CASE("the operator's own certificate is used, and no other is made") {
  lone_process node;
  const crypto::certificate_files own{node.folder / "own.pem", node.folder / "own.key"};
  REQUIRE(public_tls::make_self_signed(own, {"gateway.example"}));
  node.config.gateway.certificate = own.certificate;
  node.config.gateway.key = own.key;
  CHECK("0x" + pin_in(node.address_of_one_start()) == public_tls::pin_of(own.certificate)->text());
  CHECK(!fs::exists(node.folder / "gateway.pem"));
}

TEST_CASE("a plain gateway has no certificate and no pin") {
  lone_process node;
  node.config.gateway.plain = true;
  const auto address = node.address_of_one_start();
  CHECK(address.starts_with("http://127.0.0.1:"));
  CHECK(address.find('#') == address.npos);
  CHECK(!fs::exists(node.folder / "gateway.pem"));
}

TEST_CASE("what keeps a gateway from starting is named") {
  lone_process taken;
  const auto first = taken.start();
  REQUIRE(first.has_value());
  taken.config.gateway.listen->port = first->door.at.port;
  CHECK(taken.refusal().find("cannot listen at 127.0.0.1:") != std::string::npos);
  caf::anon_send_exit(first->role, caf::exit_reason::user_shutdown);

  lone_process broken;
  std::ofstream(broken.folder / "gateway.pem") << "no certificate";
  std::ofstream(broken.folder / "gateway.key") << "no key";
  const auto why = broken.refusal();
  CHECK(why.find("cannot use the certificate") != std::string::npos);
  CHECK(why.find("gateway.") != std::string::npos);

  lone_process misnamed;
  misnamed.config.gateway.names = {"no name"};
  CHECK(misnamed.refusal().find("cannot make a certificate") != std::string::npos);
}

TEST_CASE("a node.toml says how many signatures a gateway checks") {
  const auto read = [](const std::string& options) {
    const auto text =
        "[roles.blob_store]\n[roles.scorer]\n[roles.model_registry]\n[roles.router]\n"
        "[roles.target_generator]\n[roles.validator]\ngenesis = \"g\"\nkey = \"k\"\n"
        "[roles.gateway]\nlisten = \"127.0.0.1:0\"\n" +
        options;
    const auto document = parse_config(text, "node.toml");
    REQUIRE(document.has_value());
    return parse_node_config(*document, "node.toml", "/nowhere");
  };
  const auto usual = read("");
  REQUIRE_MESSAGE(usual.has_value(), usual.error().why);
  const auto checks = gateway::gateway_options{}.signature_checks;
  CHECK(usual->gateway.checks_per_second == checks.all_per_second);
  CHECK(usual->gateway.checks_per_second_host == checks.host_per_second);
  const auto set = read("signature_checks_per_second = 50\nsignature_checks_per_second_host = 5\n");
  REQUIRE(set.has_value());
  CHECK(set->gateway.checks_per_second == 50);
  CHECK(set->gateway.checks_per_second_host == 5);
  CHECK(!read("signature_checks_per_second = 0\n"));
}
