// `soma bench consensus` as a user runs it: what it prints has to be what agreement makes of so
// many validators.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "tests/deploy/soma/binary.hpp"

using namespace soma;
using namespace soma::support;

namespace {

/// Validators of equal power: how many it takes.
double quorum_of(double validators) {
  return std::floor(2 * validators / 3) + 1;
}

}  // namespace

TEST_CASE("in virtual time everything becomes final, with as many votes as agreement needs") {
  const soma_user user;
  for (const double n : {4.0, 7.0}) {
    CAPTURE(n);
    const auto done =
        user.run({"bench", "consensus", "--validators", std::to_string(static_cast<int>(n)),
                  "--rate", "200", "--seconds", "1", "--delay-ms", "20", "--json"});
    CAPTURE(done.err);
    REQUIRE(done.exit_code == 0);
    const auto document = parse_json(done.out);
    REQUIRE(document.has_value());
    REQUIRE((*document)["rows"].elements.size() == 1);
    const auto& row = (*document)["rows"].elements[0];
    CHECK(row["offered"].number() == 200);
    CHECK(row["final"].number() == 200);
    const double blocks = row["blocks"].number();
    CHECK(blocks >= 2);
    CHECK(row["signatures_per_block"].number() >= quorum_of(n));
    CHECK(row["signatures_per_block"].number() <= n);
    // Proposal, notarize, finalize: nobody can know earlier.
    CHECK(row["final_median_ms"].number() >= 60);
    CHECK(row["final_p99_ms"].number() >= row["final_median_ms"].number());
    // Each member verifies a notarize vote of a quorum's others at least, and at most each vote of
    // the others of both kinds and the proposal. The last views may have no final block yet.
    const double verified = row["votes_verified_per_block"].number();
    CHECK(verified >= n * (quorum_of(n) - 1));
    CHECK(verified * blocks <= n * (2 * (n - 1) + 1) * (blocks + 3));
    // Who has a vote tells all others once; who has a new certificate tells two of them.
    const double messages = row["messages_per_block"].number();
    CHECK(messages >= 2 * n * (n - 1));
    CHECK(messages * blocks <= n * (n - 1) * 2 + (2 * n * (n - 1) + 4 * n + n) * (blocks + 3));
    CHECK(row["agreement_bytes_per_block"].number() >=
          (n - 1) * row["payload_bytes_per_block"].number());
    // Nobody does with less than verifying each transaction.
    CHECK(row["ratio_to_verification"].number() > 0);
    CHECK(row["ratio_to_verification"].number() < 1.1);
  }
}

// By consensus R6 a validator passes on each of the two certificates of a block to two others, and
// not to all.
TEST_CASE("certificates cost a validator the same number of messages in every committee") {
  const soma_user user;
  const auto done = user.run({"bench", "consensus", "--validators", "13", "--rate", "50",
                              "--seconds", "0.5", "--delay-ms", "20", "--json"});
  CAPTURE(done.err);
  REQUIRE(done.exit_code == 0);
  const auto document = parse_json(done.out);
  REQUIRE(document.has_value());
  const auto& row = (*document)["rows"].elements.at(0);
  const double n = 13;
  const double blocks = row["blocks"].number();
  const double certificate_bytes = 64 * quorum_of(n) + 200;
  CHECK(row["certificate_bytes_per_block"].number() * blocks <=
        4 * n * certificate_bytes * (blocks + 3));
  CHECK(row["certificate_bytes_per_block"].number() > 0);
  CHECK(row["vote_bytes_per_block"].number() >= n * (n - 1) * 2 * 113);
  CHECK(row["proposal_bytes_per_block"].number() >=
        (n - 1) * row["payload_bytes_per_block"].number());
  CHECK(row["agreement_bytes_per_block"].number() >= row["certificate_bytes_per_block"].number() +
                                                         row["vote_bytes_per_block"].number() +
                                                         row["proposal_bytes_per_block"].number());
}

TEST_CASE("four processes over TLS make every transfer final, and their ledgers are the same") {
  const soma_user user;
  const auto done = user.run({"bench", "consensus", "--processes", "4", "--rate", "150",
                              "--seconds", "2", "--dir", user.at(""), "--json"});
  CAPTURE(done.err);
  REQUIRE(done.exit_code == 0);  // it compares the ledgers itself
  const auto document = parse_json(done.out);
  REQUIRE(document.has_value());
  const auto& row = (*document)["rows"].elements.at(0);
  CHECK(row["processes"].text == "true");
  CHECK(row["final"].number() == 300);
  CHECK(row["blocks"].number() >= 2);
  CHECK(row["signatures_per_block"].number() >= 3);
  CHECK(row["signatures_per_block"].number() <= 4);
  CHECK(row["memory_at_start_bytes"].number() > 0);
  for (const auto& left : std::filesystem::directory_iterator(user.at(""))) {
    CHECK(left.path().filename().string().find("soma-bench") == std::string::npos);
  }
}

TEST_CASE("a table has a line for each number of validators") {
  const soma_user user;
  const auto done = user.run({"bench", "consensus", "--validators", "1", "--validators", "3",
                              "--rate", "50", "--seconds", "0.5"});
  CAPTURE(done.err);
  CHECK(done.exit_code == 0);
  CHECK(done.out.find("signatures a block") != std::string::npos);
  CHECK(std::ranges::count(done.out, '\n') == 3);
}

TEST_CASE("wrong options are named in one line") {
  const soma_user user;
  const std::vector<std::vector<std::string>> wrong{
      {"--validators", "0"},   {"--validators", "101"}, {"--validators", "four"},
      {"--processes", "0"},    {"--processes", "41"},   {"--processes", "-1"},
      {"--rate", "0"},         {"--rate", "nan"},       {"--seconds", "0"},
      {"--seconds", "999999"}, {"--delay-ms", "-1"},    {"--processes", "4", "--validators", "4"}};
  for (const auto& options : wrong) {
    std::vector<std::string> words{"bench", "consensus"};
    words.insert(words.end(), options.begin(), options.end());
    const auto& option = options[0] + " " + options[1];
    CAPTURE(option);
    const auto done = user.run(words);
    CHECK(done.exit_code == 2);
    CHECK(done.out.empty());
    CAPTURE(done.err);
    CHECK(is_one_line(done.err));
    CHECK(done.err.starts_with("soma: "));
  }
}
