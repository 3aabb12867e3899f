#include "tests/lint/citations.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <fstream>

using soma::lint::check_citations;
using soma::lint::finding;
using soma::lint::specification;
using soma::lint::text_file;

namespace {

const std::vector<specification> two{
    {"actors/rules/PROTOCOL.md", "protocol", "", "actors/rules", {}},
    {"actors/consensus/CONSENSUS.md",
     "consensus",
     "RE",
     "actors/consensus",
     {"actors/consensus", "tests/actors/consensus"}},
};

const std::string protocol =
    "# Rules\n\n## §1 Units\n\n**§1.1** One.\n**§1.2** Two, see §1.1.\n**§1.2.1** Three.\n\n"
    "## §2 Fees\n\nBurned.\n";
const std::string cites_all = "// Protocol §1.1, §1.2 and §1.2.1. Fees: protocol §2.\n";

/// "path:line: what" of every finding in the protocol and these files.
std::vector<std::string> found_in(std::vector<text_file> files,
                                  const std::string& text = protocol) {
  files.push_back({"actors/rules/PROTOCOL.md", text});
  std::vector<std::string> lines;
  for (const auto& f : check_citations(two, files)) {
    lines.push_back(f.path + ":" + std::to_string(f.line) + ": " + f.what);
  }
  return lines;
}

using lines = std::vector<std::string>;

/// The findings when a source and a test cite everything and `more` is added.
lines found_beside(text_file more) {
  return found_in(
      {{"actors/rules/a.cpp", cites_all}, {"tests/actors/a_test.cpp", cites_all}, std::move(more)});
}

}  // namespace

TEST_CASE("a rule that no source or no test cites is found where it stands") {
  CHECK(found_beside({"README.md", ""}) == lines{});
  CHECK(
      found_in({{"actors/rules/a.cpp", cites_all},
                {"tests/a_test.cpp", "TEST_CASE(\"protocol §1.1: one\") {}\n// protocol §2\n"}}) ==
      lines{"actors/rules/PROTOCOL.md:6: §1.2 is cited by no test",
            "actors/rules/PROTOCOL.md:7: §1.2.1 is cited by no test"});
  CHECK(found_in({{"messages/a.capnp", "# Protocol §1.1 to §1.2.\n"},
                  {"tests/a_test.cpp", cites_all}}) ==
        lines{"actors/rules/PROTOCOL.md:7: §1.2.1 is cited by no source",
              "actors/rules/PROTOCOL.md:9: §2 is cited by no source"});
}

TEST_CASE("a number that does not exist is found in every kind of file, with its line") {
  for (const char* path : {"deploy/soma/a.cpp", "tests/b_test.cpp", "README.md", "model/a.hpp"}) {
    CAPTURE(path);
    CHECK(
        found_beside({path, "one\n\ntwo (protocol §1.3)\n"}) ==
        lines{std::string(path) + ":3: protocol §1.3 does not exist in actors/rules/PROTOCOL.md"});
  }
  CHECK(
      found_in({{"actors/a.cpp", cites_all}, {"tests/a.cpp", cites_all}}, protocol + "See §3.\n") ==
      lines{"actors/rules/PROTOCOL.md:12: protocol §3 does not exist in "
            "actors/rules/PROTOCOL.md"});
}

TEST_CASE("a citation goes over the end of a line, of a comment and of a string") {
  for (const char* text : {"/// By protocol\n/// §1.9.\n", "# See protocol\n# §1.9\n",
                           "  \"slashed (protocol \"\n      \"§1.9)\"\n"}) {
    CAPTURE(text);
    const auto found = found_beside({"actors/a.cpp", text});
    REQUIRE(found.size() == 1);
    CHECK(found[0].starts_with("actors/a.cpp:2: protocol §1.9"));
  }
}

TEST_CASE("lists and ranges cite each of their numbers, and end where they end") {
  const auto count = [](const std::string& text) {
    return found_beside({"actors/a.cpp", "// " + text + "\n"}).size();
  };
  CHECK(count("protocol §1.3, §1.4 and §1.5") == 3);
  CHECK(count("protocol §1.1 to §1.4") == 2);
  CHECK(count("protocol §§3-5") == 3);
  CHECK(count("protocol §§1 and 2, and 12 more") == 1);
  CHECK(count("Protocol §1.1 and 7 of them") == 0);
  CHECK(count("protocol §1.1.") == 0);
}

TEST_CASE("a § needs the name of its specification before it, except inside the specification") {
  CHECK(found_beside({"actors/a.cpp", "// Rule §1.1\n"}) ==
        lines{"actors/a.cpp:1: a § without the name of its specification"});
  CHECK(found_beside({"README.md", "Written as `§8.1`.\n\n```\n§9\n```\n"}) == lines{});
  CHECK(found_beside({"tests/lint/a_test.cpp", "// §77\n"}) == lines{});
  CHECK(found_beside({"actors/a.cpp", "text += \" (protocol §\" + section;\n"}) == lines{});
}

TEST_CASE("definitions have one form and come once") {
  const std::vector<text_file> citing{{"actors/a.cpp", cites_all}, {"tests/a.cpp", cites_all}};
  const std::string path = "actors/rules/PROTOCOL.md:";
  CHECK(found_in(citing, protocol + "**§1.1** Again.\n") ==
        lines{path + "12: §1.1 stands in section §2", path + "12: §1.1 is defined twice"});
  CHECK(found_in(citing, protocol + "**§2.1.** With a stop.\n") ==
        lines{path + "12: a rule begins with its number in bold and a blank",
              path + "12: protocol §2.1 does not exist in actors/rules/PROTOCOL.md"});
  CHECK(found_in(citing, protocol + "**Bold** is no rule.\n") == lines{});
}

TEST_CASE("a specification has to be there as soon as its folder has a file") {
  CHECK(found_beside({"actors/consensus/core.cpp", "// R1\n"}) ==
        lines{"actors/consensus/CONSENSUS.md:0: the specification of actors/consensus is missing"});
}

TEST_CASE("letters need no name in the folders of consensus and need it elsewhere") {
  const text_file consensus{"actors/consensus/CONSENSUS.md", "**R1** One.\n**E2** Two, see R1.\n"};
  const auto found = [&](const char* path, const std::string& text) {
    lines all;
    for (const auto& f : check_citations(two, std::vector<text_file>{consensus, {path, text}})) {
      if (f.path == path) all.push_back(f.what);
      if (f.what == "E2 is cited by no test") all.push_back(f.what);
    }
    return all;
  };
  const std::string missing = "consensus R9 does not exist in actors/consensus/CONSENSUS.md";
  CHECK(found("tests/actors/consensus/a_test.cpp", "// R1, R9, E2; XR7, R8x, S4\n") ==
        lines{missing});
  CHECK(found("tests/deploy/a_test.cpp", "// R9; consensus E2, R9 and R1\n") == lines{missing});
  CHECK(found("tests/deploy/b_test.cpp", "// R9, E2\n") == lines{"E2 is cited by no test"});
}

TEST_CASE("a broken citation planted in a tree of files is caught") {
  namespace fs = std::filesystem;
  const auto root = fs::temp_directory_path() / ("soma_citations_" + std::to_string(::getpid()));
  fs::create_directories(root / "actors/rules");
  fs::create_directories(root / "tests/actors");
  std::ofstream(root / "actors/rules/PROTOCOL.md") << protocol;
  std::ofstream(root / "actors/rules/a.hpp") << cites_all;
  std::ofstream(root / "actors/rules/notes.txt") << "§99\n";
  std::ofstream(root / "tests/actors/a_test.cpp") << cites_all << "// protocol §2.7\n";
  std::ofstream(root / "README.md") << "Text\n";
  const auto found = check_citations(root);
  fs::remove_all(root);
  REQUIRE(found.size() == 1);
  CHECK(found[0] == finding{"tests/actors/a_test.cpp", 2,
                            "protocol §2.7 does not exist in actors/rules/PROTOCOL.md"});
}
