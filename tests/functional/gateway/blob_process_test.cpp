// A model goes through gateways: published through one that follows the chain, pulled back through
// two, and read by curl, which knows nothing but HTTP. The gateways are real processes.
#include <doctest/doctest.h>
#include <signal.h>

#include <fstream>
#include <memory>

#include "tests/functional/cluster.hpp"
#include "tests/support/free_ports.hpp"

using namespace soma::support;

namespace {

constexpr auto arch = "2,128,4,512,64";  // weights of some MiB

std::string file_at(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A node that says where its gateway listens.
struct serving {
  std::unique_ptr<running_program> program;
  std::string address;

  serving(const soma_user& user, const std::string& config)
      : program(std::make_unique<running_program>(
            user.folder().path(),
            soma_user::command({"node", "run", "--json", "--config", config}))) {
    std::optional<parsed_json> told;
    const auto came = comes_true([&] { return (told = parse_json(program->out())).has_value(); });
    REQUIRE_MESSAGE(came, program->err());
    for (const auto& one : (*told)["roles"].elements) {
      if (one["name"].text == "gateway") address = one["listen"].text;
    }
  }
  [[nodiscard]] std::string url() const { return address.substr(0, address.find('#')); }
};

/// A validator and a follower, each with a gateway.
struct two_gateways {
  soma_user user;
  std::unique_ptr<serving> validator, follower;

  two_gateways() {
    const auto port = free_ports(8);
    (void)done({"wallet", "new", "alice", "--no-passphrase"});
    (void)done({"wallet", "new", "poor", "--no-passphrase"});
    (void)done({"genesis", "new", "--validators", "1", "--gateways", "1", "--account",
                "alice=20000", "--arch", arch, "--epoch-seconds", "6", "--port",
                std::to_string(port), "--output-dir", user.at("net")});
    const auto config = user.at("net/validator-1/node.toml");
    std::ofstream(config, std::ios::app)
        << "\n[roles.gateway]\nlisten = \"127.0.0.1:" << port + 7 << "\"\n";
    validator = std::make_unique<serving>(user, config);
    follower = std::make_unique<serving>(user, user.at("net/gateway-1/node.toml"));
    std::ofstream(user.at("data.txt")) << std::string(4'000, 'x') << "what the model knows";
    (void)done({"model", "init", "--arch", arch, "--seed", "5", "-o", user.at("w.safetensors")});
  }
  [[nodiscard]] finished_program run(const std::vector<std::string>& words) const {
    return run_program(user.folder().path(), soma_user::command(words), std::chrono::seconds(90));
  }
  [[nodiscard]] std::string done(const std::vector<std::string>& words) const {
    const auto ended = run(words);
    REQUIRE_MESSAGE(ended.exit_code == 0, ended.err);
    return ended.out;
  }
  [[nodiscard]] std::string join() const { return follower->address + "," + validator->address; }
  [[nodiscard]] finished_program curl(std::vector<std::string> words) const {
    words.insert(words.begin(), {"/usr/bin/curl", "-sSk", "--max-time", "30"});
    return run_program(user.folder().path(), words);
  }
};

}  // namespace

TEST_CASE(
    "a model that was published through a gateway comes back the same, and curl can read it") {
  two_gateways net;
  const auto& user = net.user;
  const auto weights = user.at("w.safetensors");
  const auto refused = net.run({"model", "publish", weights, "--data", user.at("data.txt"),
                                "--stake", "10", "--from", "poor", "--join", net.join()});
  CHECK(refused.exit_code != 0);
  const auto published =
      parse_json(net.done({"model", "publish", weights, "--data", user.at("data.txt"), "--stake",
                           "10", "--from", "alice", "--join", net.join(), "--json"}));
  REQUIRE(published.has_value());
  const auto model = (*published)["model"].text;
  const auto blob = (*published)["blob"].text;

  const auto out = user.at("pulled.safetensors");
  const std::vector<std::string> pull{"model", "pull", model,    "--version", "1",
                                      "-o",    out,    "--join", net.join()};
  const auto pulled = net.run(pull);
  REQUIRE_MESSAGE(pulled.exit_code == 0, pulled.err);
  CHECK(file_at(out) == file_at(weights));
  CHECK(net.run(pull).exit_code != 0);  // the file is there

  // A pull that was killed goes on: here with a file whose last chunk is missing.
  const auto root = "/v1/blobs/" + blob;
  for (const auto* from : {&net.validator, &net.follower}) {
    const auto url = (*from)->url() + root;
    const auto whole = user.at("whole");
    REQUIRE(net.curl({"-H", "Accept: application/octet-stream", "-o", whole, url}).exit_code == 0);
    const auto content = file_at(whole);
    REQUIRE(content.size() == file_at(weights).size());
    CHECK(net.curl({"-r", "5-99", url}).out == content.substr(5, 95));
    CHECK(net.curl({"-r", "-10", url}).out == content.substr(content.size() - 10));
    const auto told = net.curl({"-w", "%{http_code}", "-o", "/dev/null", "-r", "999999999-", url});
    CHECK(told.out == "416");
    std::ofstream(whole, std::ios::binary | std::ios::trunc) << content.substr(0, 1'500'000);
    REQUIRE(net.curl({"-C", "-", "-o", whole, url}).exit_code == 0);
    CHECK(file_at(whole) == content);
    CHECK(net.curl({"-I", "-H", "Accept: application/octet-stream", url})
              .out.find("Content-Length: " + std::to_string(content.size())) != std::string::npos);
    CHECK(net.curl({url + "/chunks/0"}).out == content.substr(0, 1U << 20U));
    std::ofstream(out + ".part", std::ios::binary | std::ios::trunc)
        << content.substr(0, 1U << 20U);
  }
  const auto document = parse_json(net.curl({net.validator->url() + root}).out);
  REQUIRE(document.has_value());
  CHECK((*document)["size_bytes"].text == std::to_string(file_at(weights).size()));

  // One gateway is gone, and the file of an earlier pull has its first chunk.
  net.follower->program->send(SIGKILL);
  (void)net.follower->program->wait();
  auto again = pull;
  again.emplace_back("--force");
  const auto alone = net.run(again);
  REQUIRE_MESSAGE(alone.exit_code == 0, alone.err);
  CHECK(file_at(out) == file_at(weights));

  // Strangers fill no disk.
  const auto stranger = net.curl(
      {"-w", "%{http_code}", "-X", "PUT", "--data-binary", "x", net.validator->url() + root});
  CHECK(stranger.out.find("no_reservation") != std::string::npos);
  CHECK(stranger.out.ends_with("401"));
}

TEST_CASE("an upload that a gateway throws away goes to another one, and the liar is named") {
  two_gateways net;
  running_program liar(net.user.folder().path(),
                       {SOMA_LIAR, "127.0.0.1", "0", net.user.folder().path().string(),
                        net.follower->address, "swallow"});
  REQUIRE(comes_true([&] { return liar.out().find('\n') != std::string::npos; }));
  const auto lying = liar.out().substr(0, liar.out().find('\n'));
  const auto ended =
      net.run({"model", "publish", net.user.at("w.safetensors"), "--data", net.user.at("data.txt"),
               "--stake", "10", "--from", "alice", "--join", lying + "," + net.follower->address});
  REQUIRE_MESSAGE(ended.exit_code == 0, ended.err);
  CHECK(ended.err.find("no validator has what the gateway at " + lying.substr(0, lying.find('#')) +
                       " has taken") != std::string::npos);
}
