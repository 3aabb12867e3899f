// Whole training runs: they learn, they resume from checkpoints, and the seed determines them.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <thread>

#include "model/scoring/exact_engine.hpp"
#include "model/training/checkpoint.hpp"
#include "model/training/kernels.hpp"
#include "tests/model/training/training_samples.hpp"

using namespace soma;
using namespace soma::training;
using namespace soma::weights;
using namespace soma::test;

namespace {

struct folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("soma-trainer-" + std::to_string(::getpid()));
  folder() { std::filesystem::create_directories(path); }
  ~folder() { std::filesystem::remove_all(path); }
};

model_weights trained(std::uint64_t steps, int flavour) {
  auto run = trainer::start(fresh(), {text(1, flavour)}, quick(steps));
  REQUIRE(run.has_value());
  REQUIRE(run->run().has_value());
  return run->snapshot();
}

}  // namespace

TEST_CASE("training in bfloat16 learns as training in f32 does, and is a run of its own") {
  if (bf16_products() == nullptr) return;  // then pass_test.cpp tests the refusal
  const folder place;
  const std::vector<bytes> data{text(1, 0)};
  auto narrow = quick(300);
  narrow.precision = train_precision::bf16;
  auto wide_run = trainer::start(fresh(), data, quick(300));
  auto narrow_run = trainer::start(fresh(), data, narrow);
  for (int step = 0; step < 300; ++step) {
    CAPTURE(step);
    const auto wide = wide_run->step();
    const auto got = narrow_run->step();
    REQUIRE(got.has_value());
    if (step % 20 != 19) continue;
    CHECK(got->bits_per_byte == doctest::Approx(wide->bits_per_byte).epsilon(0.03));
  }
  narrow_run->save(place.path / "run.ckpt");
  CHECK(trainer::resume(place.path / "run.ckpt", data, narrow).has_value());
  CHECK(trainer::resume(place.path / "run.ckpt", data, quick(300)).error() ==
        train_refusal::checkpoint_of_another_run);
}

TEST_CASE("a trained model's bits depend neither on threads nor on what was computed again") {
  const auto wanted = trained(12, 0).hash();
  const auto run = [](std::uint32_t threads, train_recompute recompute,
                      std::uint64_t activation_bytes) {
    auto options = quick(12);
    options.threads = threads;
    options.recompute = recompute;
    options.activation_bytes = activation_bytes;
    auto started = trainer::start(fresh(), {text(1, 0)}, options);
    REQUIRE(started->run().has_value());
    return started->snapshot().hash();
  };
  for (const std::uint32_t threads : {1, 2, 3}) {
    CAPTURE(threads);
    CHECK(run(threads, train_recompute::never, 0) == wanted);
    CHECK(run(threads, train_recompute::always, 0) == wanted);
    CHECK(run(threads, train_recompute::automatic, 1) == wanted);
  }
}

TEST_CASE("a run begun without computing again may be continued with it") {
  const folder place;
  const auto file = place.path / "run.ckpt";
  const std::vector<bytes> data{text(1, 0)};
  auto first = trainer::start(fresh(), data, quick(12));
  for (int i = 0; i < 5; ++i) REQUIRE(first->step().has_value());
  first->save(file);
  auto options = quick(12);
  options.recompute = train_recompute::always;
  auto second = trainer::resume(file, data, options);
  REQUIRE(second.has_value());
  REQUIRE(second->run().has_value());
  CHECK(second->snapshot().hash() == trained(12, 0).hash());
}

TEST_CASE("training lowers the loss on text that it has not seen, and makes a specialist") {
  const auto prose = trained(120, 0);
  const auto code = trained(120, 1);
  const auto bits = [](const model_weights& model, int flavour) {
    return scoring::exact_engines()(model)->run(text(99, flavour, 3000), 0)->bits_per_byte;
  };
  const float before = bits(fresh(), 0);
  CHECK(before > 7.5f);
  CHECK(bits(prose, 0) < 2.0f);
  CHECK(bits(code, 1) < 2.0f);
  CHECK(bits(prose, 1) > 2 * bits(code, 1));
  CHECK(bits(code, 0) > 2 * bits(prose, 0));
}

TEST_CASE("a run that was stopped, saved and resumed has the bits of an uninterrupted run") {
  const folder place;
  const std::vector<bytes> data{text(1, 0), text(2, 1, 500)};
  auto whole = trainer::start(fresh(), data, quick(24));
  REQUIRE(whole->run().has_value());
  for (const int stop_at : {1, 11, 12, 23}) {
    CAPTURE(stop_at);
    const auto file = place.path / "run.ckpt";
    {
      auto first = trainer::start(fresh(), data, quick(24));
      for (int i = 0; i < stop_at; ++i) REQUIRE(first->step().has_value());
      first->save(file);
    }
    auto second = trainer::resume(file, data, quick(24));
    REQUIRE(second.has_value());
    CHECK(second->steps_done() == static_cast<std::uint64_t>(stop_at));
    REQUIRE(second->run().has_value());
    CHECK(second->snapshot().hash() == whole->snapshot().hash());
  }
}

TEST_CASE("a seed owns its run, also with other runs beside it in other threads") {
  const auto one = trained(10, 0).hash();
  std::vector<weights_hash> hashes(3);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      threads.emplace_back([&hashes, i] {
        auto run = trainer::start(fresh(), {text(1, i == 2 ? 1 : 0)}, quick(10));
        if (run && run->run()) hashes[i] = run->snapshot().hash();
      });
    }
  }
  CHECK(hashes[0] == one);
  CHECK(hashes[1] == one);
  CHECK(hashes[2] != one);
  CHECK(!hashes[2].is_zero());
}

TEST_CASE("stopping keeps what was learned, the checkpoint says where") {
  const folder place;
  auto options = quick(50);
  options.checkpoint = place.path / "run.ckpt";
  std::stop_source stop;
  std::uint64_t calls = 0;
  options.on_progress = [&](const train_progress& at) {
    ++calls;
    CHECK(at.step == calls);
    CHECK(at.total == 50);
    if (at.step == 7) stop.request_stop();
  };
  auto run = trainer::start(fresh(), {text(1, 0)}, options);
  const auto last = run->run(stop.get_token());
  REQUIRE(last.has_value());
  CHECK(last->step == 7);
  CHECK(!run->finished());
  const auto saved = read_checkpoint(options.checkpoint);
  REQUIRE(saved.has_value());
  CHECK(saved->step == 7);
  CHECK(make_weights(saved->architecture, saved->parameters).hash() == run->snapshot().hash());
}

TEST_CASE("a checkpoint that is cut, flipped or of another run is refused") {
  const folder place;
  const auto file = place.path / "run.ckpt";
  auto options = quick(6);
  const std::vector<bytes> data{text(1, 0, 2000)};
  auto run = trainer::start(init_weights({1, 4, 1, 4, 16}, 1), data, options);
  REQUIRE(run->step().has_value());
  run->save(file);
  REQUIRE(trainer::resume(file, data, options).has_value());

  CHECK(trainer::resume(file, {text(2, 0, 2000)}, options).error() ==
        train_refusal::checkpoint_of_another_run);
  auto other = options;
  other.learning_rate *= 2;
  CHECK(trainer::resume(file, data, other).error() == train_refusal::checkpoint_of_another_run);
  CHECK(trainer::resume(place.path / "absent", data, options).error() ==
        train_refusal::checkpoint_unreadable);

  std::ifstream in(file, std::ios::binary);
  const std::string good{std::istreambuf_iterator<char>(in), {}};
  const auto damaged = place.path / "damaged.ckpt";
  const auto refused = [&](const std::string& content) {
    std::ofstream(damaged, std::ios::binary | std::ios::trunc) << content;
    const auto result = trainer::resume(damaged, data, options);
    return !result.has_value() && result.error() == train_refusal::checkpoint_unreadable;
  };
  for (std::size_t size = 0; size < good.size(); size += size < 200 ? 1 : 331)
    CHECK(refused(good.substr(0, size)));
  CHECK(refused(good + "x"));
  for (std::size_t at = 0; at < good.size(); at += at < 200 ? 1 : 331) {
    auto flipped = good;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 8));
    CHECK(refused(flipped));
  }
}

TEST_CASE("impossible runs are refused by name") {
  CHECK(trainer::start(fresh(), {}, quick(5)).error() == train_refusal::no_data);
  CHECK(trainer::start(fresh(), {bytes{}, bytes{}}, quick(5)).error() == train_refusal::no_data);
  CHECK(trainer::start(fresh(), {text(1, 0)}, quick(0)).error() == train_refusal::bad_options);
  auto options = quick(5);
  options.learning_rate = NAN;
  CHECK(trainer::start(fresh(), {text(1, 0)}, options).error() == train_refusal::bad_options);
}

TEST_CASE("data shorter than a window trains as well") {
  auto run = trainer::start(fresh(), {bytes{'a'}, bytes{'a', 'b', 'c'}}, quick(30));
  REQUIRE(run->run().has_value());
  CHECK(run->snapshot().hash() != fresh().hash());
}

TEST_CASE("a run that diverges says so and keeps its parameters") {
  auto values = std::vector<float>(parameter_count({1, 4, 1, 4, 16}), 3e38f);
  auto run = trainer::start(make_weights({1, 4, 1, 4, 16}, values), {text(1, 0)}, quick(5));
  const auto before = run->snapshot().hash();
  const auto result = run->step();
  REQUIRE(!result.has_value());
  CHECK(result.error() == train_refusal::diverged);
  CHECK(run->snapshot().hash() == before);
}
