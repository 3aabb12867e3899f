// `soma model score` against recorded scores, on a file with the layout of the existing Python
// package.
#include <doctest/doctest.h>

#include <cstring>

#include "tests/deploy/soma/binary.hpp"
#include "tests/model/reference/recorded_network.hpp"

using namespace soma;
using namespace soma::support;

namespace {

/// A safetensors file with names in lexicographic order, 32-bit floats and no metadata.
std::string python_file(const weights::model_weights& weights) {
  std::string header = "{", data;
  for (const auto& spec : weights::tensor_table(weights.architecture())) {
    if (header.size() > 1) header += ",";
    header += "\"" + spec.name + "\":{\"dtype\":\"F32\",\"shape\":[";
    for (std::size_t i = 0; i < spec.shape.size(); ++i) {
      header += (i > 0 ? "," : "") + std::to_string(spec.shape[i]);
    }
    const auto values = weights.tensor(spec.name);
    header += "],\"data_offsets\":[" + std::to_string(data.size()) + "," +
              std::to_string(data.size() + values.size_bytes()) + "]}";
    data.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  }
  header += "}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const std::uint64_t size = header.size();
  return std::string(reinterpret_cast<const char*>(&size), 8) + header + data;
}

}  // namespace

TEST_CASE("scores of a Python package's file are those on record, to one part in ten thousand") {
  const soma_user user;
  std::string engine;
  SUBCASE("exact") {
    engine = "exact";
  }
#ifdef SOMA_HAS_REFERENCE  // libtorch was installed when this was built
  SUBCASE("torch") {
    engine = "torch";
  }
#endif
  CAPTURE(engine);
  write_text(user.at("w.safetensors"), python_file(test::recorded_network(42)));
  for (const auto& wanted : test::recorded_scores) {
    CAPTURE(wanted.bytes);
    std::string data;
    for (std::size_t i = 0; i < wanted.bytes; ++i) data.push_back(static_cast<char>(i));
    write_text(user.at("data.bin"), data);
    const auto done = user.run({"model", "score", "--weights", user.at("w.safetensors"), "--data",
                                user.at("data.bin"), "--heads", "2", "--max-seq", "8", "--batch",
                                "2", "--seed", "42", "--engine", engine, "--json"});
    CAPTURE(done.err);
    REQUIRE(done.exit_code == 0);
    const auto score = parse_json(done.out);
    REQUIRE(score);
    CHECK((*score)["engine"].text == engine);
    CHECK((*score)["cross_entropy"].number() ==
          doctest::Approx(wanted.cross_entropy).epsilon(1e-4));
    CHECK((*score)["sigreg"].number() == doctest::Approx(wanted.sigreg).epsilon(1e-4));
    CHECK((*score)["loss"].number() == doctest::Approx(wanted.loss).epsilon(1e-4));
    CHECK((*score)["embedding"].elements.size() == 4);
  }
}

TEST_CASE("libtorch is loaded by nothing but a comparison, which says when it is missing") {
  const soma_user user;
  const auto linked =
      run_program(user.folder().path(), {"/usr/bin/env", "LD_TRACE_LOADED_OBJECTS=1", SOMA_BINARY},
                  std::chrono::seconds(60));
  CHECK(linked.out.find("libcaf_core") != std::string::npos);
  for (const auto* library : {"libtorch", "libc10", "blas", "libgomp"}) {
    CAPTURE(library);
    CHECK(linked.out.find(library) == std::string::npos);
  }
  // The program alone, as somebody may copy it to another machine.
  std::filesystem::copy_file(SOMA_BINARY, user.at("soma"));
  const auto alone = [&](std::vector<std::string> words) {
    words.insert(words.begin(), user.at("soma"));
    return run_program(user.folder().path(), words, std::chrono::seconds(60));
  };
  REQUIRE(alone({"model", "init", "--arch", "1,16,2,32,8", "-o", user.at("w")}).exit_code == 0);
  write_text(user.at("data"), "some bytes");
  std::vector<std::string> score{"model",      "score",  "--weights",
                                 user.at("w"), "--data", user.at("data")};
  CHECK(alone(score).exit_code == 0);
  score.insert(score.end(), {"--engine", "torch"});
  const auto refused = alone(score);
  CHECK(refused.exit_code == 1);
  CHECK(is_one_line(refused.err));
  CHECK(refused.err.find("libsoma_reference.so") != std::string::npos);
}

namespace {

/// `soma model score` on a model of its own with initial weights and some text.
class scored_model {
 public:
  explicit scored_model(const std::string& arch) {
    const std::vector<std::string> made{"model",  "init", "--arch", arch,
                                        "--seed", "3",    "-o",     user_.at("w")};
    REQUIRE(user_.run(made).exit_code == 0);
    std::string data;
    for (std::size_t i = 0; i < 4'000; ++i) data.push_back(static_cast<char>("abc 1\n"[i * i % 6]));
    write_text(user_.at("data"), data);
  }
  finished_program run_under(const std::string& isa, const std::vector<std::string>& more) const {
    std::vector<std::string> words{"/usr/bin/env",   "SOMA_ISA=" + isa, SOMA_BINARY,   "model",
                                   "score",          "--weights",       user_.at("w"), "--data",
                                   user_.at("data"), "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return run_program(user_.folder().path(), words, std::chrono::seconds(120));
  }
  parsed_json score(const std::vector<std::string>& more, const std::string& isa = "") const {
    const auto done = run_under(isa, more);
    CAPTURE(done.err);
    REQUIRE(done.exit_code == 0);
    auto score = parse_json(done.out);
    REQUIRE(score);
    return *score;
  }

 private:
  soma_user user_;
};

}  // namespace

TEST_CASE("a score has one digest for any instruction set and number of threads") {
  const scored_model model("2,128,2,512,256");
  const auto first = model.score({});
  for (const auto* isa : {"scalar", "avx2", "avx512"}) {
    if (isa == std::string("avx512") && first["isa"].text != "avx512") continue;
    if (isa == std::string("avx2") && first["isa"].text == "scalar") continue;
    CAPTURE(isa);
    const auto score = model.score({"--threads", "2"}, isa);
    CHECK(score["isa"].text == isa);
    CHECK(score["digest"].text == first["digest"].text);
  }
  const auto unknown = model.run_under("mmx", {});
  CHECK(unknown.exit_code == 1);
  CHECK(unknown.err.find("SOMA_ISA=mmx") != std::string::npos);
}

TEST_CASE("a score has one digest for any memory, and a plan of its memory is kept") {
  const scored_model model("8,384,6,1536,256");
  const auto first = model.score({});
  // The weights have 46 MB. The least memory is that for one layer and one sequence.
  for (const auto* memory : {"96MiB", "256MiB"}) {
    CAPTURE(memory);
    const auto score = model.score({"--memory", memory});
    CHECK(score["digest"].text == first["digest"].text);
    const double peak = score["peak_memory_bytes"].number();
    const double planned = score["planned_memory_bytes"].number();
    CHECK(peak <= (memory == std::string("96MiB") ? 96.0 : 256.0) * 1048576);
    CHECK(peak <= planned * 1.05);
    CHECK(peak >= planned * 0.95);
    const auto plan = model.score({"--memory", memory, "--plan"});
    CHECK(plan["planned_memory_bytes"].number() == doctest::Approx(planned).epsilon(0.05));
  }
  const auto refused = model.run_under("", {"--memory", "4MiB"});
  CHECK(refused.exit_code == 1);
  CHECK(refused.err.find("at least") != std::string::npos);
}
