// Output that cannot be written ends a command with a word and never a service; signals that ask
// for a stop are all treated alike.
#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "tests/functional/user_files/in_folder.hpp"

using soma::support::finished_program;
using soma::support::is_one_line;
using soma::support::run_program;
using soma::support::running_program;
using soma::support::shell;
using soma::support::soma_user;
using soma::support::write_text;

namespace fs = std::filesystem;

namespace {

const std::string binary = SOMA_BINARY;

/// Waits until a process of the home answers, or the time is over.
bool answers(const soma_user& user, const std::string& command) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (std::chrono::steady_clock::now() < deadline) {
    if (shell(user, command).exit_code == 0) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  return false;
}

/// Waits until the node has said that its roles run, or the time is over.
bool runs(const running_program& node) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (std::chrono::steady_clock::now() < deadline) {
    if (node.out().find("validator  in this process") != std::string::npos) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
}

/// A validator that is alone in its network and that nobody can reach from outside.
void make_node(const soma_user& user) {
  REQUIRE(
      shell(user, binary + " genesis new --validator v.key --arch tiny --epoch-seconds 60 -o g.bin")
          .exit_code == 0);
  write_text(user.at("node.toml"),
             "[node]\nhome = \"home\"\n[roles.blob_store]\n[roles.scorer]\nworkers = 1\n"
             "[roles.model_registry]\n[roles.router]\n[roles.target_generator]\n[roles.validator]\n"
             "genesis = \"g.bin\"\nkey = \"v.key\"\n");
}

}  // namespace

TEST_CASE("a command whose output is lost says so, and one whose reader has left is silent") {
  const soma_user user;
  for (const auto* lost : {"> /dev/full", ">&-"}) {
    CAPTURE(std::string(lost));
    const auto done = shell(user, binary + " config show " + lost);
    CHECK(done.exit_code == 1);
    CHECK(done.err == "soma: stopped: cannot write to the standard output\n");
  }
  const auto cut = shell(user, "set -o pipefail; " + binary + " config show | head -1 | cat");
  CHECK(is_one_line(cut.out));
  CHECK(cut.err.empty());
  const auto left = shell(user, "set -o pipefail; " + binary + " config show | true");
  CHECK(left.err.empty());
  CHECK(left.exit_code == 0);
}

TEST_CASE("a closed standard output never becomes a file of the program") {
  const soma_user user;
  const auto made =
      shell(user, binary + " genesis new --validator v.key --arch tiny -o g.bin >&- 2>&-");
  CHECK(made.exit_code == 1);  // the genesis is there, but its report is lost
  const auto read = shell(user, binary + " genesis inspect g.bin --json");
  CAPTURE(read.err);
  CHECK(read.exit_code == 0);
}

TEST_CASE("a node serves whatever becomes of its output, ends when it is told, and owns its home") {
  for (const auto* lost : {"> /dev/full", ">&-", "| true"}) {
    CAPTURE(std::string(lost));
    const soma_user user;
    make_node(user);
    running_program node(user.folder().path(),
                         {"/bin/bash", "-c",
                          "cd " + user.folder().path().string() + "; (echo $BASHPID > pid; exec " +
                              binary + " node run --config node.toml) " + lost});
    // It works when its ledger grows: an idle chain makes a block a second.
    REQUIRE(answers(user,
                    binary + " status --ledger home/ledger --json | grep -qE '\"height\": [1-9]'"));
    const auto second = shell(user, binary + " node run --config node.toml");
    CHECK(second.exit_code == 1);
    CHECK(second.err.find("another process uses it") != std::string::npos);
    CHECK(shell(user, "kill -TERM $(cat pid)").exit_code == 0);
    (void)node.wait(std::chrono::seconds(60));
    CHECK(shell(user, "kill -0 $(cat pid)").exit_code != 0);
  }
}

TEST_CASE("a node whose home is removed or replaced under it says so and ends") {
  for (const auto* loss : {"rm -r home", "mv home away; mkdir home", "rm -r home/blobs"}) {
    CAPTURE(std::string(loss));
    const soma_user user;
    make_node(user);
    running_program node(user.folder().path(), {"/usr/bin/env", "-C", user.folder().path().string(),
                                                binary, "node", "run", "--config", "node.toml"});
    REQUIRE(runs(node));
    REQUIRE(shell(user, loss).exit_code == 0);
    const auto done = node.wait(std::chrono::seconds(60));
    CAPTURE(done.err);
    CHECK(done.exit_code == 1);
    CHECK(done.err.find("soma: the node has ended: ") != std::string::npos);
    CHECK(done.err.find("was removed or replaced while it ran; put the home back") !=
          std::string::npos);
  }
}

TEST_CASE("a terminal that is closed stops a node as Ctrl-C does, and nohup keeps it") {
  const soma_user user;
  make_node(user);
  for (const int number : {SIGHUP, SIGTERM, SIGINT}) {
    CAPTURE(number);
    running_program node(user.folder().path(), {"/usr/bin/env", "-C", user.folder().path().string(),
                                                binary, "node", "run", "--config", "node.toml"});
    REQUIRE(runs(node));
    node.send(number);
    const auto done = node.wait(std::chrono::seconds(60));
    CHECK(done.exit_code == 0);
    CHECK(done.err.find("kept: the ledger") != std::string::npos);
  }
  running_program ignoring(user.folder().path(),
                           {"/bin/bash", "-c",
                            "trap '' HUP; cd " + user.folder().path().string() + "; exec " +
                                binary + " node run --config node.toml"});
  REQUIRE(runs(ignoring));
  ignoring.send(SIGHUP);
  std::this_thread::sleep_for(std::chrono::seconds(1));
  CHECK(::kill(ignoring.id(), 0) == 0);
  ignoring.send(SIGTERM);
  CHECK(ignoring.wait(std::chrono::seconds(60)).exit_code == 0);
}
