// A machine that gives nothing more, no room and no open file: the command says so, with what to
// do, and leaves nothing half made.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/deploy/soma/binary.hpp"

using soma::support::finished_program;
using soma::support::is_one_line;
using soma::support::parse_json;
using soma::support::run_program;
using soma::support::soma_user;
using soma::support::write_text;

namespace fs = std::filesystem;

namespace {

/// Everything below the folder, files and folders, without what the test's own runner keeps there.
std::vector<std::string> tree_of(const soma_user& user) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(user.folder().path())) {
    const auto name = fs::relative(entry.path(), user.folder().path()).string();
    if (!name.starts_with("run_")) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

/// Runs the binary in the user's folder under a limit of the shell. Its stderr goes through a pipe,
/// since the limit would hold for a file, too.
finished_program limited(const soma_user& user, const std::string& limit,
                         const std::string& words) {
  return run_program(
      user.folder().path(),
      {"/bin/bash", "-c",
       "cd " + user.folder().path().string() + "; set -o pipefail; (ulimit " + limit + "; exec " +
           std::string(SOMA_BINARY) + " " + words + ") 2>&1 | cat"},
      std::chrono::seconds(300));
}

}  // namespace

TEST_CASE("a full disk is the reason that is given, and what was begun is taken back") {
  const soma_user user;
  REQUIRE(user.run({"node", "new-ca", "--ca", user.at("ca")}).exit_code == 0);
  const auto before = tree_of(user);
  // A limit on the size of files ends a write as a full disk does: with an error, not a signal.
  for (const auto* words :
       {"wallet new alice --no-passphrase", "node new-ca --ca made/by/new",
        "node new-cert me --ca ca --out other/new", "node new-cert me --ca ca --out ca",
        "genesis new --arch tiny --validator new.key -o g.bin",
        "genesis new --arch tiny --validators 1 --output-dir net"}) {
    CAPTURE(std::string(words));
    const auto done = limited(user, "-f 0", words);
    CAPTURE(done.out);
    CHECK(done.exit_code == 1);
    CHECK(is_one_line(done.out));
    CHECK(done.out.find("there is no room for the file") != std::string::npos);
    CHECK(done.out.find("make room") != std::string::npos);
    CHECK(tree_of(user) == before);
  }
}

TEST_CASE("a local network on a machine that gives nothing more ends with the reason") {
  const soma_user user;
  std::string text;
  for (int i = 0; text.size() < 300'000; ++i) {
    text += "line " + std::to_string(i * i % 977) + " of some text to learn from\n";
  }
  write_text(user.at("d.txt"), text);
  const std::string words =
      " localnet --epochs 3 --train-steps 1 --batch 1 --submitters 1 --arch 2,32,2,64,128 "
      "--data d=d.txt --json";
  const auto whole = limited(user, "-n 1000", "--home whole" + words);
  CAPTURE(whole.out);
  REQUIRE(whole.exit_code == 0);
  const auto last_line = [](const std::string& all) {
    const auto cut = all.find_last_of('\n', all.size() - 2);
    return all.substr(cut == std::string::npos ? 0 : cut + 1);
  };
  const auto result = parse_json(last_line(whole.out));
  REQUIRE(result);
  struct row {
    const char* limit;
    const char* told;
  };
  for (const auto& [limit, told] :
       {row{"-f 8", "File too large"}, row{"-f 60", ""}, row{"-f 400", ""}, row{"-n 12", ""},
        row{"-n 20", ""}, row{"-n 24", ""}, row{"-n 28", ""}}) {
    CAPTURE(std::string(limit));
    const auto home = std::string("h") + (limit + 1);
    const auto done = limited(user, limit, "--home '" + home + "'" + words);
    CAPTURE(done.out);
    const auto last = last_line(done.out);
    if (done.exit_code == 0) {
      // What the limit leaves is enough: then the result is that of any other machine.
      const auto same = parse_json(last);
      REQUIRE(same);
      CHECK((*same)["state_root"].text == (*result)["state_root"].text);
      continue;
    }
    CHECK(done.exit_code == 1);
    const auto refusal = parse_json(last);
    REQUIRE(refusal);
    CHECK_FALSE((*refusal)["error"]["problem"].text.empty());
    CHECK_FALSE((*refusal)["error"]["what_to_do"].text.empty());
    CHECK(last.find(told) != std::string::npos);
    const bool says_why = last.find("File too large") != std::string::npos ||
                          last.find("disk is full") != std::string::npos ||
                          last.find("Too many open files") != std::string::npos;
    CHECK(says_why);
  }
}
