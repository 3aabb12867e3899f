// soma_lint includes|shape|citations|law ROOT: prints one line for each finding; exit code 1 if
// there is one.
#include <cstdio>
#include <string_view>

#include "tests/lint/citations.hpp"
#include "tests/lint/law.hpp"
#include "tests/lint/layers.hpp"

namespace {

std::vector<soma::lint::finding> run(std::string_view what, const char* root) {
  if (what == "includes") return soma::lint::check_tree(root, soma::lint::check_includes);
  if (what == "shape") return soma::lint::check_tree(root, soma::lint::check_shape);
  if (what == "law") {
    const auto tree = soma::lint::read_tree(root);
    const auto list = tree.find("tests/lint/exceptions.txt");
    return soma::lint::check_law(tree, list == tree.end() ? "" : list->second);
  }
  return soma::lint::check_citations(std::filesystem::path(root));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc == 3 ? argv[1] : "";
  if (what != "includes" && what != "shape" && what != "citations" && what != "law") {
    std::fputs("usage: soma_lint includes|shape|citations|law ROOT\n", stderr);
    return 2;
  }
  const auto found = run(what, argv[2]);
  for (const auto& f : found) std::printf("%s:%zu: %s\n", f.path.c_str(), f.line, f.what.c_str());
  std::printf("%zu findings\n", found.size());
  return found.empty() ? 0 : 1;
}
