#include "deploy/soma/send/publication.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "tests/support/program.hpp"

using namespace soma;
using namespace soma::cli;

namespace {

publication some_publication() {
  crypto::system_random random;
  auto made = new_publication(random);
  made.chain = random.next_id<chain_id>();
  made.owner = random.next_id<address>();
  made.weights = random.next_id<weights_hash>();
  made.embedding = {0.5F, -1.25F};
  made.stake = shannons{7};
  made.commission_bps = 300;
  made.commit.emplace().body = {1, 2, 3};
  made.commit_expiry = epoch_number{9};
  made.commit_nonce = 4;
  return made;
}

publication_file opened(const support::scratch_folder& home, const publication& content) {
  auto file = publication_file::open(home.path(), content.chain, content.owner, content.weights,
                                     content.update_of);
  REQUIRE(file);
  return std::move(*file);
}

/// The same file with `line` in place of the line of `name`; an empty line removes it. Returns the
/// number of the line, which is the last one if there is no such name.
int replace_line(const std::filesystem::path& path, const std::string& name,
                 const std::string& line) {
  std::ifstream in(path);
  std::string out, one;
  int number = 0, replaced = 0;
  while (std::getline(in, one)) {
    ++number;
    if (one.starts_with(name + " = ")) {
      replaced = number;
      one = line;
    }
    out += one + "\n";
  }
  if (replaced == 0) {
    replaced = number + 1;
    out += line + "\n";
  }
  support::write_text(path, out);
  return replaced;
}

}  // namespace

TEST_CASE("a publication reads back as it was written") {
  const support::scratch_folder home;
  const auto content = some_publication();
  const auto file = opened(home, content);
  REQUIRE(file.read());
  CHECK_FALSE(file.read()->has_value());
  REQUIRE(file.write(content));
  const auto read = file.read();
  REQUIRE(read);
  REQUIRE(read->has_value());
  const auto& again = **read;
  CHECK(again.key == content.key);
  CHECK(again.iv == content.iv);
  CHECK(again.salt == content.salt);
  CHECK(again.embedding == content.embedding);
  CHECK(again.stake == content.stake);
  CHECK(again.commission_bps == content.commission_bps);
  REQUIRE(again.commit);
  CHECK(again.commit->body == content.commit->body);
  CHECK(again.commit_expiry == content.commit_expiry);
  CHECK(again.commit_nonce == content.commit_nonce);
  CHECK_FALSE(again.published);
}

TEST_CASE("a damaged publication is refused by name and line") {
  struct row {
    const char* name;
    const char* line;
    const char* why;
    bool is_missing = false;  // then the refusal has no line
  };
  for (const auto& [name, line, why, is_missing] : {
           row{"commission_bps", "commission_bps = 10001", "commission_bps is not a whole number"},
           row{"commission_bps", "commission_bps = 4294967297", "up to 10000"},
           row{"stake_shannons", "stake_shannons = \"5\"", "stake_shannons is not a whole number"},
           row{"stake_shannons", "stake_shannons = -1", "stake_shannons is not a whole number"},
           row{"stake_shannons", "stake_shannons = 10000000000000001", "up to 10000000000000000"},
           row{"published", "published = \"true\"", "published is not true or false"},
           row{"published", "", "published is missing", true},
           row{"key", "key = \"00\"", "key is not 32 bytes long"},
           row{"key", "key = \"0\"", "key is not a text in hexadecimal"},
           row{"iv", "iv = 5", "iv is not a text in hexadecimal"},
           row{"salt", "salt = \"zz\"", "salt is not a text in hexadecimal"},
           row{"salt", "", "salt is missing", true},
           row{"embedding", "embedding = \"\"", "embedding is not a row of finite"},
           row{"embedding", "embedding = \"0000\"", "embedding is not a row of finite"},
           row{"embedding", "embedding = \"0000c07f\"", "embedding is not a row of finite"},
           row{"embedding", "embedding = [0.5]", "embedding is not a text in hexadecimal"},
           row{"update_of", "update_of = \"0x11\"", "update_of is not 32 bytes long"},
           row{"commit_body", "", "commit_body is missing", true},
           row{"commit_signature", "", "commit_signature is missing", true},
           row{"commit_nonce", "commit_nonce = true", "commit_nonce is not a whole number"},
           row{"commission", "commission = 5", "no such name as commission; the nearest is"},
           row{"table", "[table]", "there is no such name as table"},
           row{"salt", "salt = = 1", ""},
       }) {
    CAPTURE(std::string(line));
    CAPTURE(std::string(why));
    const support::scratch_folder home;
    const auto content = some_publication();
    const auto file = opened(home, content);
    REQUIRE(file.write(content));
    const auto number = replace_line(file.path(), name, line);
    const auto read = file.read();
    REQUIRE_FALSE(read);
    CAPTURE(one_line(read.error()));
    CHECK(read.error().problem == "cannot read " + file.path().string());
    CHECK(read.error().why.find(why) != std::string::npos);
    const bool has_line = read.error().why.starts_with("line " + std::to_string(number) + ": ");
    CHECK(has_line != is_missing);
  }
}

TEST_CASE("a publication without its commitment is not published, and has its own file") {
  const support::scratch_folder home;
  auto content = some_publication();
  content.commit.reset();
  const auto file = opened(home, content);
  REQUIRE(file.write(content));
  REQUIRE(file.read());
  replace_line(file.path(), "published", "published = true");
  REQUIRE_FALSE(file.read());
  CHECK(file.read().error().why == "commit_body is missing");

  auto other = content;
  other.weights.value[0] ^= 1U;
  const auto of_other = opened(home, other);
  REQUIRE(of_other.write(content));
  REQUIRE_FALSE(of_other.read());
  CHECK(of_other.read().error().why == "it belongs to another publication");

  // What is there and cannot be read may hold the key of a commitment: it never counts as none.
  std::filesystem::remove(file.path());
  std::filesystem::create_symlink("nowhere", file.path());
  CHECK_FALSE(file.read());
}
