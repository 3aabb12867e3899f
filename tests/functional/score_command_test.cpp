// `soma model score` against recorded scores, on a file as the existing Python package lays it out.
#include <doctest/doctest.h>

#include <cstring>

#include "tests/deploy/binary.hpp"
#include "tests/model/recorded_network.hpp"

using namespace soma;
using namespace soma::support;

namespace {

/// Names in lexicographic order, 32-bit floats one after the other, no metadata.
std::string python_file(const model::weights& weights) {
  std::string header = "{", data;
  for (const auto& spec : model::tensor_table(weights.architecture())) {
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
  write_text(user.at("w.safetensors"), python_file(test::recorded_network(42)));
  struct record {
    std::size_t bytes;
    double cross_entropy, sigreg, loss;
  };
  for (const auto& wanted : {record{16, 12.4364175, 68.3576262, 13.8035700},
                             record{8, 12.8998758, 65.9907804, 14.2196915},
                             record{4, 6.8302926, 61.9779125, 8.0698509}}) {
    CAPTURE(wanted.bytes);
    std::string data;
    for (std::size_t i = 0; i < wanted.bytes; ++i) data.push_back(static_cast<char>(i));
    write_text(user.at("data.bin"), data);
    const auto done = user.run({"model", "score", "--weights", user.at("w.safetensors"), "--data",
                                user.at("data.bin"), "--heads", "2", "--max-seq", "8", "--batch",
                                "2", "--seed", "42", "--engine", "torch", "--json"});
    CAPTURE(done.err);
    REQUIRE(done.exit_code == 0);
    const auto score = parse_json(done.out);
    REQUIRE(score);
    CHECK((*score)["engine"].text == "torch");
    CHECK((*score)["cross_entropy"].number() ==
          doctest::Approx(wanted.cross_entropy).epsilon(1e-4));
    CHECK((*score)["sigreg"].number() == doctest::Approx(wanted.sigreg).epsilon(1e-4));
    CHECK((*score)["loss"].number() == doctest::Approx(wanted.loss).epsilon(1e-4));
    CHECK((*score)["embedding"].elements.size() == 4);
  }
}
