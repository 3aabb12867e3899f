#include "model/weights/weights.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "messages/crypto/hash.hpp"
#include "messages/values/assert.hpp"
#include "messages/values/splitmix64.hpp"
#include "model/noise/noise.hpp"
#include "model/weights/atomic_file.hpp"
#include "model/weights/weights_content.hpp"

namespace soma::weights {

static_assert(std::endian::native == std::endian::little, "files hold little-endian numbers");

std::uint64_t tensor_spec::elements() const {
  std::uint64_t product = 1;
  for (const auto extent : shape) product *= extent;
  return product;
}

std::vector<tensor_spec> tensor_table(const model_architecture& arch) {
  SOMA_ASSERT(is_valid(arch), "tensors are listed for valid architectures only");
  const std::uint64_t d = arch.dim;
  const std::uint64_t f = arch.ffn;
  const std::uint64_t v = model_architecture::vocab;
  std::vector<tensor_spec> table{{"embedding.weight", {v, d}},
                                 {"final_norm.beta", {d}},
                                 {"final_norm.gamma", {d}},
                                 {"predictor.bias", {v}},
                                 {"predictor.weight", {d, v}}};
  for (std::uint32_t layer = 0; layer < arch.layers; ++layer) {
    const std::string prefix = "encoder.layers." + std::to_string(layer) + ".";
    for (const char* norm : {"norm_1", "norm_2"}) {
      table.push_back({prefix + norm + ".beta", {d}});
      table.push_back({prefix + norm + ".gamma", {d}});
    }
    for (const char* part : {"key", "output", "query", "value"}) {
      table.push_back({prefix + "attention." + part + ".bias", {d}});
      table.push_back({prefix + "attention." + part + ".weight", {d, d}});
    }
    table.push_back({prefix + "pwff.linear_inner.bias", {f}});
    table.push_back({prefix + "pwff.linear_inner.weight", {d, f}});
    table.push_back({prefix + "pwff.linear_outer.bias", {d}});
    table.push_back({prefix + "pwff.linear_outer.weight", {f, d}});
  }
  std::sort(table.begin(), table.end(),
            [](const tensor_spec& a, const tensor_spec& b) { return a.name < b.name; });
  return table;
}

std::uint64_t parameter_count(const model_architecture& arch) {
  std::uint64_t count = 0;
  for (const auto& spec : tensor_table(arch)) count += spec.elements();
  return count;
}

const model_architecture& model_weights::architecture() const {
  return content_->architecture;
}
weights_hash model_weights::hash() const {
  return content_->hash;
}

std::span<const float> model_weights::tensor(std::string_view name) const {
  const auto found = content_->ranges.find(name);
  SOMA_ASSERT(found != content_->ranges.end(), "the architecture has a tensor of this name");
  return content_->values.subspan(found->second.first, found->second.second);
}

std::uint64_t model_weights::file_size_bytes() const {
  return 8 + content_->header.size() + 4 * content_->values.size();
}

namespace {

std::array<std::uint8_t, 8> length_prefix(const weights_content& content) {
  return std::bit_cast<std::array<std::uint8_t, 8>>(std::uint64_t{content.header.size()});
}

std::string header_text(const model_architecture& arch, const std::vector<tensor_spec>& table) {
  std::string text = R"({"__metadata__":{"soma.heads":")" + std::to_string(arch.heads) +
                     R"(","soma.max_seq":")" + std::to_string(arch.max_seq) + R"("})";
  std::uint64_t offset = 0;
  for (const auto& spec : table) {
    text += ",\"" + spec.name + R"(":{"dtype":"F32","shape":[)";
    for (std::size_t i = 0; i < spec.shape.size(); ++i) {
      if (i > 0) text += ',';
      text += std::to_string(spec.shape[i]);
    }
    const std::uint64_t end = offset + 4 * spec.elements();
    text += R"(],"data_offsets":[)" + std::to_string(offset) + "," + std::to_string(end) + "]}";
    offset = end;
  }
  text += "}";
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

crypto::tagged_hash hash_until_values(const weights_content& content) {
  crypto::tagged_hash hash("soma.weights");
  hash.add(length_prefix(content)).add(as_bytes(content.header));
  return hash;
}

bytes model_weights::file_bytes() const {
  bytes file;
  file.reserve(file_size_bytes());
  const auto prefix = length_prefix(*content_);
  const auto header = as_bytes(content_->header);
  const auto values = bytes_of(content_->values);
  file.insert(file.end(), prefix.begin(), prefix.end());
  file.insert(file.end(), header.begin(), header.end());
  file.insert(file.end(), values.begin(), values.end());
  return file;
}

void write_weights(const std::filesystem::path& path, const model_weights& model) {
  const auto& content = weights_access::content_of(model);
  const auto prefix = length_prefix(content);
  const byte_view parts[] = {prefix, as_bytes(content.header), bytes_of(content.values)};
  write_file_atomically(path, parts);
}

model_weights make_weights(const model_architecture& arch, std::vector<float>&& values) {
  auto content = weights_access::fresh();
  const auto table = tensor_table(arch);
  content->architecture = arch;
  content->header = header_text(arch, table);
  std::size_t offset = 0;
  for (const auto& spec : table) {
    content->ranges.emplace(spec.name, std::pair(offset, spec.elements()));
    offset += spec.elements();
  }
  SOMA_ASSERT(offset == values.size(), "there is one value for each parameter");
  const auto memory = std::make_shared<const std::vector<float>>(std::move(values));
  content->values = *memory;
  content->memory = memory;
  content->hash =
      hash_until_values(*content).add(bytes_of(content->values)).finish_as<weights_hash>();
  return weights_access::wrap(std::move(content));
}

model_weights make_weights(const model_architecture& arch, std::span<const float> values) {
  return make_weights(arch, std::vector<float>(values.begin(), values.end()));
}

model_weights init_weights(const model_architecture& arch, std::uint64_t seed) {
  const auto ends_with = [](const std::string& name, std::string_view end) {
    return name.ends_with(end);
  };
  std::vector<float> values;
  values.reserve(parameter_count(arch));
  const double residual_scale = 1.0 / std::sqrt(2.0 * arch.layers);
  std::uint64_t stream = seed;
  for (const auto& spec : tensor_table(arch)) {
    stream += splitmix64::increment;
    if (spec.shape.size() == 1) {
      values.insert(values.end(), spec.elements(), ends_with(spec.name, ".gamma") ? 1.0f : 0.0f);
      continue;
    }
    double deviation = std::sqrt(2.0 / static_cast<double>(spec.shape[0] + spec.shape[1]));
    if (ends_with(spec.name, ".output.weight") || ends_with(spec.name, ".linear_outer.weight")) {
      deviation *= residual_scale;
    }
    if (spec.name == "embedding.weight" || spec.name == "predictor.weight") deviation = 0.02;
    const auto drawn = noise::normals(stream, spec.elements(), 0, static_cast<float>(deviation));
    values.insert(values.end(), drawn.begin(), drawn.end());
  }
  return make_weights(arch, std::move(values));
}

}  // namespace soma::weights
