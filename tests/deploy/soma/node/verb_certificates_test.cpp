#include <doctest/doctest.h>

#include "tests/deploy/soma/binary.hpp"

using soma::support::is_one_line;
using soma::support::parse_json;
using soma::support::read_text;
using soma::support::soma_user;

TEST_CASE(
    "an operator makes an authority and certificates; nothing that exists is replaced, keys are "
    "nobody else's") {
  const soma_user user;
  const auto early = user.run({"node", "new-cert", "scorer-1"});
  CHECK(early.exit_code == 1);
  CHECK(early.err.find("soma node new-ca") != std::string::npos);

  const auto ca = user.run({"node", "new-ca", "--json"});
  CAPTURE(ca.err);
  REQUIRE(ca.exit_code == 0);
  const auto ca_key = (*parse_json(ca.out))["key"].text;
  const auto ca_text = read_text(ca_key);
  const auto made = user.run({"node", "new-cert", "scorer-1", "--json"});
  REQUIRE(made.exit_code == 0);
  const auto document = *parse_json(made.out);
  for (const auto& key : {ca_key, document["key"].text}) {
    CAPTURE(key);
    const auto open_to = std::filesystem::status(key).permissions() & std::filesystem::perms(077);
    CHECK(open_to == std::filesystem::perms::none);
  }
  CHECK(read_text(document["certificate"].text).find("BEGIN CERTIFICATE") != std::string::npos);
  CHECK(document["certificate"].text.starts_with(user.at(".soma/certificates/scorer-1")));

  for (const auto& words : std::vector<std::vector<std::string>>{{"node", "new-ca"},
                                                                 {"node", "new-cert", "scorer-1"},
                                                                 {"node", "new-cert", "../x"},
                                                                 {"node", "new-cert", "ca"}}) {
    const auto refused = user.run(words);
    CHECK(refused.exit_code == 1);
    CHECK(is_one_line(refused.err));
  }
  CHECK(
      user.run({"node", "new-cert", "ca"}).err.find("the files of the authority have this name") !=
      std::string::npos);
  CHECK(read_text(ca_key) == ca_text);
}
