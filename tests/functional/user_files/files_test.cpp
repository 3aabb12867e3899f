// No command loses a file: two uses of one file are refused, what is written is there as a whole or
// everything is as it was, and folders that a process uses belong to it.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <thread>

#include "tests/functional/user_files/in_folder.hpp"

using soma::support::comes_true;
using soma::support::is_one_line;
using soma::support::read_text;
using soma::support::run_program;
using soma::support::run_there;
using soma::support::running_program;
using soma::support::soma_user;
using soma::support::typed;
using soma::support::write_text;

namespace fs = std::filesystem;

namespace {

std::string some_text(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) {
    text += "line " + std::to_string(i * i % 977) + " of some text to learn from\n";
  }
  return text;
}

/// The names in a folder, hidden ones too.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

/// True if a process holds a lock on the file, as the kernel lists it. Trying to take the lock
/// would keep it from others for a moment.
bool is_locked(const fs::path& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return false;
  std::ifstream locks("/proc/locks");
  const auto inode = ":" + std::to_string(file.st_ino) + " ";
  for (std::string line; std::getline(locks, line);) {
    if (line.find(inode) != std::string::npos && line.find("->") == std::string::npos) return true;
  }
  return false;
}

std::vector<std::string> train(std::vector<std::string> more) {
  std::vector<std::string> words{"model", "train",    "--steps", "2",      "--batch",
                                 "1",     "--window", "64",      "--arch", "tiny"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace

TEST_CASE("training refuses to write over what it reads, however the file is named") {
  const soma_user user;
  const auto home = user.folder().path();
  const auto data = some_text(200'000);
  write_text(home / "d.txt", data);
  fs::create_directory(home / "sub");
  fs::create_symlink(home / "d.txt", home / "link.txt");
  fs::create_hard_link(home / "d.txt", home / "hard.txt");
  write_text(home / "old.st", "weights");
  const std::vector<std::vector<std::string>> wrong{
      {"--data", "d.txt", "-o", "a.st", "--checkpoint", "a.st"},
      {"--data", "d.txt", "-o", "a.st", "--checkpoint", "./sub/../a.st"},
      {"--data", "d.txt", "-o", "a.st", "--checkpoint", "d.txt", "--force"},
      {"--data", "d.txt", "-o", "a.st", "--checkpoint", "link.txt", "--force"},
      {"--data", "d.txt", "-o", "a.st", "--checkpoint", "hard.txt", "--force"},
      {"--data", "link.txt", "-o", "d.txt", "--force"},
      {"--data", "d.txt", "--data", "old.st", "-o", "old.st", "--force"},
      {"--data", "d.txt", "--from", "old.st", "-o", "a.st", "--checkpoint", "old.st", "--force"},
  };
  for (const auto& words : wrong) {
    CAPTURE(words);
    const auto done = run_there(user, train(words));
    CHECK(done.exit_code == 2);
    CHECK(is_one_line(done.err));
    CHECK(read_text(home / "d.txt") == data);
    CHECK(read_text(home / "old.st") == "weights");
  }
  CHECK_FALSE(fs::exists(home / "a.st"));
  CHECK_FALSE(fs::exists(home / "a.st.checkpoint"));
}

TEST_CASE("a file may have a name in brackets") {
  const soma_user user;
  const auto home = user.folder().path();
  write_text(home / "[a,b]", some_text(200'000));
  const auto done = run_there(user, train({"--data", "[a,b]", "--data=[a,b]", "-o", "[w]"}));
  CAPTURE(done.err);
  CHECK(done.exit_code == 0);
  CHECK(fs::exists(home / "[w]"));
}

TEST_CASE("what training makes in its own data folder is no data") {
  const soma_user user;
  const auto folder = user.folder() / "data";
  fs::create_directory(folder);
  write_text(folder / "d.txt", some_text(300'000));
  const std::vector<std::string> words{"model",  "train",    "--steps", "400",      "--batch",
                                       "1",      "--window", "64",      "--arch",   "tiny",
                                       "--data", "data",     "-o",      "data/w.st"};
  {
    running_program stopped(user.folder().path(), typed(user, words));
    REQUIRE(comes_true([&] { return fs::exists(folder / "w.st.checkpoint"); }));
    stopped.send(SIGINT);
    CHECK(stopped.wait().exit_code == 1);
  }
  REQUIRE(fs::exists(folder / "w.st.checkpoint"));
  write_text(folder / "w.st.part-77", "an interrupted write");
  auto again = words;
  again.emplace_back("--resume");
  const auto resumed = run_there(user, again);
  CAPTURE(resumed.err);
  CHECK(resumed.exit_code == 0);
  CHECK_FALSE(fs::exists(folder / "w.st.checkpoint"));
  // The same run without a stop and without products beside the data gives the same weights.
  write_text(user.folder() / "d.txt", read_text(folder / "d.txt"));
  auto straight = words;
  straight[11] = "d.txt";
  straight[13] = "w.st";
  REQUIRE(run_there(user, straight).exit_code == 0);
  CHECK(read_text(user.folder() / "w.st") == read_text(folder / "w.st"));
}

TEST_CASE("one training at a time keeps itself in a checkpoint") {
  const soma_user user;
  write_text(user.folder() / "d.txt", some_text(300'000));
  const std::vector<std::string> words{"model",  "train",    "--steps", "1000000", "--batch",
                                       "1",      "--window", "64",      "--arch",  "tiny",
                                       "--data", "d.txt",    "-o",      "w.st"};
  const auto lock = user.folder() / "w.st.checkpoint.lock";
  const auto kept = user.folder() / "w.st.checkpoint";
  {
    running_program first(user.folder().path(), typed(user, words));
    REQUIRE(comes_true([&] { return is_locked(lock); }));
    auto second = words;
    second.emplace_back("--force");
    const auto refused = run_there(user, second);
    CHECK(refused.exit_code == 1);
    CHECK(is_one_line(refused.err));
    CHECK(refused.err.find("another process keeps its run in") != std::string::npos);
    REQUIRE(comes_true([&] { return fs::exists(kept); }));
    first.send(SIGINT);
    CHECK(first.wait().exit_code == 1);
  }
  CHECK_FALSE(fs::exists(lock));
  // What a killed process leaves stops nobody.
  auto again = words;
  again.emplace_back("--resume");
  {
    running_program killed(user.folder().path(), typed(user, again));
    REQUIRE(comes_true([&] { return is_locked(lock); }));
    killed.send(SIGKILL);
    (void)killed.wait();
  }
  CHECK(fs::exists(lock));
  running_program last(user.folder().path(), typed(user, again));
  CHECK(comes_true([&] { return is_locked(lock); }));
  last.send(SIGINT);
  CHECK(last.wait().exit_code == 1);
  CHECK_FALSE(fs::exists(lock));
}

TEST_CASE("a checkpoint that can never be written is noticed before the work") {
  const soma_user user;
  write_text(user.folder() / "d.txt", some_text(200'000));
  fs::create_directory(user.folder() / "taken");
  for (const auto* checkpoint : {"nowhere/c", "taken", "/dev/null"}) {
    CAPTURE(std::string(checkpoint));
    const auto done = run_there(
        user, train({"--data", "d.txt", "-o", "a.st", "--checkpoint", checkpoint, "--force"}));
    CHECK(done.exit_code == 1);
    CHECK(is_one_line(done.err));
    CHECK(done.err.find("cannot write") != std::string::npos);
  }
}

TEST_CASE("a genesis never takes the place of a key or of the file that it is made from") {
  const soma_user user;
  const auto home = user.folder().path();
  const auto made =
      run_there(user, {"genesis", "new", "--validator", "v.key", "--arch", "tiny", "-o", "g.bin"});
  CAPTURE(made.err);
  REQUIRE(made.exit_code == 0);
  const auto key = read_text(home / "v.key");
  write_text(home / "g.toml", "name = 'mine'\n");
  fs::create_symlink(home / "v.key", home / "same.key");
  const std::vector<std::vector<std::string>> wrong{
      {"--validator", "v.key", "-o", "v.key", "--force"},
      {"--validator", "v.key", "-o", "same.key", "--force"},
      {"--validator", "other.key", "-o", "v.key", "--force"},
      {"--validator", "v.key", "--file", "g.toml", "-o", "./g.toml", "--force"},
  };
  for (auto words : wrong) {
    CAPTURE(words);
    words.insert(words.begin(), {"genesis", "new", "--arch", "tiny"});
    const auto done = run_there(user, words);
    CHECK(done.exit_code != 0);
    CHECK(is_one_line(done.err));
    CHECK(read_text(home / "v.key") == key);
    CHECK(read_text(home / "g.toml") == "name = 'mine'\n");
  }
}

TEST_CASE("a network replaces only a network, and nothing that lies beside it") {
  const soma_user user;
  const auto home = user.folder().path();
  fs::create_directory(home / "net.unfinished");
  write_text(home / "net.unfinished" / "diary", "mine");
  const std::vector<std::string> words{"genesis",      "new", "--validators", "1", "--arch", "tiny",
                                       "--output-dir", "net", "--force"};
  for (int round = 0; round < 2; ++round) {
    const auto done = run_there(user, words);
    CAPTURE(done.err);
    CHECK(done.exit_code == 0);
    CHECK(fs::exists(home / "net" / "genesis.bin"));
    CHECK(read_text(home / "net.unfinished" / "diary") == "mine");
  }
  CHECK(names_in(home / "net") == std::vector<std::string>{"ca", "genesis.bin", "validator-1"});
  for (const auto& name : names_in(home)) CHECK_FALSE(name.starts_with(".net"));
}

TEST_CASE("--force replaces files of the user, and never what soma keeps or reads") {
  const soma_user user;
  REQUIRE(user.run({"wallet", "new", "alice", "--no-passphrase"}).exit_code == 0);
  fs::create_directories(user.folder() / "net/ledger");
  fs::create_directories(user.folder() / "net/blobs");
  write_text(user.folder() / "c.toml", "[model.init]\nseed = 3\n");
  for (const auto* kept : {"net/ledger/data.mdb", "net/ledger/lock.mdb", "net/index.toml",
                           "net/blobs/lock", ".soma/localnet.lock"}) {
    write_text(user.folder() / kept, "mine");
  }
  for (const auto* kept :
       {"net/ledger/data.mdb", "net/ledger/lock.mdb", "net/index.toml", "net/blobs/lock",
        ".soma/localnet.lock", ".soma/keys/alice.pub", ".soma/keys/alice.pem", "c.toml"}) {
    CAPTURE(std::string(kept));
    const auto before = read_text(user.folder() / kept);
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"model", "init", "-o", kept, "--arch", "2,16,2,32,32", "--force", "--config",
              "c.toml"},
             {"model", "train", "--data", "c.toml", "--checkpoint", kept, "-o", "w.st", "--force",
              "--config", "c.toml"},
             {"prove", "supply", "-o", kept, "--force", "--config", "c.toml"},
             {"genesis", "new", "--validator", "v.key", "-o", kept, "--force", "--config",
              "c.toml"}}) {
      const auto refused = run_there(user, words);
      CAPTURE(words[0]);
      CAPTURE(refused.err);
      CHECK(refused.exit_code != 0);
      CHECK(is_one_line(refused.err));
      CHECK(read_text(user.folder() / kept) == before);
    }
  }
  CHECK_FALSE(fs::exists(user.folder() / "v.key"));
}

TEST_CASE("what replaces a file keeps its permissions") {
  const soma_user user;
  fs::create_symlink("nowhere", user.folder() / "dangling");
  CHECK(run_there(user, {"model", "init", "-o", "dangling", "--arch", "2,16,2,32,32"}).exit_code ==
        1);
  CHECK(fs::is_symlink(user.folder() / "dangling"));
  write_text(user.folder() / "w.st", "old");
  fs::permissions(user.folder() / "w.st", fs::perms::owner_read | fs::perms::owner_write);
  REQUIRE(run_there(user, {"model", "init", "-o", "w.st", "--arch", "2,16,2,32,32", "--force"})
              .exit_code == 0);
  CHECK(fs::status(user.folder() / "w.st").permissions() ==
        (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("weights that are cut short while they are used end the command with one line") {
  const soma_user user;
  REQUIRE(
      run_there(user, {"model", "init", "-o", "w.st", "--arch", "8,384,6,1536,256"}).exit_code ==
      0);
  write_text(user.folder() / "d.txt", some_text(4'000'000));
  running_program scoring(user.folder().path(),
                          typed(user, {"model", "score", "--weights", "w.st", "--data", "d.txt"}));
  REQUIRE(comes_true([&] {
    const auto maps = read_text("/proc/" + std::to_string(scoring.id()) + "/maps");
    return maps.find("/w.st") != std::string::npos;
  }));
  fs::resize_file(user.folder() / "w.st", 4'096);
  const auto done = scoring.wait(std::chrono::seconds(100));
  CAPTURE(done.err);
  CHECK(done.exit_code == 1);
  CHECK(is_one_line(done.err));
  CHECK(done.err.find("was made shorter") != std::string::npos);
}

TEST_CASE("a full disk leaves the old file as it was, and no new one") {
  const soma_user user;
  const auto home = user.folder().path();
  REQUIRE(
      run_there(user, {"genesis", "new", "--validator", "v.key", "--arch", "tiny", "-o", "g.bin"})
          .exit_code == 0);
  const auto before = read_text(home / "g.bin");
  // A limit on the size of files ends a write as a full disk does: with an error, not a signal.
  const auto limited = [&](const std::string& output) {
    return run_program(
        home,
        {"/bin/bash", "-c",
         "cd " + home.string() + "; (ulimit -f 0; exec " + std::string(SOMA_BINARY) +
             " genesis new --validator v.key --arch tiny --force -o " + output + ") 2>&1 | cat"});
  };
  const auto replaced = limited("g.bin");
  CAPTURE(replaced.out);
  CHECK(is_one_line(replaced.out));
  CHECK(read_text(home / "g.bin") == before);
  CHECK(is_one_line(limited("new.bin").out));
  for (const auto& name : names_in(home)) {
    CAPTURE(name);
    CHECK(name != "new.bin");
    CHECK(name.find(".part") == std::string::npos);
  }
}

TEST_CASE("one local network at a time runs in a home, and a folder of others stays") {
  const soma_user user;
  write_text(user.at("d.txt"), some_text(400'000));
  const std::vector<std::string> words{"localnet",
                                       "--epochs",
                                       "3",
                                       "--train-steps",
                                       "1",
                                       "--submitters",
                                       "1",
                                       "--data",
                                       "d=d.txt",
                                       "--batch",
                                       "1",
                                       "--arch",
                                       "2,32,2,64,128"};
  running_program first(user.folder().path(), typed(user, words));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!fs::exists(user.at(".soma/localnet/data")) &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const auto second = run_there(user, words);
  CHECK(second.exit_code == 1);
  CHECK(second.err.find("another one runs there") != std::string::npos);
  CHECK(is_one_line(second.err));
  CHECK(first.wait(std::chrono::seconds(120)).exit_code == 0);
  CHECK(fs::exists(user.at(".soma/localnet/index.toml")));
  CHECK_FALSE(fs::exists(user.at(".soma/localnet.1")));

  {  // A question that takes long keeps its network where it is, and ends soon when it is told.
    running_program asking(user.folder().path(), soma_user::command({"ask", "x", "--bytes", "65536",
                                                                     "--temperature", "0"}));
    const auto reads = [&] {
      for (int i = 0; i < 6'000 && !fs::exists(user.at(".soma/localnet/readers.lock")); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
      return fs::exists(user.at(".soma/localnet/readers.lock"));
    };
    REQUIRE(reads());
    const auto kept = run_there(user, words);
    CHECK(kept.exit_code == 1);
    CHECK(kept.err.find("another process reads it") != std::string::npos);
    CHECK(is_one_line(kept.err));
    CHECK(fs::exists(user.at(".soma/localnet/index.toml")));
    asking.send(SIGINT);
    const auto asked = asking.wait(std::chrono::seconds(30));
    CHECK(asked.exit_code == 1);
    CHECK(is_one_line(asked.err));
  }

  // Nothing that lies beside it is replaced, whatever it is called.
  fs::create_directory(user.at(".soma/localnet.7"));
  write_text(user.at(".soma/localnet.7/diary"), "mine");
  const auto root = read_text(user.at(".soma/localnet/index.toml"));
  const auto next = run_there(user, words);
  CHECK(next.exit_code == 0);
  CHECK(next.err.find("the network before is kept in " + user.at(".soma/localnet.8")) !=
        std::string::npos);
  CHECK(read_text(user.at(".soma/localnet.7/diary")) == "mine");
  CHECK(read_text(user.at(".soma/localnet.8/index.toml")) == root);
  CHECK(read_text(user.at(".soma/localnet/index.toml")) == root);

  fs::remove_all(user.at(".soma/localnet"));
  fs::create_directory(user.at(".soma/localnet"));
  write_text(user.at(".soma/localnet/diary"), "mine");
  const auto refused = run_there(user, words);
  CHECK(refused.exit_code == 1);
  CHECK(is_one_line(refused.err));
  CHECK(read_text(user.at(".soma/localnet/diary")) == "mine");
}
