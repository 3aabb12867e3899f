#include <cmath>
#include <cstring>

#include "messages/values/assert.hpp"
#include "model/weights/weights.hpp"
#include "tests/fuzz/harness.hpp"
#include "tests/model/weights/weights_files.hpp"

namespace soma::fuzz {
namespace {

constexpr model_architecture least{1, 2, 1, 1, 2};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  SOMA_ASSERT(at != std::string::npos, "a seed changes what stands in the header");
  return text.replace(at, from.size(), to);
}

bytes data_of(byte_view file) {
  const auto data = file.subspan(8 + header_of(file).size());
  return {data.begin(), data.end()};
}

/// Changes of one header that each reach another line of the reader.
std::map<std::string, std::string> headers() {
  const auto plain = test::python_header(least);
  const auto told = replaced(
      plain, "{", R"({"__metadata__":{"soma.heads":"1","soma.max_seq":"2","format":"pt"},)");
  const std::string beta = R"("final_norm.beta":{"dtype":"F32","shape":[2],)";
  const auto with = [&](const std::string& from, const std::string& to) {
    return replaced(told, from, to);
  };
  return {
      {"python", plain},
      {"told", told},
      {"escaped", with("\"embedding", R"("\u0065mbedding)")},
      {"surrogates", with(R"("format":"pt")", R"("\ud83d\ude00":"\u00e4\u20ac\n\t\\\"\/")")},
      {"spaces", with("\"F32\",", " \"F32\"\t,\r\n") + "      "},
      {"fields_turned", with(beta, R"("final_norm.beta":{"shape":[2],"dtype":"F32",)")},
      {"half", with("F32", "F16")},
      {"rank", with(beta, R"("final_norm.beta":{"dtype":"F32","shape":[1,1,1,1,2],)")},
      {"overflow",
       with(beta, R"("final_norm.beta":{"dtype":"F32","shape":[4294967296,4294967296],)")},
      {"zero_first", with(beta, R"("final_norm.beta":{"dtype":"F32","shape":[02],)")},
      {"twice", with(beta, R"("final_norm.gamma":{"dtype":"F32","shape":[2],)")},
      {"nested", with(R"("pt")", R"({"a":{"b":{}}})")},
      {"no_heads", with(R"("soma.heads":"1")", R"("soma.heads":"0")")},
      {"many_heads", with(R"("soma.heads":"1")", R"("soma.heads":"4294967296")")},
      {"extra_field", with("\"F32\"", R"("F32","extra":[1])")},
      {"empty_tensor", with("{", R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},)")},
      {"layer_gap", with("encoder.layers.0.norm_1.beta", "encoder.layers.1.norm_1.beta")},
      {"transposed", with("[2,264]", "[264,2]")},
      {"nothing", "{}"},
      {"list", "[]"},
  };
}

}  // namespace

std::map<std::string, bytes> safetensors_seeds() {
  std::map<std::string, bytes> seeds;
  for (const model_architecture arch :
       {least, model_architecture{1, 4, 2, 2, 4}, model_architecture{2, 2, 1, 3, 65'536}}) {
    seeds["made_" + std::to_string(seeds.size())] = weights::init_weights(arch, 1).file_bytes();
  }
  const auto good = seeds["made_0"];
  const auto data = data_of(good);
  for (const auto& [name, header] : headers()) seeds[name] = test::file_of(header, data);
  // Two tensors whose data changed places, which is allowed.
  const auto turned = replaced(header_of(good), "final_norm.beta", "*");
  seeds["turned"] = test::file_of(
      replaced(replaced(turned, "final_norm.gamma", "final_norm.beta"), "*", "final_norm.gamma"),
      data);

  // Sizes that no tensor of this file has to hold.
  seeds["wide"] = test::file_of(
      R"({"embedding.weight":{"dtype":"F32","shape":[0,4294967298],"data_offsets":[0,0]},)"
      R"("encoder.layers.0.norm_1.gamma":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},)"
      R"("encoder.layers.0.pwff.linear_inner.weight":)"
      R"({"dtype":"F32","shape":[0,1],"data_offsets":[0,0]}})",
      {});
  seeds["no_bytes"] = {};
  seeds["cut"] = bytes(good.begin(), good.end() - 1);
  seeds["cut_header"] = bytes(good.begin(), good.begin() + 300);
  seeds["tail"] = good;
  seeds["tail"].push_back(0);
  seeds["infinite"] = good;
  const float infinite = -INFINITY;
  std::memcpy(seeds["infinite"].data() + good.size() - 4, &infinite, 4);
  seeds["lie"] = good;
  seeds["lie"][7] = 0x80;
  return seeds;
}

std::map<std::string, bytes> tokens_seeds() {
  const auto input = [](std::uint32_t length, std::uint64_t first, std::uint64_t count,
                        std::size_t size) {
    bytes made(20 + size);
    length = length > 300 ? 0xf000'0000 + length - 1 : length - 1;  // as check_tokens reads it
    std::memcpy(made.data(), &length, 4);
    std::memcpy(made.data() + 4, &first, 8);
    std::memcpy(made.data() + 12, &count, 8);
    for (std::size_t i = 0; i < size; ++i) made[20 + i] = static_cast<std::uint8_t>(i * 37);
    return made;
  };
  return {
      {"no_data", input(16, 0, 1, 0)},       {"one_byte", input(16, 0, 1, 1)},
      {"one_slot", input(1, 3, 2, 9)},       {"full", input(16, 0, 16, 64)},
      {"one_more", input(16, 1, 16, 65)},    {"one_less", input(16, 0, 99, 63)},
      {"at_end", input(8, 5, 7, 40)},        {"all", input(4, 0, UINT64_MAX, 41)},
      {"last", input(4, UINT64_MAX, 1, 41)}, {"long", input(65'536, 0, 1, 300)},
      {"none", input(4, 0, 0, 41)},          {"two", input(2, 0, 50, 255)},
  };
}

}  // namespace soma::fuzz
