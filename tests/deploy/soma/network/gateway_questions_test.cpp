// Proofs that a person passes on, and explanations, through a gateway.
#include <doctest/doctest.h>

#include "deploy/soma/network/gateway_ledger.hpp"
#include "tests/deploy/soma/binary.hpp"
#include "tests/deploy/soma/network/network_gateway.hpp"

using namespace soma;
using soma::support::parse_json;
using soma::support::says;
using soma::support::soma_user;
using soma::test::network_gateway;

namespace {

/// Puts `with` at each place of `what` in the body of the answer.
void replace_in(http::response& made, std::string_view what, std::string_view with) {
  std::string text(made.body->begin(), made.body->end());
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  made.body = std::make_shared<const bytes>(text.begin(), text.end());
}

}  // namespace

TEST_CASE("a row is proven through a gateway, and the file is checked without it") {
  network_gateway network;
  const soma_user user;
  const auto rich = test::address_of(1).text();
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"--join", network.address(), "--json"});
    return user.run(words);
  };
  const auto made = run({"prove", rich.substr(0, 12), "-o", user.at("row.proof")});
  REQUIRE_MESSAGE(made.exit_code == 0, made.err);
  const auto shown = parse_json(made.out).value();
  CHECK(shown["present"].text == "true");
  CHECK(shown["state_root"].text == network.chain.headers.back().state_root.text());
  const auto checked = user.run({"verify-proof", user.at("row.proof"), "--json"});
  CHECK(checked.exit_code == 0);
  CHECK(parse_json(checked.out).value()["key"].text == shown["key"].text);
  // The absence of a row is proven in the same way.
  const auto nobody = test::address_of(77).text();
  const auto absent = run({"prove", nobody, "--table", "account"});
  REQUIRE_MESSAGE(absent.exit_code == 0, absent.err);
  CHECK(parse_json(absent.out).value()["present"].text == "false");

  network.change = [](const http::request& asked, http::response& answer, std::size_t) {
    if (asked.path != "/v1/rows" || answer.body == nullptr || answer.body->size() < 400) return;
    auto body = *answer.body;
    body[body.size() / 2] ^= 1;
    answer.body = std::make_shared<const bytes>(std::move(body));
  };
  const auto lied = run({"prove", rich});
  CHECK(lied.exit_code != 0);
  CHECK(says(lied.err, "left "));
  network.change = nullptr;
  const auto loud = run({"prove", rich, "--unverified"});
  CHECK(loud.exit_code != 0);
  CHECK(says(loud.err, "with --unverified nothing is proven"));
}

TEST_CASE("an explanation comes through a gateway, with the word that nothing proves it") {
  network_gateway network;
  const soma_user user;
  const auto rich = test::address_of(1);
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"--join", network.address()});
    return user.run(words);
  };
  const auto screen = run({"explain", rich.short_text()});
  REQUIRE_MESSAGE(screen.exit_code == 0, screen.err);
  CHECK(says(screen.out, "address " + rich.short_text()));
  CHECK(says(screen.err, "nothing proves an explanation"));
  const auto facts = run({"explain", rich.text(), "--json"});
  REQUIRE_MESSAGE(facts.exit_code == 0, facts.err);
  const auto read = parse_json(facts.out).value();
  CHECK(read["id"].text == rich.text());
  CHECK(read["proven"].text == "nothing");
  CHECK(!read["story"].elements.empty());

  const auto unknown = run({"explain", "0xdeadbeef"});
  CHECK(unknown.exit_code != 0);
  CHECK(says(unknown.err, "no target, model or address that begins"));
  const auto early = run({"explain", "99"});
  CHECK(early.exit_code != 0);
  CHECK(says(early.err, "an id begins with 0x"));
  const auto name = run({"explain", "nobody"});
  CHECK(name.exit_code != 0);
  CHECK(says(name.err, "`soma wallet list` shows all keys"));
}

TEST_CASE("what a gateway explains cannot command the terminal") {
  network_gateway network;
  const soma_user user;
  network.change = [](const http::request& asked, http::response& answer, std::size_t) {
    if (asked.path.starts_with("/v1/explain/")) replace_in(answer, "address", "ad\x1b[2Js");
    if (asked.path.starts_with("/v1/explain/")) replace_in(answer, "SOMA", "SO\x07\r");
  };
  const auto screen =
      user.run({"explain", test::address_of(1).text(), "--join", network.address()});
  REQUIRE_MESSAGE(screen.exit_code == 0, screen.err);
  CHECK(says(screen.out, "ad [2Js"));
  CHECK(screen.out.find('\x1b') == std::string::npos);
  CHECK(screen.out.find('\r') == std::string::npos);
}
