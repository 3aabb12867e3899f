#include "actors/http/origin.hpp"

#include <doctest/doctest.h>

using namespace soma;
using http::origin;
using http::parse_origin;

TEST_CASE("addresses of servers are read as people write them") {
  const std::string pin(64, 'a');
  CHECK(*parse_origin("https://gateway.example") == origin{true, "gateway.example", 443, {}});
  CHECK(*parse_origin("https://gateway.example:8443/") ==
        origin{true, "gateway.example", 8443, {}});
  CHECK(*parse_origin("http://127.0.0.1:80") == origin{false, "127.0.0.1", 80, {}});
  CHECK(*parse_origin("https://[::1]:7#" + pin) == origin{true, "::1", 7, hash256::parse(pin)});
  for (const std::string same : {"https://gateway.example", "https://gateway.example:8443",
                                 "http://1.2.3.4:81", "https://[2001:db8::1]", "https://[::1]:7"}) {
    CHECK(http::to_text(*parse_origin(same)) == same);
  }
  CHECK(http::to_text(*parse_origin("https://a#" + pin)) == "https://a#" + pin);
  CHECK(http::authority_of(*parse_origin("https://[::1]")) == "[::1]:443");
  for (const std::string bad : {"",
                                "gateway.example",
                                "ftp://a",
                                "https://",
                                "https://:443",
                                "https://a:",
                                "https://a:0",
                                "https://a:65536",
                                "https://a:1x",
                                "https://a/b",
                                "https://a?b",
                                "https://u@a",
                                "https://::1",
                                "https://[1.2.3.4]",
                                "https://[::1",
                                "https://a#b",
                                "https://a#",
                                "https://a b",
                                "https://a\r\nb",
                                "http://a#"}) {
    CAPTURE(bad);
    CHECK(!parse_origin(bad));
  }
  CHECK(!parse_origin("http://a#" + pin));
}

TEST_CASE("a proxy is used as its user's environment says") {
  const auto direct = [](const std::string& server, const std::string& no_proxy) {
    const auto proxy = http::proxy_for(*parse_origin(server), {"proxy.example:3128", no_proxy});
    REQUIRE(proxy.has_value());
    if (*proxy) CHECK(**proxy == origin{false, "proxy.example", 3128, {}});
    return !proxy->has_value();
  };
  CHECK(!direct("https://a.example", ""));
  CHECK(direct("http://a.example", ""));
  CHECK(direct("https://localhost", ""));
  CHECK(direct("https://127.0.0.1", ""));
  CHECK(direct("https://[::1]", ""));
  CHECK(direct("https://a.example", "*"));
  CHECK(direct("https://a.example", "b.example, A.Example"));
  CHECK(direct("https://x.a.example", "a.example"));
  CHECK(direct("https://x.a.example", ".a.example"));
  CHECK(!direct("https://xa.example", "a.example"));
  CHECK(direct("https://a.example:44", "a.example:44"));
  CHECK(!direct("https://a.example:45", "a.example:44"));
  CHECK(direct("https://10.0.0.1", "10.0.0.1"));
  CHECK(!direct("https://10.0.0.1", "0.0.1"));

  CHECK(!http::proxy_for(*parse_origin("https://a"), {"", ""})->has_value());
  CHECK(!http::proxy_for(*parse_origin("https://a"), {"https://proxy", ""}));
  CHECK(!http::proxy_for(*parse_origin("https://a"), {"http://user:word@proxy", ""}));
}
