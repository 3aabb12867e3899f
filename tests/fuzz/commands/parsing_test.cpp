// Thousands of random command lines and TOML files, read in this process by what the program reads
// them with. A case is its seed; a case that hangs ends the program by SIGABRT, and doctest then
// prints the seed. SOMA_FUZZ_CASES=10000 reads so many of each, however long it takes.
#include <doctest/doctest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "deploy/soma/genesis/genesis_draft.hpp"
#include "deploy/soma/send/publication.hpp"
#include "deploy/soma/shell/config.hpp"
#include "deploy/soma/source/localnet_home.hpp"
#include "deploy/soma/source/node_config.hpp"
#include "messages/crypto/random.hpp"
#include "tests/fuzz/commands/trials.hpp"
#include "tests/fuzz/commands/words.hpp"

using namespace soma;
using namespace soma::fuzz;

namespace fs = std::filesystem;

namespace {

using test_clock = std::chrono::steady_clock;

constexpr std::uint64_t cases = 3'000;
/// A slow machine, and one with sanitizers, does as many as it can in this time.
constexpr std::chrono::seconds most_time(20);
constexpr std::uint64_t least_cases = 200;

/// A sandbox without the program's own files, as the working directory and the homes.
class reading_place {
 public:
  reading_place() : before_(fs::current_path()), box_(place_.path(), "") {
    fs::current_path(box_.folder());
    ::setenv("HOME", box_.user_home().c_str(), 1);
    ::setenv("SOMA_HOME", box_.home().c_str(), 1);
    ::signal(SIGALRM, [](int) { ::abort(); });
  }
  ~reading_place() {
    ::alarm(0);
    fs::current_path(before_);
  }
  reading_place(const reading_place&) = delete;
  reading_place& operator=(const reading_place&) = delete;

  [[nodiscard]] const sandbox& box() const { return box_; }
  [[nodiscard]] fs::path folder() const { return box_.folder(); }

 private:
  support::scratch_folder place_;
  fs::path before_;
  sandbox box_;
};

/// What is wrong with a refusal; empty if nothing is.
std::string wrong_with(const cli::failure& refusal) {
  if (refusal.code == cli::exit_code::done) return "a refusal with the code of success";
  if (refusal.problem.empty()) return "a refusal without a problem";
  if (refusal.why.empty() && refusal.what_to_do.empty()) return "neither why nor what to do";
  const auto line = cli::one_line(refusal);
  const auto is_control = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7f;
  };
  return std::ranges::any_of(line, is_control) ? "more than one line" : "";
}

template <class Result>
std::string wrong_with(const Result& result, expectation expected) {
  if (result && expected == expectation::refused) return "it was accepted";
  if (result) return "";
  if (expected == expectation::accepted) return "refused: " + cli::one_line(result.error());
  return wrong_with(result.error());
}

/// Calls one(seed) for every case, or until the time is over. Returns how many there were.
template <class One>
std::uint64_t for_each_seed(One one) {
  const auto* const asked = std::getenv("SOMA_FUZZ_CASES");
  const auto count = asked != nullptr ? std::strtoull(asked, nullptr, 10) : cases;
  const auto least = asked != nullptr ? count : least_cases;
  const auto end = test_clock::now() + most_time;
  std::uint64_t seed = 0;
  for (; seed < count && (seed < least || test_clock::now() < end); ++seed) {
    ::alarm(30);
    one(seed);
  }
  ::alarm(0);
  return seed;
}

std::string shown(const command_line& line) {
  std::string text = "soma";
  for (const auto& word : line.words) text += " " + shell_quoted(word.substr(0, 200));
  return text;
}

/// The document as each reader of the program reads it. Returns what is wrong.
std::string read_everywhere(const document& d, const reading_place& place,
                            const cli::publication_file& publication) {
  const auto expected = [&](document_kind kind) {
    return d.kind == kind ? d.reading : expectation::open;
  };
  const auto parsed = cli::parse_config(d.text, "fuzz.toml");
  if (auto wrong = wrong_with(parsed, expectation::open); !wrong.empty()) return wrong;
  cli::outcome applied;
  if (parsed) {
    auto verbs = cli::bind_verbs();
    applied = cli::apply_config(*parsed, verbs);
    const auto node =
        cli::parse_node_config(*parsed, place.folder() / "fuzz.toml", place.folder() / "home");
    if (auto wrong = wrong_with(node, expectation::open); !wrong.empty()) return "node: " + wrong;
  } else {
    applied = make_unexpected(parsed.error());
  }
  if (auto wrong = wrong_with(applied, expected(document_kind::config)); !wrong.empty()) {
    return "configuration: " + wrong;
  }
  const auto file = place.folder() / "fuzz.toml";
  support::write_text(file, d.text);
  cli::run_context context;
  context.home = place.folder() / "home";
  cli::genesis_draft draft;
  auto drafted = draft.read_file(context, file);
  if (auto wrong = wrong_with(drafted, expected(document_kind::genesis)); !wrong.empty()) {
    return "genesis: " + wrong;
  }
  if (drafted) drafted = draft.finish();
  if (auto wrong = wrong_with(drafted, expectation::open); !wrong.empty())
    return "genesis: " + wrong;
  support::write_text(publication.path(), d.text);
  const auto published = publication.read();
  if (auto wrong = wrong_with(published, expected(document_kind::publication)); !wrong.empty()) {
    return "publication: " + wrong;
  }
  support::write_text(place.folder() / "folder" / "index.toml", d.text);
  const auto index = cli::names_of_localnet(place.folder() / "folder");
  const auto wrong = wrong_with(index, expected(document_kind::index));
  return wrong.empty() ? "" : "index: " + wrong;
}

}  // namespace

TEST_CASE("random command lines: sound ones are taken, broken ones refused, no file moves") {
  const reading_place place;
  auto table = cli::bind_verbs();
  std::uint64_t accepted = 0, refused = 0;
  const auto count = for_each_seed([&](std::uint64_t seed) {
    noise::noise_generator noise(seed);
    const auto line = random_command_line(table, noise);
    CAPTURE(seed);
    CAPTURE(shown(line));
    CAPTURE(line.fault);
    std::vector<const char*> words{"soma"};
    for (const auto& word : line.words) words.push_back(word.c_str());
    auto verbs = cli::bind_verbs();
    const auto command =
        cli::parse_command_line(static_cast<int>(words.size()), words.data(), verbs);
    CHECK(wrong_with(command, line.parsing) == "");
    ++(command ? accepted : refused);
    if (command) CHECK((command->action != nullptr || !command->text.empty()));
    if (seed % 1000 == 999) CHECK(look_at(place.folder()) == place.box().state());
  });
  CHECK(look_at(place.folder()) == place.box().state());
  MESSAGE(count << " command lines, " << accepted << " accepted, " << refused << " refused");
  CHECK(accepted > count / 10);
  CHECK(refused > count / 10);
}

TEST_CASE("random TOML files through every reader: what is wrong is refused in one line") {
  const reading_place place;
  auto table = cli::bind_verbs();
  crypto::system_random random;
  const auto publication =
      cli::publication_file::open(place.folder() / "home", random.next_id<chain_id>(),
                                  random.next_id<address>(), random.next_id<weights_hash>(), {});
  REQUIRE(publication);
  const auto count = for_each_seed([&](std::uint64_t seed) {
    noise::noise_generator noise(seed);
    const auto d = random_document(table, noise);
    CAPTURE(seed);
    CAPTURE(d.text);
    CAPTURE(d.fault);
    CHECK(read_everywhere(d, place, *publication) == "");
  });
  MESSAGE(count << " TOML files");
  // What the readers may make is the key of a validator that a genesis names.
  CHECK(support::read_text(place.folder() / "keep.txt") == "nobody names this to write it\n");
  CHECK(support::read_text(place.box().place() / "canary" / "bird") == "alive\n");
}
