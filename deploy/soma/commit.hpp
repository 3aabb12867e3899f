// The commit of which this program was built.
#pragma once

#include <string_view>

namespace soma::cli {

/// The first ten digits of the commit, with "-dirty" behind them if the tree had other changes. It
/// is empty if the sources were not in a git repository.
[[nodiscard]] std::string_view commit();

}  // namespace soma::cli
