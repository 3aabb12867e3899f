// Shows that the test of the pages fails when it has to, with pages that have each kind of mistake.
#include <doctest/doctest.h>

#include "tests/functional/guide_names.hpp"

using namespace soma::guide;

namespace {

const tree& built() {
  static const tree here{SOMA_SOURCE, SOMA_BINARY};
  return here;
}

page of(std::string_view text) {
  return parse_page("page.md", text);
}

/// The fault of a page with exactly one fault.
std::string only_fault(std::string_view text) {
  const auto read = of(text);
  REQUIRE(read.faults.size() == 1);
  return read.faults[0];
}

std::string first_wrong(std::string_view text) {
  const auto read = of(text);
  REQUIRE(read.faults.empty());
  page_run run(built());
  for (const auto& one : read.blocks) {
    if (auto wrong = run.run(one); !wrong.empty()) return wrong;
  }
  return {};
}

bool says(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a page is read into blocks with their settings") {
  const auto read =
      of("# One\nsee `a b` and `--c`\n\n"
         "<!-- test: free ports 7100 to 7103 -->\n<!-- test: first mkdir x -->\n"
         "```sh\nsoma status  # why\n```\n## Two\n```text\nno\n```\n");
  CHECK(read.faults.empty());
  CHECK(read.lines == 12);
  REQUIRE(read.blocks.size() == 2);
  CHECK(read.blocks[0].line == 6);
  CHECK(read.blocks[0].section == 1);
  CHECK(read.blocks[0].free_ports->last == 7103);
  CHECK(read.blocks[0].first == std::vector<std::string>{"mkdir x"});
  CHECK(read.blocks[0].content == "soma status  # why\n");
  CHECK(read.blocks[1].section == 2);
  REQUIRE(read.spans.size() == 2);
  CHECK(read.spans[0].text == "a b");
}

TEST_CASE("what is no notation is a fault") {
  CHECK(says(only_fault("```\nsoma status\n```\n"), "sh, text or toml"));
  CHECK(says(only_fault("```sh\nsoma status\n"), "not closed"));
  CHECK(says(only_fault("```sh\n# nothing\n```\n"), "without a command"));
  CHECK(says(only_fault("<!-- test: not run -->\n```sh\nls\n```\n"), "no setting"));
  CHECK(says(only_fault("<!-- test: free ports 9 to 8 -->\n```sh\nls\n```\n"), "no setting"));
  CHECK(says(only_fault("<!-- test: status x -->\n```sh\nls\n```\n"), "no setting"));
  CHECK(says(only_fault("<!-- test: interrupt -->\nwords\n```sh\nls\n```\n"), "directly before"));
  CHECK(says(only_fault("<!-- test: interrupt -->\n"), "no block follows"));
  CHECK(says(only_fault("<!-- words -->\n```sh\nls\n```\n"), "begins with"));
  CHECK(says(only_fault("<!-- test: status 1 -->\n```text\nls\n```\n"), "not run"));
  CHECK(says(only_fault("```toml\na = 1\n```\n"), "which file"));
  CHECK(says(only_fault("an `open mark\n"), "ends on its line"));
}

TEST_CASE("a script is read into its commands") {
  const auto read = commands_of("# no\nsoma a \"b c\" \\\n  --d # why\nx | y; z && w >f\n");
  REQUIRE(read.size() == 5);
  CHECK(read[0] == shell_words{"soma", "a", "b c", "--d"});
  CHECK(read[4] == shell_words{"w"});
  CHECK(with_arguments("soma a", "--b") == "soma a --b");
  CHECK(with_arguments("soma a \"#b\"   # why", "--c d") == "soma a \"#b\" --c d  # why");
}

TEST_CASE("output is compared by its words, not by its numbers") {
  const std::string printed = "height 7, at 10:00\nrate   12.5 kB/s  good\n";
  CHECK(lines_not_printed("rate 9 MB/s good\n\nheight 12, at 11:30\n", printed).empty());
  CHECK(lines_not_printed("… good\nheight …\n", printed).empty());
  CHECK(lines_not_printed("rate 9 MB/s bad\n", printed).size() == 1);
  CHECK(lines_not_printed("weight 7, at 10:00\n", printed).size() == 1);
}

TEST_CASE("folders and variables last from block to block; a failing command is told") {
  CHECK(first_wrong("```sh\nmkdir ~/x\ncd ~/x\nexport A=b\n```\n"
                    "```sh\ntest $A = b\ntest $PWD = ~/x\necho seen $A\n```\n"
                    "```text\nseen b\n```\n") == "");
  CHECK(says(first_wrong("```sh\ntrue\nfalse\ntrue\n```\n"), "here it failed: false"));
  CHECK(says(first_wrong("```sh\necho one\n```\n```text\ntwo\n```\n"), "was not printed: two"));
  CHECK(first_wrong("<!-- test: status 3 -->\n```sh\nexit 3\n```\n") == "");
  CHECK(says(first_wrong("<!-- test: status 3 -->\n```sh\ntrue\n```\n"), "instead of 3"));
}

TEST_CASE("settings do what they say") {
  CHECK(first_wrong("<!-- test: let 0xab be echo 0xcd -->\n```sh\ntest 0xab = 0x\"cd\"\n```\n") ==
        "");
  CHECK(first_wrong("<!-- test: arguments -a -->\n```sh\necho b # c\necho d\n```\n"
                    "```text\nb -a\nd -a\n```\n") == "");
  CHECK(first_wrong("<!-- test: free ports 7100 to 7101 -->\n"
                    "```sh\ntest 7100 != 71''00\ntest 71000 = 71''000\n```\n") == "");
  CHECK(first_wrong("```sh\nmkdir sub\ncd sub\n```\n"
                    "<!-- test: file ~x/a.toml -->\n```toml\na = 1\n```\n"
                    "```sh\ngrep 'a = 1' '~x/a.toml'\n```\n") == "");
  CHECK(first_wrong("<!-- test: not run: it would fail -->\n```sh\nfalse\n```\n") == "");
  CHECK(
      first_wrong("<!-- test: background until b -->\n```sh\nsh -c 'echo b; exec sleep 100'\n```\n"
                  "<!-- test: interrupt -->\n```sh\ntrue\n```\n") == "");
}

TEST_CASE("what a page names and what is not there is told") {
  name_checker checker(built());
  const auto faults = checker.missing(
      of("```sh\nsoma statsu\nsoma status --joinn x\ndeploy/nothing\n"
         "build/release/tests/nothing a\n```\n"
         "`soma wallet give`, `soma wallet send --json`, `--nothing`, `actors/nothing/`\n"
         "`--join HOST:PORT`, `soma model list --status active`, `messages/`, `--dry-run`\n"));
  CHECK(faults.size() == 7);
  for (const auto& fault : faults) CAPTURE(fault);
}
