// A key that was made opens again, and an address is shown only for the key that is there.
#include <doctest/doctest.h>

#include "messages/crypto/ed25519.hpp"
#include "messages/crypto/key_file.hpp"
#include "tests/deploy/soma/binary.hpp"

namespace soma {

using support::is_one_line;
using support::parse_json;
using support::read_text;
using support::run_program;
using support::soma_user;
using support::write_text;

namespace fs = std::filesystem;

namespace {

/// The address that `wallet list` shows for the key; empty when it says that the key is locked.
std::string listed(const soma_user& user, const std::string& name) {
  const auto list = parse_json(user.run({"wallet", "list", "--json"}).out);
  REQUIRE(list.has_value());
  for (const auto& key : (*list)["keys"].elements) {
    if (key["name"].text == name) return key["address"].text == "null" ? "" : key["address"].text;
  }
  return "not listed";
}

void replace_key(const soma_user& user, const std::string& name, const std::string& by) {
  fs::copy_file(user.at(".soma/keys/" + by + ".pem"), user.at(".soma/keys/" + name + ".pem"),
                fs::copy_options::overwrite_existing);
}

}  // namespace

TEST_CASE("a passphrase of any length opens the key that it made, or makes none") {
  const soma_user user;
  for (const std::size_t size : {1u, 2u, 63u, 1'023u, 1'024u, 1'025u, 2'000u, 4'096u, 5'000u}) {
    CAPTURE(size);
    std::string phrase(size, 'p');
    phrase[size / 2] = 'q';
    write_text(user.at("phrase"), phrase + "\n");
    const auto name = "k" + std::to_string(size);
    const auto made = user.run({"wallet", "new", name, "--passphrase-file", user.at("phrase")});
    const auto path = user.at(".soma/keys/" + name + ".pem");
    if (made.exit_code == 0) {
      CHECK(size <= crypto::max_passphrase_bytes);
      const auto opened = crypto::load_key(path, phrase);
      REQUIRE(opened.has_value());
      CHECK(made.out.find(crypto::address_of(opened->public_half()).text()) != std::string::npos);
    } else {
      CHECK(size > crypto::max_passphrase_bytes);
      CHECK(made.exit_code == 1);
      CHECK(is_one_line(made.err));
      CHECK_FALSE(fs::exists(path));
    }
  }
}

TEST_CASE("a key that was replaced is not shown under the address of the key that is gone") {
  const soma_user user;
  write_text(user.at("phrase"), "correct horse\n");
  for (const auto* name : {"alice", "carol"}) {
    REQUIRE(user.run({"wallet", "new", name, "--passphrase-file", user.at("phrase")}).exit_code ==
            0);
  }
  REQUIRE(user.run({"wallet", "new", "bob", "--no-passphrase"}).exit_code == 0);
  const auto alice = listed(user, "alice"), bob = listed(user, "bob"),
             carol = listed(user, "carol");
  CHECK(alice.starts_with("0x"));
  CHECK(carol.starts_with("0x"));
  replace_key(user, "alice", "carol");
  CHECK(listed(user, "alice").empty());
  const auto genesis = [&](const std::string& account) {
    return user.run({"genesis", "new", "--validator", user.at("v.key"), "--account", account + "=5",
                     "--arch", "tiny", "-o", user.at("g.bin")});
  };
  const auto refused = genesis("alice");
  CHECK(refused.exit_code == 1);
  CHECK(is_one_line(refused.err));
  CHECK_FALSE(fs::exists(user.at("g.bin")));
  replace_key(user, "alice", "bob");
  CHECK(listed(user, "alice") == bob);
  // A key that was written back is known again.
  REQUIRE(user.run({"wallet", "new", "dave", "--passphrase-file", user.at("phrase")}).exit_code ==
          0);
  const auto dave = listed(user, "dave");
  fs::copy_file(user.at(".soma/keys/dave.pem"), user.at("copy.pem"));
  replace_key(user, "dave", "carol");
  CHECK(listed(user, "dave").empty());
  fs::copy_file(user.at("copy.pem"), user.at(".soma/keys/dave.pem"),
                fs::copy_options::overwrite_existing);
  CHECK(listed(user, "dave") == dave);
}

TEST_CASE("only keys are listed as keys") {
  const soma_user user;
  REQUIRE(user.run({"wallet", "new", "bob", "--no-passphrase"}).exit_code == 0);
  write_text(user.at(".soma/keys/junk.pem"), "no key at all");
  write_text(user.at(".soma/keys/empty.pem"), "");
  fs::create_directory(user.at(".soma/keys/folder.pem"));
  fs::create_symlink(user.at("nowhere"), user.at(".soma/keys/dangling.pem"));
  const auto list = parse_json(user.run({"wallet", "list", "--json"}).out);
  REQUIRE(list.has_value());
  REQUIRE((*list)["keys"].elements.size() == 1);
  CHECK((*list)["keys"].elements[0]["name"].text == "bob");
}

TEST_CASE("a key that cannot be read is a key all the same") {
  const soma_user user;
  for (const auto* name : {"alice", "bob"}) {
    REQUIRE(user.run({"wallet", "new", name, "--no-passphrase"}).exit_code == 0);
  }
  const auto run = [&](const std::vector<std::string>& words) {
    return run_program(user.folder().path(),
                       support::bound_by_permissions(soma_user::command(words)),
                       std::chrono::seconds(60));
  };
  REQUIRE(run({"genesis", "new", "--validator", user.at("v.key"), "--account", "bob=5", "--arch",
               "tiny", "-o", user.at("g.bin")})
              .exit_code == 0);
  fs::permissions(user.at(".soma/keys/alice.pem"), fs::perms::none);
  const auto listed = run({"wallet", "list"});
  CHECK(listed.exit_code == 0);
  CHECK(listed.out.find("cannot be read: Permission denied") != std::string::npos);
  // Bob's key is not taken for the only one.
  const auto sent = run({"wallet", "send", "bob", "1", "--ledger", user.at("none"), "--dry-run"});
  CHECK(sent.exit_code == 1);
  CHECK(sent.err.find("2 keys are in") != std::string::npos);
  const auto used = run({"genesis", "new", "--validator", user.at("w.key"), "--account", "alice=5",
                         "--arch", "tiny", "-o", user.at("h.bin")});
  CHECK(used.exit_code == 1);
  CHECK(used.err.find("Permission denied") != std::string::npos);

  fs::permissions(user.at(".soma/keys"), fs::perms::none);
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"wallet", "list"},
           {"genesis", "new", "--validator", user.at("w.key"), "--account", "bob=5", "--arch",
            "tiny", "-o", user.at("h.bin")}}) {
    const auto refused = run(words);
    CAPTURE(refused.err);
    CHECK(refused.exit_code == 1);
    CHECK(is_one_line(refused.err));
    CHECK(refused.err.find("Permission denied") != std::string::npos);
  }
  fs::permissions(user.at(".soma/keys"), fs::perms::owner_all);
}

TEST_CASE("a passphrase comes from a pipe as well as from a file") {
  const soma_user user;
  const std::string binary = SOMA_BINARY;
  const auto shell = [&](const std::string& line) {
    return run_program(user.folder().path(), {"/bin/bash", "-c", line}, std::chrono::seconds(60));
  };
  CHECK(shell(binary + " wallet new a --passphrase-file <(echo secret)").exit_code == 0);
  CHECK(shell("echo secret | " + binary + " wallet new b --passphrase-file /dev/stdin").exit_code ==
        0);
  for (const auto* name : {"a", "b"}) {
    CHECK(crypto::load_key(user.at(std::string(".soma/keys/") + name + ".pem"), "secret")
              .has_value());
  }
  for (const auto* nothing : {"<(true)", "/dev/null", "/", "nowhere"}) {
    CAPTURE(std::string(nothing));
    const auto done = shell(binary + " wallet new c --passphrase-file " + nothing);
    CHECK(done.exit_code == 1);
    CHECK(is_one_line(done.err));
    CHECK_FALSE(fs::exists(user.at(".soma/keys/c.pem")));
  }
}

}  // namespace soma
