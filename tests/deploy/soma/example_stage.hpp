// What the examples of the help need to be typed as they stand: a home with keys and a finished
// local network, and a network of one validator that runs. The examples name what a reader would
// have; here each such name stands for what this stage has.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/deploy/soma/binary.hpp"

namespace soma::support {

class example_stage {
 public:
  example_stage();
  ~example_stage();

  /// Runs a script of bash in the folder of the stage, with soma in its path.
  [[nodiscard]] finished_program bash(const std::string& script) const;
  /// Types one example of a verb, with what the stage has in place of what it names, and with less
  /// work where the example would take minutes.
  [[nodiscard]] finished_program type(const std::string& verb, const std::string& example);
  [[nodiscard]] const soma_user& user() const { return user_; }

 private:
  using words = std::vector<std::pair<std::string, std::string>>;
  [[nodiscard]] std::string done(const std::string& script) const;
  void start_network();
  void find_ids();
  [[nodiscard]] std::string substituted(const std::string& verb, std::string example) const;
  [[nodiscard]] finished_program run_until_told(const std::string& script) const;

  soma_user user_;
  std::uint16_t port_ = 0;
  std::string gateway_;                                               // its address, with the pin
  std::string node_config_, node_model_, node_validator_, node_bob_;  // of the network that runs
  std::string model_, target_, validator_;                            // of the local network
  std::unique_ptr<running_program> node_;
};

}  // namespace soma::support
