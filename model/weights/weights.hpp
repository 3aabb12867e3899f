// The weights of one model: named tensors of one architecture, and the hash that names them. Files
// are safetensors as the protocol publishes them; whatever a file holds, it is either weights of a
// valid architecture with finite values, or refused by name. Reference §9.7; surface
// "architectures".
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "messages/types/architecture.hpp"
#include "messages/types/bytes.hpp"
#include "messages/types/expected.hpp"
#include "messages/types/ids.hpp"
#include "model/weights/safetensors_header.hpp"

namespace soma::model {

/// One tensor an architecture asks for. All have one or two dimensions.
struct tensor_spec {
  std::string name;
  std::vector<std::uint64_t> shape;
  [[nodiscard]] std::uint64_t elements() const;
};

/// Every tensor of the architecture in lexicographic order of names: the order in which we write
/// files.
[[nodiscard]] std::vector<tensor_spec> tensor_table(const model_architecture& arch);
[[nodiscard]] std::uint64_t parameter_count(const model_architecture& arch);

/// An immutable value; copies share the numbers.
class weights {
 public:
  [[nodiscard]] const model_architecture& architecture() const;
  /// H("soma.weights", the plain safetensors file).
  [[nodiscard]] weights_hash hash() const;
  /// The tensor's values in row order. The name must be one of the architecture's.
  [[nodiscard]] std::span<const float> tensor(std::string_view name) const;
  /// The file that these weights are: the very bytes that were read, or those that write_weights
  /// writes.
  [[nodiscard]] bytes file_bytes() const;
  [[nodiscard]] std::uint64_t file_size_bytes() const;

  struct content;  // inside: weights_content.hpp

 private:
  friend struct weights_access;
  std::shared_ptr<const content> content_;
};

/// What the file's tensors cannot tell: these win over the file's metadata, which wins over 8 heads
/// and 1024 positions.
struct weights_overrides {
  std::optional<std::uint32_t> heads;
  std::optional<std::uint32_t> max_seq;
};

/// From values in the order of tensor_table(arch), all of them; the architecture must be valid, the
/// values finite or not.
[[nodiscard]] weights make_weights(const model_architecture& arch, std::span<const float> values);

/// A fresh network owned by the seed: gamma 1, beta and biases 0, matrices normal with deviation
/// sqrt(2 / (in + out)), those that write to the residual stream (attention.output, linear_outer)
/// divided by sqrt(2L), embedding and predictor with deviation 0.02. Tensor i of the table draws
/// from the stream of seed + (i+1) * 2^64/phi.
[[nodiscard]] weights init_weights(const model_architecture& arch, std::uint64_t seed);

/// Reads a whole file from memory.
[[nodiscard]] expected<weights, weights_refusal> parse_weights(
    byte_view file, const weights_overrides& overrides = {});
/// Reads a file once, through one descriptor; symbolic links and everything but plain files are
/// refused.
[[nodiscard]] expected<weights, weights_refusal> read_weights(
    const std::filesystem::path& path, const weights_overrides& overrides = {});

/// Writes the file whole or not at all: a temporary beside it, synced, renamed. Throws
/// std::system_error when the machine fails.
void write_weights(const std::filesystem::path& path, const weights& model);

}  // namespace soma::model
