// A verb of the binary: `soma model train` is the verb "model train". A new verb needs a class, a
// factory in verbs.hpp and a line in verbs.cpp. The shell parses the command line, merges the
// configuration, converts the values, prints refusals and turns them into exit codes.
#pragma once

#include <filesystem>
#include <string_view>

#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/shell/json.hpp"
#include "deploy/soma/shell/options.hpp"

namespace soma::cli {

struct run_context {
  /// The home directory: --home, else SOMA_HOME, else `home` of the configuration, else ~/.soma. It
  /// may not exist yet.
  std::filesystem::path home;
  /// --json: the verb prints one JSON document to stdout and nothing else.
  bool wants_json = false;
  /// The whole configuration file; an empty object if there is none.
  json config;
  /// Empty if there is no configuration file.
  std::filesystem::path config_path;
};

class verb {
 public:
  virtual ~verb() = default;
  verb() = default;
  verb(const verb&) = delete;
  verb& operator=(const verb&) = delete;

  /// One or two words, separated by a blank.
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// One line for the list of verbs.
  [[nodiscard]] virtual std::string_view summary() const = 0;
  /// Command lines as a person types them, one on each line. The first begins with "soma <name>".
  [[nodiscard]] virtual std::string_view example() const = 0;
  /// Declares the options and binds them to members. It is called once, before run().
  virtual void declare(option_set& options) = 0;
  /// Does the work and prints facts to stdout through console.hpp. An exception ends the program
  /// with its text and exit code 1.
  [[nodiscard]] virtual outcome run(const run_context& context) = 0;
};

}  // namespace soma::cli
