// What is wrong with the words of a command line, in the words of this program. The parser would
// only say which words are left over.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/soma/command_line.hpp"

namespace soma::cli {

using typed_words = std::span<const char* const>;  // argv without the name of the program

/// "model" of the name "model train"; the whole name if it has one word.
[[nodiscard]] std::string first_word(std::string_view verb_name);
/// "train" of the name "model train"; empty if it has one word.
[[nodiscard]] std::string second_word(std::string_view verb_name);

/// Looks for the verb that the words name. Refuses a verb or an option before it that does not
/// exist, a group such as `model` without one of its verbs, and words that --version would ignore.
/// `verb` becomes the verb's name; it stays empty if only help or the version is asked for.
[[nodiscard]] outcome find_verb(typed_words words, const std::vector<bound_verb>& verbs,
                                std::string& verb);

/// True if one of the words is --json, wherever it stands. After "--" no word is an option.
[[nodiscard]] bool asks_for_json(typed_words words);

/// Refuses --json with a value that is neither true nor false, and an empty value of any flag, such
/// as `--force=$UNSET` in a script. The parser would take it for the flag without a value.
[[nodiscard]] outcome check_flags(typed_words words, const std::vector<bound_verb>& verbs);

/// The refusal of the words for which `verb` has no use.
[[nodiscard]] failure leftover(typed_words words, const std::vector<std::string>& unused,
                               const std::vector<bound_verb>& verbs, std::string_view verb);

/// The refusal of an option that has no value or too many. `told` is the parser's text, which
/// begins with the name of the option.
[[nodiscard]] failure wrong_count(std::string_view told, std::string_view verb);

}  // namespace soma::cli
