// Headers of safetensors files, from well formed to malformed. They come from strangers and are
// read strictly (security §9.1).
#include "model/weights/safetensors_header.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <set>

#include "model/noise/noise.hpp"
#include "tests/model/weights/header_changes.hpp"

using namespace soma;
using namespace soma::noise;
using namespace soma::test;
using namespace soma::weights;
using refusal = weights_refusal;

TEST_CASE("files as the Python packages write them load, whatever the order of names and of data") {
  const model_architecture arch{2, 16, 8, 6,
                                1024};  // a file without metadata means 8 heads and 1024 positions
  const auto values = normals(1, parameter_count(arch));
  const byte_view data{reinterpret_cast<const std::uint8_t*>(values.data()), 4 * values.size()};
  for (const char* metadata : {"", R"("__metadata__":{"format":"pt"},)", R"("__metadata__":{},)",
                               R"("__metadata__": {"a":"\u00e9\n\ud83d\ude00"},)"}) {
    CAPTURE(metadata);
    auto header = python_header(arch);
    header.insert(1, metadata);
    const auto loaded = parse_weights(file_of(header, data));
    REQUIRE(loaded.has_value());
    CHECK(loaded->architecture() == arch);
    CHECK(loaded->tensor("embedding.weight")[0] == values[0]);
    CHECK(loaded->file_bytes() == file_of(header, data));
    CHECK(parse_weights(file_of(header, data), {.heads = 4, .max_seq = 32})->architecture() ==
          model_architecture{2, 16, 4, 6, 32});
  }
  // The same tensors, with the entry of the first one at the end of the header.
  auto header = python_header(arch);
  const auto cut = header.find(",\"encoder");
  header =
      "{" + header.substr(cut + 1, header.size() - cut - 2) + "," + header.substr(1, cut - 1) + "}";
  REQUIRE(parse_weights(file_of(header, data)).has_value());
  CHECK(parse_weights(file_of(header, data))->tensor("embedding.weight")[0] == values[0]);
}

TEST_CASE("metadata gives heads and positions, and the caller's values override it") {
  const auto with = [](const std::string& metadata) {
    auto header = python_header(small_arch);
    header.insert(1, "\"__metadata__\":{" + metadata + "},");
    return parse_weights(file_of(header, zeros_for(small_arch)));
  };
  const auto told = with(R"("soma.heads":"2","soma.max_seq":"16")");
  REQUIRE(told.has_value());
  CHECK(told->architecture() == small_arch);
  for (const char* wrong :
       {R"("soma.heads":"two")", R"("soma.heads":"")", R"("soma.heads":"0")",
        R"("soma.heads":"-2")", R"("soma.heads":"2 ")", R"("soma.heads":"99999999999")",
        R"("soma.heads":"2","soma.max_seq":"0x10")"}) {
    CAPTURE(wrong);
    const auto result = with(wrong);
    REQUIRE(!result.has_value());
    CHECK(result.error() == refusal::bad_metadata);
  }
  CHECK(with("").error() == refusal::invalid_architecture);  // 8 heads would have the width 1
  CHECK(with(R"("soma.heads":"3")").error() == refusal::invalid_architecture);
  CHECK(with(R"("soma.heads":"2","soma.max_seq":"70000")").error() ==
        refusal::invalid_architecture);
}

TEST_CASE("every malformed header is refused by its own name") {
  const std::string meta = R"("__metadata__":{"soma.heads":"2","soma.max_seq":"16"},)";
  auto good = python_header(small_arch);
  good.insert(1, meta);
  REQUIRE(parse_weights(file_of(good, zeros_for(small_arch))).has_value());
  const std::string beta = R"("final_norm.beta":{"dtype":"F32","shape":[8],)";
  const auto with = [&](const std::string& from, const std::string& to) {
    return refused(replaced(good, from, to));
  };

  CHECK(with(R"("dtype":"F32")", R"("dtype":"F16")") == refusal::dtype_not_f32);
  CHECK(with(R"("dtype":"F32")", R"("dtype":"f32")") == refusal::dtype_not_f32);
  CHECK(with(beta, R"("final_norm.beta":{"dtype":"F32","shape":[1,1,1,1,8],)") ==
        refusal::rank_too_large);
  CHECK(with(beta, R"("final_norm.beta":{"dtype":"F32","shape":[1,8],)") == refusal::wrong_shape);
  CHECK(with(beta, R"("final_norm.beta":{"dtype":"F32","shape":[4],)") == refusal::size_mismatch);
  CHECK(with(beta, R"("final_norm.beta":{"dtype":"F32","shape":[4294967296,4294967296],)") ==
        refusal::size_overflow);
  CHECK(with(beta, R"("final_norm.beta":{"dtype":"F32","shape":[4611686018427387912],)") ==
        refusal::size_overflow);
  CHECK(with(beta, R"("final_norm.beta":{"dtype":"F32","shape":[18446744073709551624],)") ==
        refusal::size_overflow);
  CHECK(with(beta, R"("final_norm.beta":{"dtype":"F32","shape":[08],)") ==
        refusal::header_not_json);
  CHECK(with(beta, R"("final_norm.beta":{"dtype":"F32","shape":[-8],)") ==
        refusal::header_not_json);
  CHECK(with(beta, R"("final_norm.beta":{"dtype":"F32","shape":[8.0],)") ==
        refusal::header_not_json);
  CHECK(with(beta, R"("final_norm.beta":{"dtype":"F32","shape":[[8]],)") ==
        refusal::header_not_json);
  CHECK(with(beta, R"("final_norm.beta":{"dtype":"F32","shape":[8,],)") ==
        refusal::header_not_json);
  CHECK(with(beta, R"("final_norm.beta":{"dtype":"F32","dtype":"F32","shape":[8],)") ==
        refusal::duplicate_key);
  CHECK(with(beta, R"("final_norm.beta":{"dtype":"F32","shape":[8],"extra":[8],)") ==
        refusal::bad_tensor_entry);
  CHECK(with(beta, R"("final_norm.beta":{"shape":[8],)") == refusal::bad_tensor_entry);
  CHECK(with(R"("final_norm.beta")", R"("final_norm.gamma")") == refusal::duplicate_key);
  CHECK(with(R"("final_norm.beta")", R"("final_norm.bet\u0061x")") == refusal::missing_tensor);
  CHECK(with(R"("final_norm.beta")", R"("final_norm.Beta")") == refusal::missing_tensor);
  CHECK(with(R"("__metadata__")", R"("__metadata_")") == refusal::bad_tensor_entry);
  CHECK(with(meta, meta + meta) == refusal::duplicate_key);
  CHECK(with(R"("soma.heads":"2")", R"("soma.heads":"2","soma.heads":"2")") ==
        refusal::duplicate_key);
  CHECK(with(R"("soma.heads":"2")", R"("soma.heads":2)") == refusal::header_not_json);
  CHECK(with(R"("soma.heads":"2")", R"("soma.heads":{"a":{}})") == refusal::header_not_json);
  CHECK(with(R"("soma.heads")", "\"soma\xff.heads\"") == refusal::header_not_json);
  CHECK(with(R"("soma.heads")", R"("soma\ud800.heads")") == refusal::header_not_json);
  CHECK(with(R"("soma.heads")", "\"soma\n.heads\"") == refusal::header_not_json);
  CHECK(refused(good + "x") == refusal::header_not_json);
  CHECK(refused(good + "{}") == refusal::header_not_json);
  CHECK(refused(" " + good) == refusal::header_not_json);
  CHECK(refused("[]") == refusal::header_not_json);
  CHECK(refused("{}") == refusal::trailing_bytes);
  CHECK(refused("") == refusal::header_not_json);
}

TEST_CASE(
    "tensors that overlap, leave a hole, reach too far or not far enough are refused by name") {
  auto good = python_header(small_arch);
  good.insert(1, R"("__metadata__":{"soma.heads":"2","soma.max_seq":"16"},)");
  const auto table = tensor_table(small_arch);
  // The last tensor of the file: predictor.weight, [8, 264].
  const std::uint64_t total = 4 * parameter_count(small_arch);
  const std::uint64_t begin = total - 4 * 8 * 264;
  const auto moved = [&](std::uint64_t from, std::uint64_t to, std::size_t data_bytes) {
    const auto old = "[" + std::to_string(begin) + "," + std::to_string(total) + "]";
    const auto header =
        replaced(good, old, "[" + std::to_string(from) + "," + std::to_string(to) + "]");
    const auto result = parse_weights(file_of(header, bytes(data_bytes, 0)));
    return result ? std::optional<refusal>() : result.error();
  };
  CHECK(!moved(begin, total, total));
  CHECK(moved(begin - 4, total - 4, total) == refusal::offsets_overlap);
  CHECK(moved(begin + 4, total + 4, total + 4) == refusal::offsets_hole);
  CHECK(moved(0, total - begin, total) == refusal::offsets_overlap);
  CHECK(moved(begin, total + 4, total) == refusal::size_mismatch);
  CHECK(moved(total, begin, total) == refusal::size_mismatch);
  CHECK(moved(begin, total, total - 1) == refusal::data_past_end);
  // bytes for another format after the data
  CHECK(moved(begin, total, total + 1) == refusal::trailing_bytes);
  CHECK(moved(begin, total, total + 4096) == refusal::trailing_bytes);
  CHECK(moved(UINT64_MAX - 4 * 8 * 264, UINT64_MAX, total) == refusal::offsets_hole);
}

TEST_CASE("the first eight bytes may lie") {
  auto file = init_weights(small_arch, 1).file_bytes();
  const auto with_length = [&](std::uint64_t length) {
    std::memcpy(file.data(), &length, 8);
    const auto result = parse_weights(file);
    REQUIRE(!result.has_value());
    return result.error();
  };
  CHECK(with_length(UINT64_MAX) == refusal::header_too_long);
  CHECK(with_length((1u << 20) + 8) == refusal::header_too_long);
  CHECK(with_length(file.size()) == refusal::header_past_end);
  CHECK(with_length(7) == refusal::header_not_aligned);
  CHECK(with_length(0) == refusal::header_not_json);
  CHECK(with_length(8) == refusal::header_not_json);
}

TEST_CASE("names and shapes are exactly those of one architecture") {
  const auto good =
      replaced(python_header(small_arch), "{", R"({"__metadata__":{"soma.heads":"2"},)");
  CHECK(refused(replaced(good, R"("encoder.layers.1.norm_1.gamma")",
                         R"("encoder.layers.7.norm_1.gamma")")) == refusal::unexpected_tensor);
  CHECK(refused(replaced(good, R"("embedding.weight")", R"("embedding.weights")")) ==
        refusal::missing_tensor);
  CHECK(refused(replaced(good, R"("encoder.layers.0.norm_1.gamma")",
                         R"("encoder.layers.00.norm_1.gamma")")) == refusal::missing_tensor);
  CHECK(refused(replaced(good, R"("predictor.weight":{"dtype":"F32","shape":[8,264])",
                         R"("predictor.weight":{"dtype":"F32","shape":[264,8])")) ==
        refusal::wrong_shape);
  // One more tensor, which has no bytes at all.
  CHECK(refused(replaced(
            good, R"("predictor.weight")",
            R"("zero":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"predictor.weight")")) ==
        refusal::unexpected_tensor);
  std::string many = R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  for (int i = 0; i < 4096; ++i)
    many += ",\"t" + std::to_string(i) + R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  CHECK(refused(many + "}") == refusal::too_many_tensors);
}

TEST_CASE("every refusal has a sentence of its own") {
  std::set<std::string_view> sentences;
  for (int i = 0; i <= static_cast<int>(refusal::value_not_finite); ++i)
    sentences.insert(to_text(static_cast<refusal>(i)));
  CHECK(sentences.size() == static_cast<std::size_t>(refusal::value_not_finite) + 1);
  CHECK(!sentences.contains("unknown"));
}
