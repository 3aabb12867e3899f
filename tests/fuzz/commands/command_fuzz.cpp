// The mass run of random command lines and TOML files against the real program (trials.hpp says
// what has to hold). It is run by hand, since 20,000 starts of the program take an hour on four
// processors; the tests of this folder run a part of it. Ends with 1 if something was found.
//   command_fuzz [--first 0] [--trials 20000] [--threads 1] [--seconds 0] [--program FILE]
// Trials are numbered: `--first N --trials 1` repeats number N. Even numbers are command lines, odd
// ones are TOML files. With --seconds it ends after that time, whatever is left.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "tests/fuzz/commands/trials.hpp"

namespace {

using number = unsigned long long;

int usage(const char* name) {
  std::fprintf(stderr,
               "usage: %s [--first N] [--trials N] [--threads N] [--seconds N] [--program FILE]\n",
               name);
  return 2;
}

}  // namespace

int main(int count, char** words) {
  soma::fuzz::campaign wanted;
  wanted.count = 20'000;
  std::string program = SOMA_BINARY;
  for (int i = 1; i < count; i += 2) {
    const std::string name = words[i];
    if (i + 1 == count) return usage(words[0]);
    if (name == "--program") {
      program = words[i + 1];
      continue;
    }
    char* end = nullptr;
    const auto value = std::strtoull(words[i + 1], &end, 10);
    if (*end != '\0' || end == words[i + 1]) return usage(words[0]);
    if (name == "--first") {
      wanted.first = value;
    } else if (name == "--trials") {
      wanted.count = value;
    } else if (name == "--threads" && value != 0) {
      wanted.threads = value;
    } else if (name == "--seconds") {
      wanted.time = std::chrono::seconds(value);
    } else {
      return usage(words[0]);
    }
  }
  std::printf("trials from number %llu on: %llu\n", static_cast<number>(wanted.first),
              static_cast<number>(wanted.count));
  std::fflush(stdout);
  try {
    const auto result = soma::fuzz::run_campaign(wanted, program);
    std::printf(
        "%llu command lines and %llu TOML files; exit codes: %llu done, %llu refused or failed, "
        "%llu wrong usage; %llu stopped; %llu findings\n",
        static_cast<number>(result.command_lines), static_cast<number>(result.documents),
        static_cast<number>(result.exit_codes[0]), static_cast<number>(result.exit_codes[1]),
        static_cast<number>(result.exit_codes[2]), static_cast<number>(result.stopped),
        static_cast<number>(result.findings));
    return result.findings == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "command_fuzz: %s\n", error.what());
    return 1;
  }
}
