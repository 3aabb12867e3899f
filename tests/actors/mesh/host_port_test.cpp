#include "actors/mesh/host_port.hpp"

#include <doctest/doctest.h>

#include <string>
#include <tuple>
#include <utility>

namespace soma::mesh {

TEST_CASE("an address is read as people write it, and written as it is read") {
  for (const auto& [text, host, port] : {std::tuple{"10.0.0.5:7003", "10.0.0.5", 7003},
                                         {"node.example:1", "node.example", 1},
                                         {"tls://h:65535", "h", 65535},
                                         {"[::1]:22999", "::1", 22999},
                                         {"tls://[fe80::1%eth0]:5", "fe80::1%eth0", 5},
                                         {"my_host-1:0", "my_host-1", 0}}) {
    CAPTURE(std::string(text));
    const auto at = parse_host_port(text);
    REQUIRE(at);
    CHECK(at->host == host);
    CHECK(at->port == port);
    CHECK(parse_host_port(to_text(*at)) == *at);
    CHECK(parse_remote(text).has_value() == (port != 0));
  }
}

TEST_CASE("what is no address is refused with its own reason") {
  using enum address_refusal;
  const std::pair<const char*, address_refusal> wrong[] = {
      {"", no_host},
      {"tls://", no_host},
      {":7003", no_host},
      {"[]:7003", no_host},
      {"host", no_port},
      {"host:", no_port},
      {"[::1]", no_port},
      {"[::1]:", no_port},
      {"host:65536", bad_port},
      {"host:-1", bad_port},
      {"host:+1", bad_port},
      {"host:7 ", bad_port},
      {"host:0x10", bad_port},
      {"host:99999999999999999999", bad_port},
      {"::1:22999", needs_brackets},
      {"2001:db8::5:7003", needs_brackets},
      {"a b:7003", bad_host},
      {" host:7003", bad_host},
      {"ho\nst:7003", bad_host},
      {"http://host:7003", bad_host},
      {"user@host:7003", bad_host},
      {"[host]:7003", bad_host},
      {"[::1:7003", bad_host},
      {"::1]:7003", bad_host},
      {"hörbar.example:7003", bad_host},
  };
  for (const auto& [text, why] : wrong) {
    CAPTURE(std::string(text));
    const auto at = parse_host_port(text);
    REQUIRE_FALSE(at);
    CHECK(at.error() == why);
    CHECK(to_text(at.error()) != "unknown refusal");
  }
  CHECK(parse_host_port(std::string(254, 'a') + ":1").error() == bad_host);
  CHECK(parse_remote("host:0").error() == port_zero);
}

}  // namespace soma::mesh
