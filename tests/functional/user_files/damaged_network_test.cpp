// A local network that somebody keeps: what is missing or damaged in its folder is named, with what
// to do about it.
#include <doctest/doctest.h>

#include "tests/deploy/soma/binary.hpp"

using soma::support::is_one_line;
using soma::support::read_text;
using soma::support::soma_user;
using soma::support::write_text;

namespace fs = std::filesystem;

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A network that has run, with one model.
struct kept_network {
  soma_user user;
  fs::path folder = user.at(".soma/localnet");

  kept_network() {
    std::string text;
    for (int i = 0; text.size() < 300'000; ++i)
      text += "line " + std::to_string(i * i % 977) + "\n";
    write_text(user.at("d.txt"), text);
    const auto done =
        user.run({"localnet", "--epochs", "3", "--train-steps", "1", "--submitters", "1", "--batch",
                  "1", "--arch", "2,32,2,64,128", "--data", "d=" + user.at("d.txt")});
    CAPTURE(done.err);
    REQUIRE(done.exit_code == 0);
  }
  /// Asks, and expects one line that holds all of `told`.
  void check_refused(const std::vector<std::string>& words, std::vector<std::string> told) const {
    const auto done = user.run(words);
    CAPTURE(words);
    CAPTURE(done.err);
    CHECK(done.exit_code == 1);
    CHECK(done.out.empty());
    CHECK(is_one_line(done.err));
    for (const auto& part : told) {
      CAPTURE(part);
      CHECK(has(done.err, part));
    }
  }
};

}  // namespace

TEST_CASE("what is missing or damaged in a kept network is named, and what to do") {
  const kept_network network;
  const auto& user = network.user;
  const std::vector<std::string> ask{"ask", "line", "--bytes", "2"};
  REQUIRE(user.run(ask).exit_code == 0);

  write_text(user.at("one"), "a");
  network.check_refused({"ask", "--eval", user.at("one")}, {"give at least two bytes"});

  REQUIRE(user.run({"wallet", "new", "alice", "--no-passphrase"}).exit_code == 0);
  const auto listed = user.run({"wallet", "list", "--json"}).out;
  const auto address = listed.substr(listed.find("0x"), 66);
  network.check_refused({"wallet", "send", "0x" + std::string(64, '1'), "1", "--from", "alice",
                         "--dry-run", "--ledger", (network.folder / "ledger").string()},
                        {"the sender " + address + " has no account"});

  const auto index = network.folder / "index.toml";
  const auto content = read_text(index);
  const std::string remedy = "remove the file: it only has the names of models";
  for (const auto& damaged : {std::string(), std::string("\n"), content.substr(0, 20)}) {
    CAPTURE(damaged);
    write_text(index, damaged);
    network.check_refused(ask, {index.string(), remedy});
  }
  fs::remove(index);
  CHECK(user.run(ask).exit_code == 0);
  write_text(index, content);

  const auto blobs = network.folder / "blobs";
  const std::string restore = "or run `soma localnet` again";
  fs::rename(blobs, network.folder / "away");
  network.check_refused(ask, {blobs.string(), "there is no such folder", restore});
  fs::create_directories(blobs);
  network.check_refused(ask, {blobs.string(), restore});
  fs::remove_all(blobs);
  fs::rename(network.folder / "away", blobs);
  for (const bool is_removed : {false, true}) {
    CAPTURE(is_removed);
    for (const auto& blob : fs::directory_iterator(blobs / "whole")) {
      if (is_removed) {
        fs::remove(blob);
      } else {
        write_text(blob.path(), "");
      }
    }
    network.check_refused(ask, {blobs.string(), "blob 0x", restore});
  }
}

TEST_CASE("an earlier network that cannot be looked into is not called something else") {
  const soma_user user;
  fs::create_directories(user.at(".soma"));
  write_text(user.at("d.txt"), std::string(300'000, 'x'));
  const auto previous = user.at(".soma/localnet");
  fs::create_symlink("localnet", previous);  // a link to itself cannot be followed
  const auto done = user.run({"localnet", "--data", "d=" + user.at("d.txt")});
  CAPTURE(done.err);
  CHECK(done.exit_code == 1);
  CHECK(is_one_line(done.err));
  CHECK(has(done.err, "cannot look into " + previous));
  CHECK_FALSE(has(done.err, "something other"));
}
