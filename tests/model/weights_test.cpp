#include "model/weights/weights.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <set>

#include "messages/crypto/hash.hpp"
#include "model/noise/noise.hpp"
#include "model/weights/architectures.hpp"
#include "tests/model/weights_files.hpp"

using namespace soma;
using namespace soma::model;
using refusal = weights_refusal;

namespace {

constexpr model_architecture small_arch{2, 8, 8 / 4, 6, 16};

bytes zeros_for(const model_architecture& arch) {
  return bytes(4 * parameter_count(arch), 0);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// What a header with one change is refused with.
refusal refused(const std::string& header, const model_architecture& arch = small_arch) {
  const auto result = parse_weights(file_of(header, zeros_for(arch)));
  REQUIRE(!result.has_value());
  return result.error();
}

}  // namespace

TEST_CASE("architectures by name, by five numbers, or not at all") {
  CHECK(parse_architecture("tiny") == model_architecture{4, 64, 4, 256, 256});
  CHECK(parse_architecture("small") == model_architecture{6, 256, 4, 1024, 1024});
  CHECK(parse_architecture("base") == model_architecture{8, 512, 8, 2048, 1024});
  CHECK(parse_architecture("v1") == model_architecture{});
  CHECK(parse_architecture("2,8,2,6,16") == small_arch);
  for (const char* wrong :
       {"", "huge", "1,2,3", "2,8,2,6,16,", "2,8,2,6,16,1", "2,8,3,6,16", "2,8,2,6,-1",
        " 2,8,2,6,16", "0,8,2,6,16", "2,8,8,6,16", "2,99999999999,2,6,16", "2,,2,6,16"}) {
    CAPTURE(wrong);
    CHECK(!parse_architecture(wrong));
  }
  CHECK(to_text(*parse_architecture("tiny")) == "tiny");
  CHECK(to_text(small_arch) == "2,8,2,6,16");
}

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
    CHECK(std::distance(std::filesystem::directory_iterator(place.path), {}) ==
          1);  // no temporary is left
  }
}

TEST_CASE("a seed owns its initial weights") {
  CHECK(init_weights(small_arch, 1).hash() == init_weights(small_arch, 1).hash());
  CHECK(init_weights(small_arch, 1).hash() != init_weights(small_arch, 2).hash());
  // Recorded: a genesis names them by hash.
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

TEST_CASE("files as the Python packages write them load, whatever the order of names and of data") {
  const model_architecture arch{2, 16, 8, 6,
                                1024};  // 8 heads and 1024 positions are what a silent file means
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
  // The same tensors with the entry of the first at the end of the header.
  auto header = python_header(arch);
  const auto cut = header.find(",\"encoder");
  header =
      "{" + header.substr(cut + 1, header.size() - cut - 2) + "," + header.substr(1, cut - 1) + "}";
  REQUIRE(parse_weights(file_of(header, data)).has_value());
  CHECK(parse_weights(file_of(header, data))->tensor("embedding.weight")[0] == values[0]);
}

TEST_CASE("metadata tells heads and positions; the caller's word wins") {
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
  CHECK(with("").error() == refusal::invalid_architecture);  // 8 heads of width 1
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
  CHECK(moved(begin, total, total + 1) == refusal::trailing_bytes);  // a polyglot's tail
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
  // One tensor more, of no bytes at all.
  CHECK(refused(replaced(
            good, R"("predictor.weight")",
            R"("zero":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"predictor.weight")")) ==
        refusal::unexpected_tensor);
  std::string many = R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  for (int i = 0; i < 4096; ++i)
    many += ",\"t" + std::to_string(i) + R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  CHECK(refused(many + "}") == refusal::too_many_tensors);
}

TEST_CASE(
    "a weight that is not a finite number is refused wherever it stands; a subnormal is a number") {
  const auto count = parameter_count(small_arch);
  for (const std::size_t place : {std::size_t{0}, count / 2, count - 1}) {
    for (const float bad : {NAN, INFINITY, -INFINITY}) {
      auto values = normals(3, count);
      values[place] = bad;
      const auto result = parse_weights(make_weights(small_arch, values).file_bytes());
      REQUIRE(!result.has_value());
      CHECK(result.error() == refusal::value_not_finite);
    }
    auto values = normals(3, count);
    values[place] = 1e-42f;
    CHECK(parse_weights(make_weights(small_arch, values).file_bytes()).has_value());
  }
}

TEST_CASE("a file cut at any byte is refused, and says why") {
  const auto file = init_weights({1, 4, 1, 2, 4}, 1).file_bytes();
  std::uint64_t header = 0;
  std::memcpy(&header, file.data(), 8);
  for (std::size_t size = 0; size < file.size(); size += size < header + 64 ? 1 : 97) {
    CAPTURE(size);
    const auto result = parse_weights(byte_view(file).first(size));
    REQUIRE(!result.has_value());
    CHECK(result.error() == (size < 8            ? refusal::too_short
                             : size < 8 + header ? refusal::header_past_end
                                                 : refusal::data_past_end));
    CHECK(!to_text(result.error()).empty());
  }
  // The header itself shortened to every length, with the data behind it.
  const std::string text(reinterpret_cast<const char*>(file.data()) + 8, header);
  for (std::size_t size = 0; size + 8 < header; ++size) {
    CAPTURE(size);
    CHECK(!parse_weights(file_of(text.substr(0, size), byte_view(file).subspan(8 + header)))
               .has_value());
  }
}

TEST_CASE("a flipped bit is refused or changes the hash; nothing else can happen") {
  const auto original = init_weights({1, 4, 1, 2, 4}, 1);
  const auto file = original.file_bytes();
  std::uint64_t header = 0;
  std::memcpy(&header, file.data(), 8);
  std::set<refusal> reasons;
  noise_generator noise(1);
  for (std::size_t at = 0; at < 8 + header + 400; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      CAPTURE(at);
      CAPTURE(bit);
      auto flipped = file;
      flipped[at] ^= static_cast<std::uint8_t>(1 << bit);
      const auto result = parse_weights(flipped);
      if (result) {
        CHECK(result->hash() != original.hash());
        CHECK(is_valid(result->architecture()));
      } else {
        reasons.insert(result.error());
      }
    }
  }
  CHECK(reasons.size() >= 10);
}

TEST_CASE("random damage of any kind never does more than refuse") {
  const auto file = init_weights({1, 4, 1, 2, 4}, 1).file_bytes();
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    CAPTURE(seed);
    noise_generator noise(seed);
    auto damaged = file;
    const auto header = 3300u;
    for (std::uint64_t i = 0; i <= noise.below(4); ++i) {
      const auto at = noise.below(header);
      switch (noise.below(3)) {
        case 0:
          damaged[at] = static_cast<std::uint8_t>(noise.next_u32());
          break;
        case 1:
          damaged.erase(damaged.begin() + static_cast<std::ptrdiff_t>(at),
                        damaged.begin() + static_cast<std::ptrdiff_t>(at + noise.below(30)));
          break;
        default:
          damaged.insert(damaged.begin() + static_cast<std::ptrdiff_t>(at),
                         "{}[],:\"\\0123456789eu"[noise.below(20)]);
          break;
      }
    }
    const auto result = parse_weights(damaged);
    if (result) CHECK(is_valid(result->architecture()));
  }
}

TEST_CASE("what is not a plain file is refused") {
  const temporary_folder place;
  CHECK(read_weights(place.path / "absent").error() == refusal::cannot_open);
  CHECK(read_weights(place.path).error() == refusal::cannot_open);
  const auto path = place.path / "w";
  write_weights(path, init_weights(small_arch, 1));
  std::filesystem::create_symlink(path, place.path / "link");
  CHECK(read_weights(place.path / "link").error() == refusal::cannot_open);
  std::ofstream(place.path / "empty").close();
  CHECK(read_weights(place.path / "empty").error() == refusal::too_short);
  std::filesystem::resize_file(path, 100);
  CHECK(read_weights(path).error() == refusal::header_past_end);
}

TEST_CASE("a file that cannot be written leaves nothing behind") {
  const temporary_folder place;
  std::filesystem::create_directories(place.path / "w" /
                                      "inside");  // a full folder stands in the way
  CHECK_THROWS_AS(write_weights(place.path / "w", init_weights(small_arch, 1)), std::system_error);
  CHECK(std::distance(std::filesystem::directory_iterator(place.path), {}) == 1);
}

TEST_CASE("every refusal has a sentence of its own") {
  std::set<std::string_view> sentences;
  for (int i = 0; i <= static_cast<int>(refusal::value_not_finite); ++i)
    sentences.insert(to_text(static_cast<refusal>(i)));
  CHECK(sentences.size() == static_cast<std::size_t>(refusal::value_not_finite) + 1);
  CHECK(!sentences.contains("unknown"));
}
