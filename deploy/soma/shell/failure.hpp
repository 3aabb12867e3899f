// Why a verb did not do what it was asked to do: what failed, why, and what the reader can do about
// it. It is printed as one line.
#pragma once

#include <exception>
#include <string>
#include <utility>

#include "messages/values/expected.hpp"

namespace soma::cli {

enum class exit_code : int { done = 0, failed = 1, wrong_usage = 2 };

struct failure {
  std::string problem;     // for example "cannot read w.safetensors"
  std::string why;         // for example "no such file"; may be empty
  std::string what_to_do;  // for example "name a file that `soma model init` wrote"; may be empty
  exit_code code = exit_code::failed;
};

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

/// The text "soma: problem: why; what to do" without a newline. Control characters become blanks,
/// so it is always exactly one line. Each part has at most 1,000 bytes; a longer one is cut.
[[nodiscard]] std::string one_line(const failure& f);

/// The text of an exception for a person. Those of std::filesystem name the library's functions;
/// here they are the file and the reason.
[[nodiscard]] std::string reason_of(const std::exception& error);

}  // namespace soma::cli
