// Random command lines, made from the table of options that the program itself has. Three kinds: a
// sound line has what its verb needs, each value of the right type; a broken line is a sound line
// with one fault that the parser must refuse; a wild line is anything: values at the limits of
// their types, odd paths, options doubled, missing, misspelled, words that mean nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deploy/soma/command_line.hpp"
#include "model/noise/noise.hpp"

namespace soma::fuzz {

/// What the parser must make of a line. Nothing is known of a wild line.
enum class expectation : std::uint8_t { accepted, refused, open };

struct command_line {
  std::vector<std::string> words;  // without the name of the program
  std::string verb;                // empty for words that name no verb
  expectation parsing = expectation::open;
  std::string fault;  // what is broken, for a report
};

/// `table` is what bind_verbs() gives. The values of its options are changed meanwhile, since the
/// options are asked what they accept.
[[nodiscard]] command_line random_command_line(std::vector<cli::bound_verb>& table,
                                               noise::noise_generator& noise);

/// The same line for a run of the real program, changed so that it ends soon:
/// - `localnet`, `sim` and `bench` are too heavy even with small arguments, so they only print
///   their help, or refuse an option that does not exist;
/// - training gets few steps.
[[nodiscard]] command_line made_short(command_line line, noise::noise_generator& noise);

/// True if the option may not be given together with one of the others.
[[nodiscard]] bool contradicts_one_of(const cli::option& option,
                                      const std::vector<const cli::option*>& given);

/// Texts that an option of this kind accepts, and, with `is_sound` false, mostly texts that it does
/// not accept. The text of a flag is its value after the "=".
[[nodiscard]] std::string value_for(const cli::option& option, bool is_sound,
                                    noise::noise_generator& noise);

}  // namespace soma::fuzz
