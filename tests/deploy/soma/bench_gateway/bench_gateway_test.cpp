// `soma bench gateway` as a user runs it.
#include <doctest/doctest.h>

#include <filesystem>

#include "deploy/soma/bench_gateway/gateway_rivals.hpp"
#include "tests/deploy/soma/binary.hpp"

using namespace soma;
using namespace soma::support;

TEST_CASE("each of the four is served and measured, beside nginx where it is installed") {
  const soma_user user;
  const auto done = user.run({"bench", "gateway", "--seconds", "1", "--subscribers", "30", "--dir",
                              user.at(""), "--json"});
  CAPTURE(done.err);
  REQUIRE(done.exit_code == 0);
  const auto document = parse_json(done.out);
  REQUIRE(document.has_value());
  const auto& rows = (*document)["rows"].elements;
  REQUIRE(rows.size() == 4);
  const bool has_nginx = !cli::find_nginx().empty();
  for (const auto& row : rows) {
    const auto& what = row["what"].text;
    CAPTURE(what);
    CHECK(row["ours"]["count"].number() > 0);
    CHECK(row["ours"]["refused"].number() == 0);
    CHECK(row["ours"]["p99_ms"].number() >= row["ours"]["median_ms"].number());
    CHECK(row["ours"]["client_share"].number() > 0);
    CHECK(row.has("nginx") == has_nginx);
    if (!has_nginx) continue;
    CHECK(row["ratio"].number() > 0);
    // The file of nginx has the size of our answer.
    const auto ours = row["ours"]["bytes"].number(), peer = row["nginx"]["bytes"].number();
    CHECK(peer >= 0.8 * ours);
    CHECK(peer <= 1.2 * ours);
  }
  CHECK((done.err.find("nginx is not installed") != std::string::npos) == !has_nginx);
  for (const auto& left : std::filesystem::directory_iterator(user.at(""))) {
    CHECK(left.path().filename().string().find("soma-bench") == std::string::npos);
  }
}

TEST_CASE("wrong options are named in one line") {
  const soma_user user;
  for (const auto& [option, value] : {std::pair{"--seconds", "0"},
                                      {"--connections", "0"},
                                      {"--connections", "1000"},
                                      {"--subscribers", "1001"}}) {
    CAPTURE(option);
    const auto done = user.run({"bench", "gateway", option, value});
    CHECK(done.exit_code == 2);
    CHECK(is_one_line(done.err));
  }
}
