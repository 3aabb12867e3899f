// The commit of which this program was built.
#pragma once

#include <string>
#include <string_view>

#include "deploy/soma/version.hpp"

namespace soma::cli {

/// The first ten digits of the commit, with "-dirty" behind them if the tree had other changes. It
/// is empty if the sources were not in a git repository.
[[nodiscard]] std::string_view commit();

/// The version and the commit for people: "0.1.0 (3f2a1b4c5d)", or the version alone.
[[nodiscard]] inline std::string build_text() {
  return std::string(version) + (commit().empty() ? "" : " (" + std::string(commit()) + ")");
}

}  // namespace soma::cli
