#include "model/weights/weights.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>

#include "messages/crypto/hash.hpp"
#include "model/weights/architectures.hpp"
#include "tests/model/weights/header_changes.hpp"

using namespace soma;
using namespace soma::test;
using namespace soma::weights;

TEST_CASE("the great architecture has the published number of parameters") {
  CHECK(parameter_count(model_architecture{}) == 1'209'684'232u);
}

TEST_CASE(
    "weights read back are the weights written, from memory and from disk, with the same hash") {
  const temporary_folder place;
  for (const char* name : {"2,8,2,6,16", "11,4,2,3,8", "tiny"}) {
    CAPTURE(name);
    const auto arch = *parse_architecture(name);
    const auto made = init_weights(arch, 7);
    const auto file = made.file_bytes();
    CHECK(file.size() == made.file_size_bytes());
    CHECK(crypto::hash("soma.weights", file).as<weights_tag>() == made.hash());
    const auto path = place.path / "w.safetensors";
    write_weights(path, made);
    for (const auto& back : {parse_weights(file), read_weights(path)}) {
      REQUIRE(back.has_value());
      CHECK(back->architecture() == arch);
      CHECK(back->hash() == made.hash());
      CHECK(back->file_bytes() == file);
      for (const auto& spec : tensor_table(arch)) {
        const auto a = back->tensor(spec.name);
        const auto b = made.tensor(spec.name);
        CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end()));
        CHECK(a.size() == spec.elements());
      }
    }
    // No temporary file is left.
    CHECK(std::distance(std::filesystem::directory_iterator(place.path), {}) == 1);
  }
}

TEST_CASE("a seed determines its initial weights") {
  CHECK(init_weights(small_arch, 1).hash() == init_weights(small_arch, 1).hash());
  CHECK(init_weights(small_arch, 1).hash() != init_weights(small_arch, 2).hash());
  // These hashes are recorded, because a genesis names weights by hash.
  CHECK(init_weights(*parse_architecture("tiny"), 1).hash().text() ==
        "0x3583ed51ff671fe8b6d4b1f68195b507efd65438e3623d24ee271e2a43110b7a");
  CHECK(init_weights(*parse_architecture("2,8,2,6,16"), 7).hash().text() ==
        "0xd16ac0285985daafae124b3da7d642f7a552d8d688b0379d7f024fa169d92782");
  const auto tiny = init_weights(*parse_architecture("tiny"), 3);
  double squares = 0;
  const auto matrix = tiny.tensor("encoder.layers.0.attention.query.weight");
  for (const float value : matrix) squares += static_cast<double>(value) * value;
  CHECK(std::sqrt(squares / static_cast<double>(matrix.size())) ==
        doctest::Approx(std::sqrt(2.0 / 128)).epsilon(0.05));
  for (const float value : tiny.tensor("final_norm.gamma")) CHECK(value == 1.0f);
  for (const float value : tiny.tensor("predictor.bias")) CHECK(value == 0.0f);
}

TEST_CASE("a failed write leaves no file behind") {
  const temporary_folder place;
  // A folder with content stands in the way.
  std::filesystem::create_directories(place.path / "w" / "inside");
  CHECK_THROWS_AS(write_weights(place.path / "w", init_weights(small_arch, 1)), std::system_error);
  CHECK(std::distance(std::filesystem::directory_iterator(place.path), {}) == 1);
}

TEST_CASE("an unfinished file takes no name that another file has") {
  const temporary_folder place;
  const auto path = place.path / "w.safetensors";
  std::vector<std::filesystem::path> taken;
  for (const auto* end : {"", "-0", "-1"}) {
    taken.push_back(path.string() + ".part-" + std::to_string(::getpid()) + end);
    std::ofstream(taken.back()) << "mine";
  }
  write_weights(path, init_weights(*parse_architecture("2,8,2,6,16"), 7));
  CHECK(read_weights(path).has_value());
  for (const auto& name : taken) {
    std::string text;
    std::ifstream(name) >> text;
    CHECK(text == "mine");
  }
  CHECK(std::distance(std::filesystem::directory_iterator(place.path), {}) == 4);
}
