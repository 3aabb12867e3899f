// The home of a node: its certificate, its configuration, and its process.
#pragma once

#include <signal.h>

#include <memory>
#include <string>

#include "tests/functional/cluster.hpp"

namespace soma::support {

class node_process {
 public:
  node_process(const soma_user& user, const operator_ca& ca, std::string name)
      : user_(user), name_(std::move(name)), identity_(ca.identity(name_)) {}

  void write_config(const std::string& roles) const {
    write_text(config(), "[node]\nhome = \"" + home().string() + "\"\n[tls]\ncertificate = \"" +
                             identity_.certificate.string() + "\"\nkey = \"" +
                             identity_.key.string() + "\"\nca = \"" + identity_.ca.string() +
                             "\"\n" + roles);
  }
  void start() {
    running_ = std::make_unique<running_program>(
        user_.folder().path(),
        soma_user::command({"node", "run", "--json", "--config", config().string()}));
  }
  /// The address at which a role listens. Waits until the node prints it.
  [[nodiscard]] std::string listens(const std::string& role) const {
    std::optional<parsed_json> told;
    const auto came = comes_true([&] {
      told = parse_json(running_->out());
      return told.has_value();
    });
    if (!came) throw std::runtime_error(name_ + " never came up: " + running_->err());
    for (const auto& one : (*told)["roles"].elements) {
      if (one["name"].text == role) return one["listen"].text;
    }
    throw std::runtime_error(name_ + " does not run " + role);
  }
  [[nodiscard]] std::filesystem::path home() const { return user_.folder() / (name_ + "-home"); }
  [[nodiscard]] std::filesystem::path config() const { return user_.folder() / (name_ + ".toml"); }
  [[nodiscard]] running_program& process() { return *running_; }
  void kill() {
    running_->send(SIGKILL);
    (void)running_->wait();
  }

 private:
  const soma_user& user_;
  std::string name_;
  cluster::cluster_identity identity_;
  std::unique_ptr<running_program> running_;
};

}  // namespace soma::support
