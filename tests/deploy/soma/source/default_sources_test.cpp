#include "deploy/soma/source/default_sources.hpp"

#include <doctest/doctest.h>

#include <set>

#include "tests/support/program.hpp"

using namespace soma;
using namespace soma::cli;

TEST_CASE(
    "this machine has at least three kinds of data, half a megabyte of each, in the same order "
    "each time") {
  const auto sources = default_sources();
  const auto again = default_sources();
  REQUIRE(sources.size() >= 3);
  std::set<std::string> names;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    CAPTURE(sources[i].name);
    CHECK(names.insert(sources[i].name).second);
    CHECK(sources[i].files == again[i].files);
    std::uint64_t total = 0;
    for (const auto& piece : load_source(sources[i], 1 << 20, 1 << 20)) total += piece.data.size();
    CHECK(total >= 512 * 1024);
    CHECK(total <= 1 << 20);
  }
}

TEST_CASE("of a program its instructions are taken, not its tables") {
  for (const auto& source : default_sources()) {
    if (!source.only_machine_code) continue;
    for (const auto& piece : load_source(source, 1 << 20, 64 * 1024)) {
      REQUIRE(piece.data.size() >= 4);
      CHECK_FALSE((piece.data[0] == 0x7f && piece.data[1] == 'E' && piece.data[2] == 'L'));
    }
  }
}

TEST_CASE(
    "a folder is read in the order of its paths, within its limits, without links, empty files or "
    "surprises") {
  const support::scratch_folder scratch;
  std::filesystem::create_directories(scratch / "d/sub");
  support::write_text(scratch / "d/b", "bbbb");
  support::write_text(scratch / "d/a", "aaaaaaaa");
  support::write_text(scratch / "d/empty", "");
  support::write_text(scratch / "d/sub/c", "cc");
  std::filesystem::create_symlink("/etc/passwd", scratch / "d/link");
  std::filesystem::create_directory_symlink("..", scratch / "d/sub/loop");
  const auto source = parse_source("mine=" + (scratch / "d").string(), scratch / "home");
  REQUIRE(source);
  CHECK(source->name == "mine");
  const auto text = [&](std::uint64_t all, std::uint64_t each) {
    std::string joined;
    for (const auto& piece : load_source(*source, all, each))
      joined.append(piece.data.begin(), piece.data.end()) += '|';
    return joined;
  };
  CHECK(text(1000, 1000) == "aaaaaaaa|bbbb|cc|");
  CHECK(text(1000, 3) == "aaa|bbb|cc|");
  CHECK(text(10, 1000) == "aaaaaaaa|bb|");
  CHECK(text(0, 1000).empty());
  // An ELF header that lies about its segments is read as plain bytes, or as nothing; never beyond
  // the file.
  support::write_text(scratch / "d/a", std::string("\x7f"
                                                   "ELF\x02\x01\x01",
                                                   7) +
                                           std::string(57, '\xff'));
  auto lying = *source;
  lying.only_machine_code = true;
  CHECK(load_source(lying, 1000, 1000).size() == 3);
}

TEST_CASE("a source that cannot be is refused with a reason") {
  const support::scratch_folder scratch;
  std::filesystem::create_directories(scratch / "none");
  CHECK(parse_source("x=/nowhere/at/all", scratch / "home").error().why ==
        "there is no such file or folder");
  CHECK(parse_source("x=" + (scratch / "none").string(), scratch / "home").error().why ==
        "the folder holds no readable file, and symbolic links in it are not followed");
  CHECK(parse_source("=/etc", scratch / "home").error().code == exit_code::wrong_usage);
  CHECK(parse_source("x=", scratch / "home").error().code == exit_code::wrong_usage);
  CHECK(parse_source("/dev/null", scratch / "home").error().why ==
        "it is not a file or folder that can be read");
}

TEST_CASE("keys, and what soma makes, are no data") {
  const support::scratch_folder scratch;
  const auto home = scratch / "d/.soma";
  const std::string key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n";
  for (const auto* folder : {"d/.soma/ledger", "d/node/blobs", "d/plain"}) {
    std::filesystem::create_directories(scratch / folder);
  }
  support::write_text(home / "ledger/data.mdb", "made by a localnet");
  support::write_text(scratch / "d/node/node.lock", "");
  support::write_text(scratch / "d/node/blobs/b", "made by a node");
  support::write_text(scratch / "d/plain/server.key", key);
  support::write_text(scratch / "d/plain/text", "mine");
  const auto source = source_at("mine", scratch / "d", home);
  REQUIRE(source);
  CHECK(source->files == std::vector<std::filesystem::path>{scratch / "d/plain/text"});
  CHECK(source_at("key", scratch / "d/plain/server.key", home).error().why.find("a private key") !=
        std::string::npos);
  for (const auto& own : {home, scratch / "d/node"}) {
    CHECK(source_at("own", own, home).error().why.find("a home of soma") != std::string::npos);
  }
}
