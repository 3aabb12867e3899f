// From argv to one verb with its options filled in: command line before environment before
// configuration before default.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "deploy/soma/shell/verb.hpp"

namespace soma::cli {

/// A verb with the options it declared.
struct bound_verb {
  std::unique_ptr<verb> action;
  std::unique_ptr<option_set> options;
};

/// declare() of each verb has run.
[[nodiscard]] std::vector<bound_verb> bind_verbs();

struct command {
  verb* action = nullptr;  // null: print `text` and leave with success (--help, --version)
  std::string text;
  run_context context;
};

/// What `argv` asks for. Refusals carry exit_code::wrong_usage, or exit_code::failed for an
/// unreadable configuration.
[[nodiscard]] expected<command, failure> parse_command_line(int argc, const char* const* argv,
                                                            std::vector<bound_verb>& verbs);

/// Applies a configuration to the options of every verb. Names that no verb knows are refused.
[[nodiscard]] outcome apply_config(const json& config, std::vector<bound_verb>& verbs);

}  // namespace soma::cli
