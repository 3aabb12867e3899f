// One run of the real program on a random command line or a random TOML file, and what has to hold
// of it:
//   - it ends, by itself or after SIGTERM, without a signal, with exit code 0, 1 or 2
//   - what is refused is told in one line on stderr, "soma: …" or with --json a document of one
//     line, and stdout stays empty
//   - with --json, stdout is one JSON document
//   - no file is changed, made or removed that was not named; a file that was there is changed only
//     with --force or --resume, and only by an option that writes
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/fuzz/commands/command_lines.hpp"
#include "tests/fuzz/commands/documents.hpp"
#include "tests/fuzz/commands/sandbox.hpp"

namespace soma::fuzz {

struct trial {
  command_line line;
  std::optional<document> file;  // it lies at `place` while the program runs
  std::string place;
};

/// Everything of a trial follows from its seed: an even seed makes a command line, an odd one a
/// TOML file and a command that reads it.
[[nodiscard]] trial make_trial(std::uint64_t seed, std::vector<cli::bound_verb>& table);

/// What a run did, for a summary.
struct trial_result {
  std::string complaint;  // what is wrong; empty if all holds. Its kind stands before the first ':'
  int exit_code = -1;
  bool was_stopped = false;
};
/// Runs a trial, and makes the sandbox as it was.
[[nodiscard]] trial_result run_trial(const trial& t, sandbox& box);

/// The trial without the words that the complaint does not need.
[[nodiscard]] trial shrunk(trial t, const std::string& complaint, sandbox& box);

/// The commands that bash needs to repeat the trial in a sandbox that is still there.
[[nodiscard]] std::string shell_commands(const trial& t, const std::string& program,
                                         const sandbox& box);

/// Trials with the seeds from `first` on, until `count` of them or `time` are over. Each finding is
/// printed to stderr as it is found.
struct campaign {
  std::uint64_t first = 0, count = 0;
  std::chrono::seconds time{0};  // 0: as long as it takes
  std::uint64_t threads = 1;
};
struct campaign_result {
  std::uint64_t command_lines = 0, documents = 0, stopped = 0, findings = 0;
  std::array<std::uint64_t, 3> exit_codes{};
};
[[nodiscard]] campaign_result run_campaign(const campaign& wanted, const std::string& program);

}  // namespace soma::fuzz
