#include "deploy/soma/network/gateway_addresses.hpp"

#include <doctest/doctest.h>

using namespace soma;
using namespace soma::cli;

TEST_CASE("addresses of gateways are told from the door of a validator") {
  CHECK(names_gateways("https://a"));
  CHECK(names_gateways("http://127.0.0.1:1"));
  CHECK(names_gateways("ftp://a"));
  CHECK_FALSE(names_gateways("10.0.0.5:7003"));
  CHECK_FALSE(names_gateways(""));
}

TEST_CASE("several gateways are read in their order, with ports and pins") {
  const std::string pin(64, 'a');
  const auto read =
      parse_gateways("--join", "https://a.example, https://[2001:db8::1]:8443#" + pin +
                                   ",http://localhost:8080,http://127.0.0.9,http://[::1]:9");
  REQUIRE(read.has_value());
  REQUIRE(read->size() == 5);
  CHECK((*read)[0] == http::origin{true, "a.example", 443, std::nullopt});
  CHECK((*read)[1].port == 8443);
  CHECK((*read)[1].pin == hash256::parse(pin));
  CHECK_FALSE((*read)[2].tls);
  CHECK(shown_gateways(*read).find(pin) == std::string::npos);
  CHECK(shown_gateways({(*read)[0], (*read)[1]}) ==
        "https://a.example, https://[2001:db8::1]:8443");
}

TEST_CASE("an address that is wrong is refused by its name, and why") {
  const std::pair<std::string, std::string> wrong[] = {
      {"ftp://a", "https://host:port"},
      {"https://", "host"},
      {"https://a:0", "port"},
      {"https://a:70000", "port"},
      {"https://a/v1", "the host is"},
      {"https://u@a", "host"},
      {"https://a#12", "64 hex digits"},
      {"https://a,", "https://host:port"},
      {"https://a,,https://b", "https://host:port"},
      {"https://a,10.0.0.5:7003", "https://host:port"},
      {"http://a", "on this machine alone"},
      {"http://10.0.0.5:80", "on this machine alone"},
      {"http://127.0.0.1.example:80", "on this machine alone"},
      {"http://128.0.0.1", "on this machine alone"},
      {"https://a,https://a:443", "more than once"},
  };
  for (const auto& [text, why] : wrong) {
    CAPTURE(text);
    const auto read = parse_gateways("--join", text);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code == exit_code::wrong_usage);
    CHECK(read.error().problem == "--join");
    CHECK(read.error().why.find(why) != std::string::npos);
    CHECK(read.error().what_to_do.find("https://HOST:PORT") != std::string::npos);
  }
  std::string many;
  for (int i = 0; i < 17; ++i) many += (i == 0 ? "https://h" : ",https://h") + std::to_string(i);
  CHECK(parse_gateways("--join", many).error().why.find("more than 16") != std::string::npos);
  CHECK(parse_gateways("--join", many.substr(0, many.rfind(','))).value().size() == 16);
}
