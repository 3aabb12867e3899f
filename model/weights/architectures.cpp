#include "model/weights/architectures.hpp"

#include <charconv>
#include <utility>

namespace soma::weights {
namespace {

constexpr std::pair<std::string_view, model_architecture> named[] = {
    {"tiny", {4, 64, 4, 256, 256}},
    {"small", {6, 256, 4, 1024, 1024}},
    {"base", {8, 512, 8, 2048, 1024}},
    {"v1", {24, 2048, 8, 8192, 1024}},
};

}  // namespace

std::optional<model_architecture> parse_architecture(std::string_view text) {
  for (const auto& [name, arch] : named) {
    if (name == text) return arch;
  }
  std::uint32_t numbers[5] = {};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (int i = 0; i < 5; ++i) {
    const auto [stop, error] = std::from_chars(at, end, numbers[i]);
    if (error != std::errc{} || stop == at) return std::nullopt;
    at = stop;
    if (i == 4) break;
    if (at == end || *at != ',') return std::nullopt;
    ++at;
  }
  if (at != end) return std::nullopt;
  const model_architecture arch{numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]};
  return is_valid(arch) ? std::optional(arch) : std::nullopt;
}

std::string to_text(const model_architecture& arch) {
  for (const auto& [name, known] : named) {
    if (known == arch) return std::string(name);
  }
  std::string text;
  for (const auto number : {arch.layers, arch.dim, arch.heads, arch.ffn, arch.max_seq}) {
    if (!text.empty()) text += ',';
    text += std::to_string(number);
  }
  return text;
}

}  // namespace soma::weights
