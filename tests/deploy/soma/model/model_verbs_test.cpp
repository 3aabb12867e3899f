#include <doctest/doctest.h>
#include <signal.h>

#include <thread>

#include "tests/deploy/soma/binary.hpp"

using soma::support::is_one_line;
using soma::support::parse_json;
using soma::support::read_text;
using soma::support::soma_user;
using soma::support::write_text;

namespace {

constexpr auto small_arch = "2,32,2,64,64";

std::string text_to_learn() {
  std::string text;
  for (int i = 0; i < 400; ++i)
    text += "the shannons of line " + std::to_string(i % 17) + " are never lost. ";
  return text;
}

}  // namespace

TEST_CASE("init, train and score in a row: the model learns, and says the same twice") {
  const soma_user user;
  const auto weights = user.at("w.safetensors");
  const auto data = user.at("data.txt");
  const auto trained = user.at("t.safetensors");
  write_text(data, text_to_learn());
  REQUIRE(
      user.run({"model", "init", "--arch", small_arch, "--seed", "7", "-o", weights}).exit_code ==
      0);

  const auto score = [&](const std::string& file) {
    const auto done =
        user.run({"model", "score", "--weights", file, "--data", data, "--seed", "3", "--json"});
    CAPTURE(done.err);
    REQUIRE(done.exit_code == 0);
    CHECK(is_one_line(done.out));
    auto document = parse_json(done.out);
    REQUIRE(document);
    return *document;
  };
  const auto before = score(weights);
  for (const auto* name :
       {"loss", "cross_entropy", "sigreg", "bits_per_byte", "embedding", "digest", "engine", "isa",
        "threads", "bytes", "seconds", "peak_memory_bytes"}) {
    CAPTURE(name);
    CHECK(before.has(name));
  }
  CHECK(before["embedding"].elements.size() == 32);
  CHECK(before["digest"].text.size() == 66);
  CHECK(before["bytes"].text == std::to_string(text_to_learn().size()));
  const float loss = before["cross_entropy"].binary32() + 0.02F * before["sigreg"].binary32();
  CHECK(before["loss"].binary32() == doctest::Approx(loss).epsilon(1e-5));
  const auto again = score(weights);
  CHECK(again["digest"].text == before["digest"].text);
  CHECK(again["loss"].text == before["loss"].text);

  const auto done = user.run({"model", "train", "--from", weights, "--data", data, "--steps", "60",
                              "--batch", "4", "-o", trained, "--json"});
  CAPTURE(done.err);
  REQUIRE(done.exit_code == 0);
  REQUIRE(parse_json(done.out));
  CHECK((*parse_json(done.out))["steps"].text == "60");
  CHECK(score(trained)["bits_per_byte"].number() < before["bits_per_byte"].number() - 1);
  CHECK(!std::filesystem::exists(trained + ".checkpoint"));
}

TEST_CASE(
    "Ctrl-C on training keeps a checkpoint and says so; resumed, it ends in the same bits as one "
    "that never stopped") {
  const soma_user user;
  const auto data = user.at("data.txt");
  write_text(data, text_to_learn());
  const auto train = [&](const std::string& output, std::vector<std::string> more) {
    std::vector<std::string> words{"model",
                                   "train",
                                   "--data",
                                   data,
                                   "--arch",
                                   small_arch,
                                   "--steps",
                                   "1500",
                                   "--batch",
                                   "4",
                                   "--checkpoint-every",
                                   "20",
                                   "-o",
                                   output};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  const auto stopped_output = user.at("a.safetensors");
  soma::support::running_program running(user.folder().path(),
                                         user.command(train(stopped_output, {})));
  const auto checkpoint = stopped_output + ".checkpoint";
  for (int i = 0; i < 12'000 && !std::filesystem::exists(checkpoint); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  REQUIRE(std::filesystem::exists(checkpoint));
  running.send(SIGINT);
  const auto stopped = running.wait();
  CAPTURE(stopped.err);
  CHECK(stopped.exit_code == 1);
  CHECK(stopped.err.find("training stopped: a stop was asked for after") != std::string::npos);
  CHECK(stopped.err.find("--resume") != std::string::npos);
  CHECK(stopped.out.empty());
  CHECK(std::filesystem::exists(checkpoint));
  CHECK(!std::filesystem::exists(stopped_output));

  CHECK(user.run(train(stopped_output, {})).exit_code == 1);  // would drop the run that is kept
  CHECK(user.run(train(stopped_output, {"--resume"})).exit_code == 0);
  CHECK(!std::filesystem::exists(checkpoint));
  const auto whole_output = user.at("b.safetensors");
  CHECK(user.run(train(whole_output, {})).exit_code == 0);
  CHECK(read_text(stopped_output) == read_text(whole_output));
}

TEST_CASE("bad files end with 1 and one line that names the file") {
  const soma_user user;
  const auto weights = user.at("w.safetensors");
  const auto data = user.at("data.txt");
  write_text(data, text_to_learn());
  REQUIRE(user.run({"model", "init", "--arch", small_arch, "-o", weights}).exit_code == 0);
  const auto whole = read_text(weights);
  write_text(user.at("cut"), whole.substr(0, whole.size() / 2));
  write_text(user.at("tail"), whole + "x");
  write_text(user.at("empty"), "");
  auto infinite = whole;
  infinite.replace(infinite.size() - 4, 4, std::string("\x00\x00\x80\x7f", 4));
  write_text(user.at("infinite"), infinite);
  std::filesystem::create_directory(user.at("folder"));

  const auto refused = [&](std::vector<std::string> words, const std::string& named) {
    CAPTURE(named);
    const auto done = user.run(std::move(words));
    CAPTURE(done.err);
    CHECK(done.exit_code == 1);
    CHECK(is_one_line(done.err));
    CHECK(done.err.find(named) != std::string::npos);
    CHECK(done.out.empty());
  };
  for (const auto* name : {"cut", "tail", "empty", "infinite", "folder", "missing", "data.txt"}) {
    refused({"model", "score", "--weights", user.at(name), "--data", data}, user.at(name));
    refused({"model", "train", "--from", user.at(name), "--data", data, "-o", user.at("o")},
            user.at(name));
  }
  for (const auto* name : {"empty", "folder", "missing"}) {
    refused({"model", "score", "--weights", weights, "--data", user.at(name)}, user.at(name));
  }
  refused({"model", "train", "--data", user.at("missing"), "-o", user.at("o")}, user.at("missing"));
  refused({"model", "train", "--data", user.at("empty"), "-o", user.at("o")}, "cannot train");
  refused({"model", "train", "--data", data, "-o", user.at("o"), "--resume"}, "o.checkpoint");
  write_text(user.at("o.checkpoint"), "not one");
  refused({"model", "train", "--data", data, "-o", user.at("o"), "--resume"}, "o.checkpoint");
  refused({"model", "init", "-o", weights}, weights);
  refused({"model", "init", "-o", user.at("nowhere/w")}, "nowhere");
  refused({"model", "init", "-o", user.at("folder")}, "folder");
  refused({"model", "score", "--weights", weights, "--data", data, "--memory", "1MB"}, "--memory");
  CHECK(read_text(weights) == whole);
}
