#include "deploy/soma/shell/console.hpp"

#include <doctest/doctest.h>

#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/shell/units.hpp"

using namespace soma;
using namespace soma::cli;

TEST_CASE(
    "a table lines up: words on the left, numbers on the right, by what is seen and not by bytes") {
  table t({"modèle", "wins", "share"});
  t.row({"é", "7", "12.5 %"});
  t.row({"english", "1,204", "3 %"});
  const auto lines = t.lines(stream::err);
  REQUIRE(lines.size() == 3);
  CHECK(lines[1] == "é            7  12.5 %");
  CHECK(lines[2] == "english  1,204     3 %");
  CHECK(shown_width("\x1b[1mé\x1b[0m") == 1);
}

TEST_CASE("cells and headers show what others wrote, and obey none of it") {
  table t({"na\nme", "\x1b[2J"});
  t.row({"\x1b[31mred\n", "\xff"});
  const auto lines = t.lines(stream::err);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].starts_with("na me"));
  CHECK(lines[1].starts_with(" [31mred"));
  for (const auto& line : lines) CHECK(line.find_first_of("\x1b\n\xff") == std::string::npos);
}

TEST_CASE("a failure is one line whatever it quotes") {
  CHECK(one_line({"cannot read a\nb", "no such\tfile\x1b[2J", "name another"}) ==
        "soma: cannot read a b: no such file [2J; name another");
  CHECK(one_line({"stopped", "", ""}) == "soma: stopped");
  CHECK(one_line({"w\xff", "", ""}) == "soma: w\xef\xbf\xbd");
}

TEST_CASE("durations, counts and sizes read well at every scale") {
  CHECK(duration_text(0.0123) == "12 ms");
  CHECK(duration_text(0.9999) == "1.0 s");
  CHECK(duration_text(59.96) == "1 min 00 s");
  CHECK(duration_text(3599.9) == "1 h 00 min");
  CHECK(duration_text(-1) == "?");
  CHECK(count_text(0) == "0");
  CHECK(count_text(999) == "999");
  CHECK(count_text(1'000) == "1,000");
  CHECK(count_text(UINT64_MAX) == "18,446,744,073,709,551,615");
  CHECK(to_text(byte_count{1023}) == "1023 B");
  CHECK(to_text(byte_count{1536}) == "1.5 KiB");
  CHECK(to_text(byte_count{1'048'575}) == "1.0 MiB");
}
