// What serves for long begins as a whole or not at all, owns its home as long as it runs, and ends
// within seconds when it is told. The same holds for every command that may take long.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <thread>

#include "tests/functional/user_files/in_folder.hpp"

using soma::support::comes_true;
using soma::support::finished_program;
using soma::support::is_one_line;
using soma::support::read_text;
using soma::support::run_program;
using soma::support::run_there;
using soma::support::running_program;
using soma::support::soma_user;
using soma::support::typed;
using soma::support::write_text;

namespace fs = std::filesystem;

namespace {

using steady = std::chrono::steady_clock;

/// A port of this machine on which the test listens as long as this lives.
class taken_port {
 public:
  taken_port() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    REQUIRE(::bind(socket_, reinterpret_cast<const sockaddr*>(&at), size) == 0);
    REQUIRE(::listen(socket_, 1) == 0);
    REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    port_ = ntohs(at.sin_port);
  }
  ~taken_port() { ::close(socket_); }
  taken_port(const taken_port&) = delete;
  taken_port& operator=(const taken_port&) = delete;
  [[nodiscard]] std::string at() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  int socket_;
  std::uint16_t port_ = 0;
};

/// Waits until the program answers to signals itself. How long it takes to be loaded depends on
/// the machine. Before that, the process is a copy of this one, and then `env`.
bool is_listening(const running_program& program) {
  return comes_true([&] {
    const auto process = "/proc/" + std::to_string(program.id());
    std::error_code error;
    if (!fs::equivalent(process + "/exe", SOMA_BINARY, error)) return false;
    std::ifstream status(process + "/status");
    for (std::string line; std::getline(status, line);) {
      if (!line.starts_with("SigCgt:")) continue;
      return (std::stoull(line.substr(7), nullptr, 16) >> (SIGINT - 1) & 1U) != 0;
    }
    return false;
  });
}

/// The address after "NAME  listens at ", once the service has said it.
std::string address_of(const running_program& service, const std::string& name) {
  const auto words = name + "  listens at ";
  std::string address;
  const auto came = comes_true([&] {
    const auto said = service.out();
    const auto at = said.find(words);
    if (at == std::string::npos || said.find('\n', at) == std::string::npos) return false;
    const auto begin = at + words.size();
    address = said.substr(begin, said.find_first_of(" \n", begin) - begin);
    return true;
  });
  REQUIRE(came);
  return address;
}

/// Connections to an address 127.0.0.1:PORT that say nothing.
class silent_callers {
 public:
  silent_callers(const std::string& address, std::size_t count) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port =
        htons(static_cast<std::uint16_t>(std::stoul(address.substr(address.find(':') + 1))));
    for (std::size_t i = 0; i < count; ++i) {
      const int caller = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      (void)::connect(caller, reinterpret_cast<const sockaddr*>(&at), sizeof at);
      callers_.push_back(caller);
    }
  }
  ~silent_callers() {
    for (const int caller : callers_) ::close(caller);
  }
  silent_callers(const silent_callers&) = delete;
  silent_callers& operator=(const silent_callers&) = delete;

 private:
  std::vector<int> callers_;
};

bool has_said(const running_program& service, const std::string& text) {
  return comes_true([&] {
    return service.out().find(text) != std::string::npos ||
           service.err().find(text) != std::string::npos;
  });
}

/// Ends it by one signal and checks that this takes seconds.
finished_program stopped(running_program& service, int number = SIGINT) {
  const auto asked = steady::now();
  service.send(number);
  auto done = service.wait(std::chrono::seconds(60));
  CAPTURE(done.err);
  CHECK(steady::now() - asked < std::chrono::seconds(15));
  return done;
}

const std::string alone =
    "[node]\nhome = \"home\"\n[tls]\ncertificate = \"c/c.pem\"\nkey = \"c/c.key\"\n"
    "ca = \"ca/ca.pem\"\n[roles.blob_store]\n[roles.scorer]\nworkers = 1\n"
    "[roles.model_registry]\n[roles.router]\n[roles.target_generator]\n[roles.validator]\n"
    "genesis = \"g.bin\"\nkey = \"v.key\"\n";

/// The genesis, the key and the certificates of a validator that is alone.
void make_files(const soma_user& user) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"genesis", "new", "--validator", "v.key", "--arch", "tiny", "--epoch-seconds", "60",
            "-o", "g.bin"},
           {"node", "new-ca", "--ca", "ca"},
           {"node", "new-cert", "c", "--ca", "ca", "--out", "c"}}) {
    const auto done = run_there(user, words);
    CAPTURE(done.err);
    REQUIRE(done.exit_code == 0);
  }
}

/// The processes of this machine whose command line names the text.
std::size_t processes_with(const std::string& text) {
  std::size_t found = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    if (read_text(entry.path() / "cmdline").find(text) != std::string::npos) ++found;
  }
  return found;
}

}  // namespace

TEST_CASE("a node whose address is taken ends with one line and gives back all that it had") {
  const soma_user user;
  make_files(user);
  const auto run_node = std::vector<std::string>{"node", "run", "--config", "node.toml"};
  {
    const taken_port taken;
    // One is noticed before any role runs, the other one when the roles run already.
    for (const auto* address : {"mesh", "listen"}) {
      CAPTURE(std::string(address));
      write_text(user.at("node.toml"), alone + address + " = \"" + taken.at() + "\"\n");
      const auto done = run_there(user, run_node);
      CAPTURE(done.err);
      CHECK(done.exit_code == 1);
      CHECK(done.out.empty());
      CHECK(is_one_line(done.err));
      CHECK(done.err.find("cannot listen at " + taken.at()) != std::string::npos);
    }
  }
  running_program again(user.folder().path(), typed(user, run_node));
  REQUIRE(has_said(again, "validator  listens at"));
  const auto done = stopped(again);
  CHECK(done.exit_code == 0);
  CHECK(done.err.find("kept: the ledger") != std::string::npos);
}

TEST_CASE("neither missing certificates nor strangers at its port end a node") {
  const soma_user user;
  make_files(user);
  write_text(user.at("node.toml"), alone + "listen = \"127.0.0.1:0\"\n");
  fs::copy(user.at("c"), user.at("mine"));
  fs::copy_file(user.at("ca/ca.pem"), user.at("mine/ca.pem"));
  auto words = typed(user, {"node", "run", "--config", "node.toml"});
  std::size_t strangers = 3;
  SUBCASE("its files are gone") {}
  SUBCASE("no file can be opened any more") {
    words = {"/bin/sh", "-c", "ulimit -n 64 && exec \"$@\"", "sh"};
    for (const auto& word : typed(user, {"node", "run", "--config", "node.toml"}))
      words.push_back(word);
    strangers = 140;
  }
  running_program node(user.folder().path(), words);
  const auto address = address_of(node, "validator");
  if (strangers == 3) {
    for (const auto* file : {"c/c.pem", "c/c.key", "ca/ca.pem"}) fs::remove(user.at(file));
  }
  {
    const silent_callers callers(address, strangers);
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
  CHECK(comes_true([&] {
    return run_there(user, {"status", "--join", address, "--certificate", "mine/c.pem",
                            "--certificate-key", "mine/c.key", "--ca", "mine/ca.pem"})
               .exit_code == 0;
  }));
  CHECK(stopped(node).exit_code == 0);
}

TEST_CASE("a node that waits for another machine goes on trying, and ends when it is told") {
  const soma_user user;
  make_files(user);
  write_text(user.at("node.toml"),
             "[node]\nhome = \"home\"\n[tls]\ncertificate = \"c/c.pem\"\nkey = \"c/c.key\"\n"
             "ca = \"ca/ca.pem\"\n[roles.router]\n[roles.blob_store]\n"
             "at = \"tls://127.0.0.1:1\"\n");
  const std::vector<std::vector<std::string>> services{
      {"node", "run", "--config", "node.toml"},
      {"scorer", "--join", "127.0.0.1:1", "--blobs", "127.0.0.1:1", "--certificate", "c/c.pem",
       "--key", "c/c.key", "--ca", "ca/ca.pem"}};
  for (const auto& words : services) {
    CAPTURE(words);
    running_program waiting(user.folder().path(), typed(user, words));
    REQUIRE(has_said(waiting, "trying again in 400 ms"));
    CHECK(stopped(waiting, SIGTERM).exit_code == 0);
  }
}

TEST_CASE("a home belongs to one node, even if another one would use other folders of it") {
  const soma_user user;
  make_files(user);
  const std::string home = "[node]\nhome = \"home\"\n";
  write_text(user.at("blobs.toml"), home + "[roles.blob_store]\n");
  write_text(user.at("free.toml"), home + "[roles.model_registry]\n[roles.router]\n");
  auto text = alone;
  const std::string own = "[roles.blob_store]\n";
  text.replace(text.find(own), own.size(), own + "at = \"tls://127.0.0.1:1\"\n");
  write_text(user.at("node.toml"), text);
  const auto run_node = [&](const char* config) {
    return typed(user, {"node", "run", "--config", config});
  };
  running_program first(user.folder().path(), run_node("blobs.toml"));
  REQUIRE(has_said(first, "blob_store  in this process"));
  for (const auto* config : {"blobs.toml", "node.toml"}) {
    const auto second = run_program(user.folder().path(), run_node(config));
    CHECK(second.exit_code == 1);
    CHECK(is_one_line(second.err));
    CHECK(second.err.find("another process uses it") != std::string::npos);
  }
  // A node that keeps nothing needs no home.
  running_program free(user.folder().path(), run_node("free.toml"));
  CHECK(has_said(free, "router  in this process"));
  CHECK(stopped(first).exit_code == 0);
  running_program third(user.folder().path(), run_node("blobs.toml"));
  CHECK(has_said(third, "blob_store  in this process"));
}

TEST_CASE("a network is not replaced while one of its nodes runs, and its ledger can be read") {
  const soma_user user;
  const std::vector<std::string> make{"genesis",      "new", "--validators", "1", "--arch", "tiny",
                                      "--output-dir", "net", "--port",       "1", "--force"};
  REQUIRE(run_there(user, make).exit_code == 0);
  const auto config = user.at("net/validator-1/node.toml");
  auto text = soma::support::read_text(config);
  for (const auto* port : {"127.0.0.1:1\"", "127.0.0.1:2\""}) {
    REQUIRE(text.find(port) != std::string::npos);
    text.replace(text.find(port), std::string(port).size(), "127.0.0.1:0\"");
  }
  write_text(config, text);
  running_program node(user.folder().path(), typed(user, {"node", "run", "--config", config}));
  REQUIRE(has_said(node, "mesh  listens at"));
  const auto refused = run_there(user, make);
  CHECK(refused.exit_code == 1);
  CHECK(is_one_line(refused.err));
  CHECK(refused.err.find("validator-1 runs") != std::string::npos);
  CHECK(soma::support::read_text(config) == text);
  CHECK(run_there(user, {"status", "--ledger", "net/validator-1"}).exit_code == 0);
  CHECK(stopped(node).exit_code == 0);
  CHECK(run_there(user, make).exit_code == 0);
  CHECK(soma::support::read_text(config) != text);
}

TEST_CASE("every command that takes long ends within seconds of one signal, with one line") {
  const soma_user user;
  REQUIRE(run_there(user, {"model", "init", "--arch", "tiny", "-o", "w.st"}).exit_code == 0);
  write_text(user.at("big"), std::string(std::size_t{8} << 20U, 'x'));
  REQUIRE(::mkfifo(user.at("silent").c_str(), 0600) == 0);
  // Both ends are open, so that a reader waits for what is written.
  const int writer = ::open(user.at("silent").c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(writer >= 0);
  fs::create_directory(user.at("made"));
  const std::vector<std::vector<std::string>> commands{
      {"model", "score", "--weights", "w.st", "--data", "big"},
      {"bench", "score", "--arch", "tiny", "--seconds", "3000", "--threads", "1"},
      {"bench", "ledger", "--accounts", "300000", "--seconds", "300", "--dir", "made"},
      {"bench", "consensus", "--validators", "4", "--seconds", "100", "--dir", "made"},
      {"wallet", "new", "alice", "--passphrase-file", "silent"},
  };
  for (const auto& words : commands) {
    CAPTURE(words);
    running_program busy(user.folder().path(), typed(user, words));
    REQUIRE(is_listening(busy));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    const auto done = stopped(busy);
    CAPTURE(done.err);
    CHECK(done.exit_code == 1);
    CHECK(done.out.empty());
    CHECK(done.err.ends_with('\n'));
    CHECK(done.err.find("soma: ") != std::string::npos);
    CHECK(done.err.find("soma: ") == done.err.rfind("soma: "));
    CHECK(fs::is_empty(user.at("made")));
  }
  ::close(writer);
  running_program simulating(user.folder().path(),
                             typed(user, {"sim", "consensus", "--seeds", "1..1000000"}));
  REQUIRE(is_listening(simulating));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  CHECK(stopped(simulating).exit_code <= 1);
}

TEST_CASE("the second Ctrl-C ends a command at once, and a terminal that closes asks only once") {
  const soma_user user;
  REQUIRE(run_there(user, {"model", "init", "--arch", "tiny", "-o", "w.st"}).exit_code == 0);
  write_text(user.at("big"), std::string(std::size_t{8} << 20U, 'x'));
  for (const int second : {SIGINT, SIGTERM}) {
    running_program busy(user.folder().path(),
                         typed(user, {"model", "score", "--weights", "w.st", "--data", "big"}));
    REQUIRE(is_listening(busy));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    busy.send(SIGINT);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const auto asked = steady::now();
    busy.send(second);
    CHECK(busy.wait().exit_code == 128 + second);
    CHECK(steady::now() - asked < std::chrono::milliseconds(1'500));
  }
  std::string lines;
  for (int i = 0; lines.size() < 200'000; ++i)
    lines += "line " + std::to_string(i * i % 977) + '\n';
  write_text(user.at("d.txt"), lines);
  running_program training(
      user.folder().path(),
      typed(user, {"model", "train", "--data", "d.txt", "-o", "a.st", "--arch", "tiny", "--steps",
                   "1000000", "--batch", "1", "--window", "64", "--checkpoint-every", "10"}));
  REQUIRE(comes_true([&] { return fs::exists(user.at("a.st.checkpoint")); }));
  for (int i = 0; i < 5; ++i) {
    training.send(SIGHUP);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const auto done = training.wait();
  CAPTURE(done.err);
  CHECK(done.exit_code == 1);
  CHECK(done.err.find("continue with --resume") != std::string::npos);
  CHECK(fs::exists(user.at("a.st.checkpoint")));
}

TEST_CASE("whoever waits for a block with money in it is told that it may still be taken") {
  const soma_user user;
  make_files(user);
  for (const auto* name : {"alice", "bob"}) {
    REQUIRE(run_there(user, {"wallet", "new", name, "--no-passphrase"}).exit_code == 0);
  }
  REQUIRE(run_there(user, {"genesis", "new", "--validator", "v.key", "--arch", "tiny", "--account",
                           "alice=100", "--account", "bob=100", "-o", "g.bin", "--force"})
              .exit_code == 0);
  write_text(user.at("node.toml"), alone +
                                       "listen = \"127.0.0.1:0\"\nblock_ms = 30000\n"
                                       "idle_ms = 30000\nview_timeout_ms = 60000\n");
  running_program node(user.folder().path(), typed(user, {"node", "run", "--config", "node.toml"}));
  const std::string before_address = "validator  listens at ";
  REQUIRE(has_said(node, before_address));
  auto at = node.out().substr(node.out().find(before_address) + before_address.size());
  at = at.substr(0, at.find('\n'));
  for (const auto* from : {"alice", "bob"}) {
    CAPTURE(std::string(from));
    const std::string to = from == std::string("alice") ? "bob" : "alice";
    running_program sending(user.folder().path(),
                            typed(user, {"wallet", "send", to, "1", "--from", from, "--config",
                                         "node.toml", "--join", at}));
    REQUIRE(has_said(sending, "fee: "));
    std::this_thread::sleep_for(std::chrono::seconds(1));
    if (to == "bob") {
      sending.send(SIGINT);
    } else {
      node.send(SIGKILL);
    }
    const auto done = sending.wait();
    CAPTURE(done.err);
    CHECK(done.exit_code == 1);
    CHECK(done.err.find("soma: transaction 0x") != std::string::npos);
    CHECK(done.err.find("its result is not known") != std::string::npos);
    CHECK(done.err.find("the same command again") == std::string::npos);
  }
}

TEST_CASE("the validators of a benchmark end with it, also when it is killed") {
  const soma_user user;
  fs::create_directory(user.at("made"));
  const auto made = user.at("made") + "/";
  running_program busy(user.folder().path(),
                       soma_user::command({"bench", "consensus", "--processes", "2", "--seconds",
                                           "300", "--dir", user.at("made")}));
  REQUIRE(comes_true([&] { return processes_with(made) == 2; }));
  busy.send(SIGKILL);
  (void)busy.wait();
  CHECK(comes_true([&] { return processes_with(made) == 0; }));
}
