// Why a verb did not do what it was asked: what failed, why, and what the reader can do. Printed as
// one line.
#pragma once

#include <string>
#include <utility>

#include "messages/values/expected.hpp"

namespace soma::cli {

enum class exit_code : int { done = 0, failed = 1, wrong_usage = 2 };

struct failure {
  std::string problem;     // "cannot read w.safetensors"
  std::string why;         // "no such file"
  std::string what_to_do;  // "name a file that `soma model init` wrote"; may be empty
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

/// "soma: problem: why; what to do", control characters shown as blanks: always exactly one line,
/// without its newline.
[[nodiscard]] std::string one_line(const failure& f);

}  // namespace soma::cli
