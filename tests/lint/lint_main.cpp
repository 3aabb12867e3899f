// soma_lint includes|shape ROOT: prints one line a finding; exit code 1 if there is one.
#include <cstdio>
#include <string_view>

#include "tests/lint/layers.hpp"

int main(int argc, char** argv) {
  const std::string_view what = argc == 3 ? argv[1] : "";
  if (what != "includes" && what != "shape") {
    std::fputs("usage: soma_lint includes|shape ROOT\n", stderr);
    return 2;
  }
  const auto found = soma::lint::check_tree(
      argv[2], what == "includes" ? soma::lint::check_includes : soma::lint::check_shape);
  for (const auto& f : found) std::printf("%s:%zu: %s\n", f.path.c_str(), f.line, f.what.c_str());
  std::printf("%zu findings\n", found.size());
  return found.empty() ? 0 : 1;
}
