// Turns argv into one verb with its options filled in. The command line wins over the environment,
// the environment over the configuration, and the configuration over the default.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "deploy/soma/shell/verb.hpp"

namespace soma::cli {

/// A verb with the options that it declared.
struct bound_verb {
  std::unique_ptr<verb> action;
  std::unique_ptr<option_set> options;
};

/// Makes all verbs and lets each declare its options.
[[nodiscard]] std::vector<bound_verb> bind_verbs();

struct command {
  /// Null for --help and --version: then the program prints `text` and ends with success.
  verb* action = nullptr;
  std::string text;
  run_context context;
};

/// Finds out what `argv` asks for. Refusals carry exit_code::wrong_usage, or exit_code::failed if
/// the configuration cannot be used.
[[nodiscard]] expected<command, failure> parse_command_line(int argc, const char* const* argv,
                                                            std::vector<bound_verb>& verbs);

/// Applies a configuration to the options of every verb, and checks the tables of a node. Refuses a
/// name that no verb knows. Refusals name the line.
[[nodiscard]] outcome apply_config(const json& config, std::vector<bound_verb>& verbs);

}  // namespace soma::cli
