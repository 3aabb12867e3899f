// A node with a gateway as a process, and curl as a client that knows nothing but the address.
#include <doctest/doctest.h>
#include <signal.h>

#include <fstream>
#include <memory>

#include "actors/gateway/endpoints.hpp"
#include "messages/values/bytes.hpp"
#include "tests/functional/cluster.hpp"
#include "tests/support/free_ports.hpp"

using namespace soma;
using namespace soma::support;

namespace {

std::string base64_of(byte_view data) {
  constexpr std::string_view letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < data.size(); i += 3) {
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k)
      three = three << 8U | (i + k < data.size() ? data[i + k] : 0U);
    for (std::size_t k = 0; k < 4; ++k) {
      out += i + k <= data.size() ? letters[three >> (18 - 6 * k) & 63U] : '=';
    }
  }
  return out;
}

/// The only validator of a network whose epochs take two seconds, with a gateway.
struct gateway_node {
  soma_user user;
  std::unique_ptr<running_program> running;
  std::string address;

  gateway_node() {
    const auto ports = free_ports(3);
    const auto made = user.run({"genesis", "new", "--validators", "1", "--arch", "2,16,2,32,32",
                                "--epoch-seconds", "2", "--port", std::to_string(ports),
                                "--output-dir", user.at("net")});
    REQUIRE_MESSAGE(made.exit_code == 0, made.err);
    std::ofstream(config(), std::ios::app)
        << "\n[roles.gateway]\nlisten = \"127.0.0.1:" << ports + 2 << "\"\n";
  }
  [[nodiscard]] std::string config() const { return user.at("net/validator-1/node.toml"); }
  void start() {
    running = std::make_unique<running_program>(
        user.folder().path(), soma_user::command({"node", "run", "--json", "--config", config()}));
    std::optional<parsed_json> told;
    const auto came = comes_true([&] { return (told = parse_json(running->out())).has_value(); });
    REQUIRE_MESSAGE(came, running->err());
    for (const auto& one : (*told)["roles"].elements) {
      if (one["name"].text == "gateway") address = one["listen"].text;
    }
  }
  void kill() const {
    running->send(SIGKILL);
    (void)running->wait();
  }
  [[nodiscard]] std::string url() const { return address.substr(0, address.find('#')); }
  [[nodiscard]] std::vector<std::string> curl(std::vector<std::string> words) const {
    const auto pin = "sha256//" + base64_of(*from_hex(address.substr(address.find('#') + 1)));
    words.insert(words.begin(),
                 {"/usr/bin/curl", "-sSk", "--max-time", "30", "--pinnedpubkey", pin});
    return words;
  }
  [[nodiscard]] finished_program ask(std::vector<std::string> words) const {
    return run_program(user.folder().path(), curl(std::move(words)));
  }
};

std::vector<std::string> places_in(const std::string& stream) {
  std::vector<std::string> places;
  for (auto at = stream.find("id: "); at != stream.npos; at = stream.find("id: ", at + 1)) {
    const auto end = stream.find("\n\n", at);
    if (end == stream.npos) break;  // it came in part
    places.push_back(stream.substr(at + 4, stream.find('\n', at) - at - 4));
  }
  return places;
}

}  // namespace

TEST_CASE("curl asks every endpoint with the pin, and a stream goes on after a kill of the node") {
  gateway_node node;
  node.start();
  // Rows have proofs from the first block on.
  REQUIRE(comes_true([&] {
    return node.ask({"-w", "%{http_code}", "-o", "/dev/null", node.url() + "/v1/models"}).out ==
           "200";
  }));
  for (const auto& one : gateway::endpoints()) {
    std::string path(one.path);
    for (auto at = path.find('{'); at != path.npos; at = path.find('{')) {
      const bool is_hex = one.path.find("/rows/") != one.path.npos;
      const bool is_number = path.substr(at).starts_with("{height}") ||
                             path.substr(at).starts_with("{epoch}") ||
                             path.substr(at).starts_with("{number}");
      const bool is_name = one.path.find("/listings/") != one.path.npos;
      path.replace(at, path.find('}') - at + 1,
                   is_number ? "0"
                   : is_name ? "target-counts"
                   : is_hex  ? "0x01"
                             : "0x" + std::string(64, '1'));
    }
    CAPTURE(path);
    std::vector<std::string> words{"-H", "Accept: application/json", "-w", " %{http_code}",
                                   node.url() + path};
    if (one.verb == http::method::post) words.insert(words.end(), {"--data", "{}"});
    if (one.verb == http::method::put) {
      words.insert(words.end(), {"--request", "PUT", "--data", "{}"});
    }
    const auto got = node.ask(words);
    REQUIRE_MESSAGE(got.exit_code == 0, got.err);
    const auto status = got.out.substr(got.out.rfind(' ') + 1);
    const bool needs_account = one.verb == http::method::put;
    CHECK((status[0] == '2' || status == "404" || status == (needs_account ? "401" : "400")));
    CHECK(parse_json(got.out.substr(0, got.out.rfind(' '))).has_value());
  }
  auto other = node.curl({node.url() + "/v1/network"});
  other[5] = "sha256//" + base64_of(bytes(32));
  CHECK(run_program(node.user.folder().path(), other).exit_code == 90);

  const auto first = node.address;
  running_program before(node.user.folder().path(),
                         node.curl({"-N", node.url() + "/v1/events?from=0:0"}));
  REQUIRE(comes_true([&] { return places_in(before.out()).size() >= 3; }));
  node.kill();
  (void)before.wait();
  auto seen = places_in(before.out());
  node.start();
  CHECK(node.address == first);  // the same pin and port
  running_program after(
      node.user.folder().path(),
      node.curl({"-N", "-H", "Last-Event-ID: " + seen.back(), node.url() + "/v1/events"}));
  REQUIRE(comes_true([&] { return places_in(after.out()).size() >= 3; }));
  for (const auto& place : places_in(after.out())) seen.push_back(place);
  const auto page =
      node.ask({"-H", "Accept: application/json",
                node.url() + "/v1/events?from=0:0&limit=" + std::to_string(seen.size())});
  std::vector<std::string> all;
  const auto document = parse_json(page.out);
  REQUIRE_MESSAGE(document.has_value(), page.out);
  for (const auto& one : (*document)["events"].elements) all.push_back(one["place"].text);
  CHECK(seen == all);
}
