// A verb of the binary: `soma model train` is the verb "model train". To add one: a class, a
// factory in verbs.hpp, a line in verbs.cpp. The shell parses, merges the configuration, converts,
// prints refusals and turns them into exit codes.
#pragma once

#include <filesystem>
#include <string_view>

#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/shell/json.hpp"
#include "deploy/soma/shell/options.hpp"

namespace soma::cli {

struct run_context {
  std::filesystem::path home;  // --home, else SOMA_HOME, else `home` of the configuration, else
                               // ~/.soma; may not exist yet
  bool wants_json = false;     // --json: one document on stdout, nothing else there
  json config;                 // the whole configuration file; an empty object without one
  std::filesystem::path config_path;  // empty without one
};

class verb {
 public:
  virtual ~verb() = default;
  verb() = default;
  verb(const verb&) = delete;
  verb& operator=(const verb&) = delete;

  [[nodiscard]] virtual std::string_view name()
      const = 0;  // one or two words, separated by a blank
  [[nodiscard]] virtual std::string_view summary() const = 0;  // one line for the list of verbs
  /// Command lines as one would type them, one a line; the first begins with "soma <name>".
  [[nodiscard]] virtual std::string_view example() const = 0;
  /// Binds members to options. Called once, before run.
  virtual void declare(option_set& options) = 0;
  /// Facts to stdout through console.hpp. Exceptions end in exit code 1 with their text.
  [[nodiscard]] virtual outcome run(const run_context& context) = 0;
};

}  // namespace soma::cli
