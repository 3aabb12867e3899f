// Why a verb did not do what it was asked to do: what failed, why, and what the reader can do about
// it. It is printed as one line.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "messages/values/expected.hpp"

namespace soma::cli {

enum class exit_code : int { done = 0, failed = 1, wrong_usage = 2 };

struct failure {
  std::string problem;     // for example "cannot read w.safetensors"
  std::string why;         // for example "no such file"; may be empty
  std::string what_to_do;  // for example "name a file that `soma model init` wrote"; may be empty
  exit_code code = exit_code::failed;
  /// What programs tell refusals apart by: one of the names in failure_names, or that of a rule of
  /// the protocol. Empty stands for failure_names::wrong_usage or failure_names::failed.
  std::string_view name = {};
};

/// These stay what they are: programs read them.
namespace failure_names {
inline constexpr std::string_view wrong_usage = "wrong_usage";  // the command line is wrong
inline constexpr std::string_view failed = "failed";            // none of the others
inline constexpr std::string_view stopped = "stopped";          // a signal asked for it
inline constexpr std::string_view not_found = "not_found";      // there is no such row or network
inline constexpr std::string_view ambiguous = "ambiguous";      // it can mean more than one
inline constexpr std::string_view exists = "exists";            // it would replace something
inline constexpr std::string_view unreachable = "unreachable";  // a validator does not answer
inline constexpr std::string_view other_network = "other_network";  // not the person's network
inline constexpr std::string_view disk = "disk";  // a disk is full, broken or closed
inline constexpr std::string_view out_of_memory = "out_of_memory";
}  // namespace failure_names

using outcome = expected<void, failure>;

[[nodiscard]] inline unexpected<failure> failed(std::string problem, std::string why,
                                                std::string what_to_do = {}) {
  return unexpected<failure>(failure{std::move(problem), std::move(why), std::move(what_to_do)});
}

[[nodiscard]] inline unexpected<failure> wrong_usage(std::string problem, std::string why,
                                                     std::string what_to_do = {}) {
  return unexpected<failure>(
      failure{std::move(problem), std::move(why), std::move(what_to_do), exit_code::wrong_usage});
}

/// The same refusal with a name.
[[nodiscard]] inline unexpected<failure> named(std::string_view name, unexpected<failure> refusal) {
  auto f = refusal.value();
  f.name = name;
  return unexpected<failure>(std::move(f));
}

/// The text "soma: problem: why; what to do" without a newline. Control characters become blanks,
/// so it is always exactly one line. Each part has at most 1,000 bytes; a longer one is cut.
[[nodiscard]] std::string one_line(const failure& f);

/// The same for programs: {"error": {"code": …, "exit_code": …, "problem": …, "why": …,
/// "what_to_do": …}}, where what is not known is null.
[[nodiscard]] std::string json_line(const failure& f);

/// The text of an exception for a person. Those of std::filesystem name the library's functions;
/// here they are the file and the reason.
[[nodiscard]] std::string reason_of(const std::exception& error);

}  // namespace soma::cli
