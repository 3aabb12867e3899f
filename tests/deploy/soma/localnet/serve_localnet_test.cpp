// `soma localnet --serve`: a network in real time that a stranger can talk to.
#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "actors/http/client.hpp"
#include "messages/json/json.hpp"
#include "tests/deploy/soma/binary.hpp"
#include "tests/support/free_ports.hpp"

using namespace soma;
using namespace soma::support;

namespace {

/// The address that a node prints for its gateway, once it listens.
std::string gateway_of(const running_program& node) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (std::chrono::steady_clock::now() < deadline) {
    const auto out = node.out();
    const auto at = out.find("https://");
    const auto end = out.find('\n', at);
    if (at != out.npos && end != out.npos) return out.substr(at, end - at);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  FAIL("the node prints no address of a gateway: " << node.err());
  return {};
}

class stranger {
 public:
  explicit stranger(const std::string& address)
      : client_(http::client_options{http::parse_origin(address).value(), {}, {}}) {}

  /// The status, and the document.
  std::pair<unsigned, json::value> ask(http::method verb, const std::string& target,
                                       const std::string& body = "") {
    http::client_request request;
    request.verb = verb;
    request.target = target;
    if (!body.empty()) request.body = std::make_shared<const bytes>(body.begin(), body.end());
    const auto answer = client_.send(request);
    if (!answer) FAIL("no answer to " << target << ": " << answer.error().why);
    const auto text = answer->body_view();
    auto document = json::parse({reinterpret_cast<const char*>(text.data()), text.size()});
    REQUIRE(document);
    return {answer->status, std::move(*document)};
  }
  std::string member(const std::string& target, std::string_view path) {
    const auto [status, document] = ask(http::method::get, target);
    CAPTURE(document.text());
    REQUIRE(status == 200);
    const auto* found = document.find_path(path);
    REQUIRE(found != nullptr);
    return found->plain();
  }
  /// Asks the faucet, and waits until a block has the gift.
  void take_gift(const std::string& to) {
    const auto [status, document] =
        ask(http::method::post, "/v1/faucet", "{\"address\": \"" + to + "\"}");
    CAPTURE(document.text());
    REQUIRE(status == 202);
    const auto id = document.find("transaction")->plain();
    CHECK(member("/v1/transactions/" + id + "?wait=20000", "state") == "applied");
  }

 private:
  http::client client_;
};

std::string person(char digit) {
  return "0x" + std::string(64, digit);
}

}  // namespace

TEST_CASE("a stranger gets money from a served network, also after it was started again") {
  const soma_user user;
  const auto listen = "127.0.0.1:" + std::to_string(free_ports(1));
  std::string address;
  {
    running_program node(user.folder().path(),
                         soma_user::command({"localnet", "--epochs", "0", "--serve", listen}));
    address = gateway_of(node);
    stranger someone(address);
    CHECK(someone.member("/v1/network", "name") == "localnet-0");
    someone.take_gift(person('1'));
    CHECK(someone.member("/v1/accounts/" + person('1'), "row.balance_shannons") == "10000000000");
    const auto [status, refused] =
        someone.ask(http::method::post, "/v1/faucet", "{\"address\": \"" + person('1') + "\"}");
    CHECK(status == 429);
    CHECK(refused.find_path("error.code")->plain() == "faucet_waits");
    node.send(SIGTERM);
    CHECK(node.wait().exit_code == 0);
  }
  running_program again(
      user.folder().path(),
      soma_user::command({"node", "run", "--config", user.at(".soma/localnet/node.toml")}));
  CHECK(gateway_of(again) == address);
  stranger someone(address);
  someone.take_gift(person('2'));
  CHECK(someone.member("/v1/accounts/" + person('1'), "row.balance_shannons") == "10000000000");
  CHECK(someone.member("/v1/accounts/" + person('2'), "row.balance_shannons") == "10000000000");
  again.send(SIGTERM);
  CHECK(again.wait().exit_code == 0);
}

TEST_CASE("what cannot be served is refused before anything begins") {
  const soma_user user;
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"--epochs", "0"},
        {"--epochs", "0", "--serve", "nowhere"},
        {"--epochs", "0", "--serve", "127.0.0.1:7080", "--validators", "2"},
        {"--epochs", "2", "--serve", "127.0.0.1:7080"}}) {
    auto all = words;
    all.insert(all.begin(), "localnet");
    const auto done = user.run(all);
    CAPTURE(done.err);
    CHECK(done.exit_code == 2);
    CHECK(is_one_line(done.err));
    CHECK(!std::filesystem::exists(user.at(".soma/localnet")));
  }
}
