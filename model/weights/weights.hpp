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

/// An immutable value; copies share the numbers, which lie in memory or in a mapped file.
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

  /// Whether the numbers lie in a file that map_weights mapped.
  [[nodiscard]] bool is_mapped() const;
  /// False when the mapped file was written to or cut since it was hashed: whatever was computed
  /// from these weights must then be thrown away. Asked after the work, it covers the work. Cheap,
  /// unless the stamps cannot tell (the file was renamed, removed, or written in the same tick of
  /// the clock as it was mapped): then the file is hashed again. Reads through the descriptor, so
  /// no signal. Always true of weights in memory.
  [[nodiscard]] bool still_as_mapped() const;

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
/// Keeps the very vector.
[[nodiscard]] weights make_weights(const model_architecture& arch, std::vector<float>&& values);

/// A fresh network owned by the seed: gamma 1, beta and biases 0, matrices normal with deviation
/// sqrt(2 / (in + out)), those that write to the residual stream (attention.output, linear_outer)
/// divided by sqrt(2L), embedding and predictor with deviation 0.02. Tensor i of the table draws
/// from the stream of seed + (i+1) * 2^64/phi.
[[nodiscard]] weights init_weights(const model_architecture& arch, std::uint64_t seed);

/// Reads a whole file from memory.
[[nodiscard]] expected<weights, weights_refusal> parse_weights(
    byte_view file, const weights_overrides& overrides = {});
/// Keeps the very bytes instead of copying the values out of them; refused bytes may be gone too.
[[nodiscard]] expected<weights, weights_refusal> parse_weights(
    bytes&& file, const weights_overrides& overrides = {});
/// Reads a file once, through one descriptor; symbolic links and everything but plain files are
/// refused.
[[nodiscard]] expected<weights, weights_refusal> read_weights(
    const std::filesystem::path& path, const weights_overrides& overrides = {});

/// As read_weights, with the same refusals and the same hash, but the values stay in the file:
/// tensor() points into a read-only mapping, so that weights larger than the memory can be used.
/// Checks and hashes all of it once, reading through the descriptor. What must hold:
/// - nobody writes to the file while the weights live. A write shows through tensor(), where
/// nothing
///   checks it again: a result counts only if still_as_mapped() says so after the last use;
/// - nobody shortens it. Touching what is lost ends the process with SIGBUS, as does a failing
///   disk. For files of the person who runs the process, that is all right; what strangers send
///   comes in through parse_weights. Removing the file or renaming another over it harms nothing.
/// The file is assumed local (one clock stamps it). Throws std::system_error when the machine
/// cannot map.
[[nodiscard]] expected<weights, weights_refusal> map_weights(
    const std::filesystem::path& path, const weights_overrides& overrides = {});

/// What the header alone tells.
struct weights_outline {
  model_architecture architecture;
  std::uint64_t file_size_bytes = 0;
};

/// Reads the header alone, to plan before loading. Refuses what read_weights refuses, except for
/// values that are not finite.
[[nodiscard]] expected<weights_outline, weights_refusal> read_outline(
    const std::filesystem::path& path, const weights_overrides& overrides = {});

/// Writes the file whole or not at all: a temporary beside it, synced, renamed. Throws
/// std::system_error when the machine fails.
void write_weights(const std::filesystem::path& path, const weights& model);

}  // namespace soma::model
