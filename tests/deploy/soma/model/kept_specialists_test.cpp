#include "deploy/soma/model/kept_specialists.hpp"

#include <doctest/doctest.h>

#include "deploy/soma/model/specialist.hpp"
#include "tests/support/program.hpp"

using namespace soma;
using namespace soma::cli;
using soma::support::scratch_folder;
using soma::support::write_text;
namespace fs = std::filesystem;

namespace {

constexpr model_architecture small{2, 16, 2, 32, 32};

std::vector<bytes> some_data(std::uint8_t first = 1) {
  bytes one(5'000);
  for (std::size_t i = 0; i < one.size(); ++i) one[i] = static_cast<std::uint8_t>(i * i + first);
  return {one};
}

training::trainer_options options_of(std::uint64_t steps) {
  training::trainer_options options;
  options.steps = steps;
  options.batch = 2;
  return options;
}

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), {}));
}

/// A plan that counts how often it was trained and taken.
struct counted_plan : specialist_plan {
  std::uint64_t steps_seen = 0, taken = 0;
  explicit counted_plan(const fs::path& folder) {
    architecture = small;
    steps = 12;
    batch = 2;
    kept_in = folder;
    on_step = [this](std::uint64_t, float, double) { ++steps_seen; };
    on_kept = [this] { ++taken; };
  }
};

}  // namespace

TEST_CASE("the key of a training changes with everything that its result depends on") {
  const auto start = weights::init_weights(small, 1);
  const auto key = training_key(start, some_data(), options_of(20));
  CHECK(key.size() == 32);
  CHECK(training_key(start, some_data(), options_of(20)) == key);
  auto more_threads = options_of(20);
  more_threads.threads = 3;
  CHECK(training_key(start, some_data(), more_threads) == key);  // they do not change the result
  CHECK(training_key(start, some_data(), options_of(21)) != key);
  CHECK(training_key(start, some_data(2), options_of(20)) != key);
  CHECK(training_key(weights::init_weights(small, 2), some_data(), options_of(20)) != key);
  auto larger = options_of(20);
  larger.batch = 3;
  CHECK(training_key(start, some_data(), larger) != key);
  auto other_seed = options_of(20);
  other_seed.seed = 9;
  CHECK(training_key(start, some_data(), other_seed) != key);
  // Where one file ends and the next begins decides what windows there are.
  auto parted = some_data();
  parted.push_back(bytes(parted[0].begin() + 2'500, parted[0].end()));
  parted[0].resize(2'500);
  CHECK(training_key(start, parted, options_of(20)) != key);
}

TEST_CASE("a specialist is trained once: the second time it is taken, with the same bits") {
  const scratch_folder folder;
  counted_plan plan(folder / "trained");
  const auto first = train_specialist(plan, some_data(), 3);
  CHECK(plan.steps_seen == 12);
  const auto second = train_specialist(plan, some_data(), 3);
  CHECK(plan.steps_seen == 12);
  CHECK(plan.taken == 1);
  CHECK(second.weights_file == first.weights_file);
  CHECK(second.embedding == first.embedding);
  CHECK(files_in(folder / "trained") == 1);  // and no checkpoint is left
  // Another seed is another training; what is asked for anew is trained anew.
  (void)train_specialist(plan, some_data(), 4);
  CHECK(plan.steps_seen == 24);
  plan.trains_anew = true;
  CHECK(train_specialist(plan, some_data(), 3).weights_file == first.weights_file);
  CHECK(plan.steps_seen == 36);
  CHECK(plan.taken == 1);
}

TEST_CASE("a specialist that is damaged or belongs to another key is not taken") {
  const scratch_folder folder;
  const kept_specialists kept(folder.path());
  const auto trained = weights::init_weights(small, 5);
  const std::string key(32, 'a'), other(32, 'b');
  CHECK_FALSE(kept.find(key));
  kept.keep(key, trained);
  REQUIRE(kept.find(key));
  CHECK(kept.find(key)->hash() == trained.hash());
  CHECK_FALSE(kept.find(other));
  const auto file = fs::directory_iterator(folder.path())->path();
  auto content = soma::support::read_text(file);
  content[content.size() - 3] ^= 1;  // a value that is still finite
  write_text(file, content);
  CHECK_FALSE(kept.find(key));
}

TEST_CASE("a training that was stopped goes on from its checkpoint; a damaged one is replaced") {
  const scratch_folder folder;
  counted_plan whole(folder / "whole");
  const auto wanted = train_specialist(whole, some_data(), 3);

  // The state of a run that was stopped after five steps.
  const auto start = weights::init_weights(small, 3);
  auto options = options_of(12);
  options.seed = 3;
  const kept_specialists kept(folder / "trained");
  options.checkpoint = kept.checkpoint(training_key(start, some_data(), options));
  options.checkpoint_every = 5;
  auto stopped = training::trainer::start(start, some_data(), options);
  REQUIRE(stopped);
  std::stop_source stop;
  options.on_progress = nullptr;
  for (int i = 0; i < 5; ++i) REQUIRE(stopped->step());
  stop.request_stop();
  REQUIRE(stopped->run(stop.get_token()));
  REQUIRE(fs::exists(options.checkpoint));

  counted_plan plan(folder / "trained");
  CHECK(train_specialist(plan, some_data(), 3).weights_file == wanted.weights_file);
  CHECK(plan.steps_seen == 7);
  CHECK_FALSE(fs::exists(options.checkpoint));

  fs::remove_all(folder / "trained");
  fs::create_directory(folder / "trained");
  write_text(options.checkpoint, "torn");
  CHECK(train_specialist(plan, some_data(), 3).weights_file == wanted.weights_file);
  CHECK(plan.steps_seen == 19);
}

TEST_CASE("so many files are kept, and those that were used longest ago go first") {
  const scratch_folder folder;
  const kept_specialists kept(folder.path());
  const std::string used(32, 'c');
  kept.keep(used, weights::init_weights(small, 6));
  const auto long_ago = fs::file_time_type::clock::now() - std::chrono::hours(2);
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    fs::last_write_time(entry.path(), long_ago);
  }
  for (std::size_t i = 0; i < max_kept_specialists + 5; ++i) {
    const auto path = folder / ("old-" + std::to_string(i));
    write_text(path, "x");
    fs::last_write_time(path, long_ago + std::chrono::hours(1));
  }
  REQUIRE(kept.find(used));  // it is used now
  kept.keep(std::string(32, 'd'), weights::init_weights(small, 7));
  CHECK(files_in(folder.path()) == max_kept_specialists);
  CHECK(kept.find(used));
}
