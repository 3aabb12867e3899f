#include "tests/lint/law.hpp"

#include <doctest/doctest.h>

using soma::lint::check_law;
using soma::lint::source_tree;

namespace {

/// A tree without findings: one library with one source and its test.
source_tree sound_tree() {
  return {
      {"storage/files/CMakeLists.txt", "# Files.\nsoma_library(files\n  SOURCES durable.cpp)\n"},
      {"storage/files/durable.hpp", "namespace soma::files {\n}  // namespace soma::files\n"},
      {"storage/files/durable.cpp", "namespace soma::files {\nnamespace {\n}\n}\n"},
      {"tests/storage/files/durable_test.cpp", "namespace soma::test {\n}\n"}};
}

std::vector<std::string> broken(const source_tree& tree,
                                std::string_view exceptions = "at most 0 lines\n") {
  std::vector<std::string> found;
  for (const auto& f : check_law(tree, exceptions)) found.push_back(f.path + ": " + f.what);
  return found;
}

bool says(const std::vector<std::string>& found, std::string_view words) {
  return found.size() == 1 && found.front().find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("a folder with its library, its namespace and its test breaks no law") {
  CHECK(broken(sound_tree()).empty());
}

TEST_CASE("a folder builds exactly one library, and that has its name") {
  auto tree = sound_tree();
  auto& list = tree["storage/files/CMakeLists.txt"];
  SUBCASE("another name") {
    list = "soma_library(disk\n  SOURCES durable.cpp)\n";
  }
  SUBCASE("two libraries") {
    list += "soma_library(more SOURCES more.cpp)\n";
  }
  SUBCASE("none") {
    list = "add_library(files durable.cpp)\n";
  }
  CHECK(says(broken(tree), "shall build files alone"));
}

TEST_CASE("a folder without a list of its own needs an exception") {
  auto tree = sound_tree();
  tree.erase("storage/files/CMakeLists.txt");
  CHECK(says(broken(tree), "no CMakeLists.txt"));
}

TEST_CASE("a file opens the namespace of its folder and no other") {
  auto tree = sound_tree();
  auto& text = tree["storage/files/durable.hpp"];
  SUBCASE("its own, and one inside it") {
    text = "namespace soma::files::detail {\n}\nnamespace soma::inline files {\n}\n";
    CHECK(broken(tree).empty());
  }
  SUBCASE("another one") {
    text = "namespace soma::blobs {\n}\n";
    CHECK(says(broken(tree), "soma::files is the namespace of this folder"));
  }
  SUBCASE("another one that is inline") {
    text = "namespace soma::inline values {\n}\n";
    CHECK(says(broken(tree), "namespace soma::values"));
  }
  SUBCASE("one whose name only begins alike") {
    text = "namespace soma::files_of_others {\n}\n";
    CHECK(says(broken(tree), "soma::files is"));
  }
  SUBCASE("the outermost") {
    text = "namespace soma {\n}\n";
    CHECK(says(broken(tree), "namespace soma, "));
    CHECK(broken(tree, "at most 1 lines\nnamespace storage/files/durable.hpp .\n").empty());
  }
}

TEST_CASE("each source has a test of its name, or an exception that names another") {
  auto tree = sound_tree();
  tree.erase("tests/storage/files/durable_test.cpp");
  CHECK(says(broken(tree), "no tests/storage/files/durable_test.cpp"));
  const std::string_view list =
      "at most 1 lines\nuntested storage/files/durable.cpp tests/storage/kill.cpp\n";
  CHECK(says(broken(tree, list), "not there: tests/storage/kill.cpp"));
  tree["tests/storage/kill.cpp"] = "";
  CHECK(broken(tree, list).empty());
}

TEST_CASE("each test below a folder of the product is named after a source") {
  auto tree = sound_tree();
  tree["tests/storage/files/kill_test.cpp"] = "";
  CHECK(says(broken(tree), "there is no storage/files/kill.cpp"));
  CHECK(broken(tree, "at most 1 lines\nunmirrored tests/storage/files/kill_test.cpp\n").empty());
  tree.erase("tests/storage/files/kill_test.cpp");
  tree["tests/functional/kill_test.cpp"] = "";
  CHECK(broken(tree).empty());
}

TEST_CASE("a folder holds at most twenty-five sources, or as many as its exception says") {
  auto tree = sound_tree();
  for (int i = 0; i < 23; ++i) tree["storage/files/h" + std::to_string(i) + ".hpp"] = "";
  CHECK(broken(tree).empty());
  tree["storage/files/one_more.hpp"] = "";
  CHECK(says(broken(tree), "26 sources, 25 are allowed"));
  CHECK(broken(tree, "at most 1 lines\nfiles storage/files 26\n").empty());
  tree["storage/files/and_one.hpp"] = "";
  CHECK(says(broken(tree, "at most 1 lines\nfiles storage/files 26\n"), "27 sources, 26"));
}

TEST_CASE("the list of exceptions only shrinks") {
  CHECK(says(broken(sound_tree(), "at most 1 lines\n"), "0 exceptions, the first line says 1"));
  CHECK(says(broken(sound_tree(), "at most 1 lines\nfiles storage/files 30\n"),
             "nothing needs this exception any more"));
}

TEST_CASE("a folder inside another one may belong to its library and namespace") {
  auto tree = sound_tree();
  tree["storage/files/linux/sync.hpp"] = "namespace soma::files {\n}\n";
  CHECK(broken(tree).size() == 2);
  CHECK(broken(tree, "at most 1 lines\nlibrary storage/files/linux\n").empty());
}

TEST_CASE("the folders of the program share one namespace and have a library each") {
  auto tree = sound_tree();
  tree["deploy/soma/wallet/CMakeLists.txt"] = "soma_library(cli_wallet SOURCES send.cpp)\n";
  tree["deploy/soma/wallet/send.cpp"] = "namespace soma::cli {\n}\n";
  tree["tests/deploy/soma/wallet/send_test.cpp"] = "";
  CHECK(broken(tree).empty());
  tree["deploy/soma/wallet/send.cpp"] = "namespace soma::wallet {\n}\n";
  CHECK(says(broken(tree), "soma::cli is the namespace"));
}
