// A part of the mass run of the real program (command_fuzz.cpp): a few hundred trials, or as many
// as fit into half a minute. SOMA_FUZZ_TRIALS=2000 makes so many.
#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/deploy/soma/binary.hpp"
#include "tests/fuzz/commands/trials.hpp"
#include "tests/fuzz/commands/words.hpp"

using namespace soma::fuzz;

TEST_CASE("random command lines and files never crash, hang, or touch a file that is not named") {
  // The findings are on stderr: each with its number, the command, and the shortest one like it.
  const auto* const asked = std::getenv("SOMA_FUZZ_TRIALS");
  const auto trials = asked != nullptr ? std::strtoull(asked, nullptr, 10) : 400;
  const std::chrono::seconds most_time(asked != nullptr ? 0 : 30);
  const auto result = run_campaign({1'000'000, trials, most_time, 2}, SOMA_BINARY);
  CHECK(result.findings == 0);
  CHECK(result.command_lines > 0);
  CHECK(result.documents > 0);
  MESSAGE(result.command_lines << " command lines and " << result.documents << " TOML files, exit "
                               << result.exit_codes[0] << "/" << result.exit_codes[1] << "/"
                               << result.exit_codes[2] << ", " << result.stopped << " stopped");
}

TEST_CASE("the same number makes the same trial, and bash reads its words back") {
  auto table = soma::cli::bind_verbs();
  auto again = soma::cli::bind_verbs();
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    const auto one = make_trial(seed, table);
    const auto other = make_trial(seed, again);
    CHECK(one.line.words == other.line.words);
    CHECK(one.file.has_value() == (seed % 2 == 1));
    if (one.file) CHECK(one.file->text == other.file->text);
  }
  const soma::support::scratch_folder folder;
  for (const auto* list : {&odd_texts(), &odd_paths()}) {
    for (const auto& word : *list) {
      CAPTURE(shell_quoted(word));
      const auto echoed = soma::support::run_program(
          folder.path(), {"/bin/bash", "-c", "printf %s " + shell_quoted(word)});
      CHECK(echoed.out == word);
    }
  }
}

TEST_CASE("what changes a file that nobody named is noticed") {
  const soma::support::scratch_folder place;
  sandbox box(place.path(), "");
  const auto before = look_at(box.folder());
  CHECK(before == box.state());
  soma::support::write_text(box.folder() / "keep.txt", "nobody names this to writ3 it\n");
  CHECK(look_at(box.folder()) != before);
  box.restore();
  CHECK(soma::support::read_text(box.folder() / "keep.txt") == "nobody names this to write it\n");
  CHECK(look_at(box.folder()).size() == before.size());
}

TEST_CASE("a path that cannot be followed is refused in the words of the system") {
  const soma::support::soma_user user;
  std::filesystem::create_symlink("loop", user.at("loop"));
  const auto loop = user.at("loop");
  const auto too_long = user.at(std::string(300, 'n'));
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"ask", "hello", "--network", loop},
                                             {"ask", "hello", "--network", too_long},
                                             {"verify-epoch", "0", "--scratch", loop},
                                             {"verify-epoch", "0", "--scratch", too_long},
                                             {"model", "train", "--data", loop, "-o", user.at("w")},
                                             {"model", "init", "-o", too_long}}) {
    CAPTURE(words[0] + " " + words[1]);
    CAPTURE(words.back().substr(0, 100));
    const auto refused = user.run(words);
    CAPTURE(refused.err);
    CHECK((refused.exit_code == 1 || refused.exit_code == 2));
    CHECK(soma::support::is_one_line(refused.err));
    CHECK(refused.err.find("stopped") == std::string::npos);
    CHECK(refused.err.find("filesystem error") == std::string::npos);
    CHECK(refused.out == "");
  }
}
