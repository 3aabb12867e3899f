// The weights of one model: the named tensors of one architecture, and the hash that names them.
//
// Files are safetensors. A file either holds the weights of a valid architecture with finite
// values, or it is refused by name. A file is:
//
//   length of the header            u64, little endian
//   header                          JSON in UTF-8, padded with spaces to a multiple of 8
//   values of all tensors           binary32, little endian, without gaps
//
// In the header each tensor has "dtype" (F32), "shape" and "data_offsets" (begin and end in bytes,
// counted from the end of the header). The header may have "__metadata__", an object of texts. Its
// "soma.heads" and "soma.max_seq" are read, because the tensors do not determine these two numbers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "messages/values/architecture.hpp"
#include "messages/values/bytes.hpp"
#include "messages/values/expected.hpp"
#include "messages/values/ids.hpp"
#include "model/weights/safetensors_header.hpp"

namespace soma::weights {

/// One tensor that an architecture has, with one or two dimensions.
struct tensor_spec {
  std::string name;
  std::vector<std::uint64_t> shape;
  [[nodiscard]] std::uint64_t elements() const;
};

/// Every tensor of the architecture in lexicographic order of names, which is the order in the
/// files that write_weights writes.
[[nodiscard]] std::vector<tensor_spec> tensor_table(const model_architecture& arch);
[[nodiscard]] std::uint64_t parameter_count(const model_architecture& arch);

/// The weights as an immutable value. Copies share the numbers, which lie in memory or in a mapped
/// file.
class model_weights {
 public:
  [[nodiscard]] const model_architecture& architecture() const;
  /// H("soma.weights", the safetensors file).
  [[nodiscard]] weights_hash hash() const;
  /// The tensor's values, row after row. The architecture must have a tensor of this name.
  [[nodiscard]] std::span<const float> tensor(std::string_view name) const;
  /// The file of these weights: the bytes that were read, or those that write_weights writes.
  [[nodiscard]] bytes file_bytes() const;
  [[nodiscard]] std::uint64_t file_size_bytes() const;

  /// Whether the numbers lie in a file that map_weights mapped.
  [[nodiscard]] bool is_mapped() const;
  /// False if the mapped file was written to or cut since it was hashed. Then everything that was
  /// computed from these weights must be thrown away. Called after the work, it covers the work.
  ///
  /// It is cheap as long as the file's time stamps can tell. They cannot if the file was renamed,
  /// removed, or written in the same tick of the clock in which it was mapped; then the file is
  /// hashed again. It reads through the descriptor and so raises no signal. It is always true of
  /// weights in memory.
  [[nodiscard]] bool still_as_mapped() const;

  struct content;  // weights_content.hpp

 private:
  friend struct weights_access;
  std::shared_ptr<const content> content_;
};

/// The two numbers that the tensors do not determine. A value here overrides the file's metadata,
/// which overrides the defaults: 8 heads and 1024 positions.
struct weights_overrides {
  std::optional<std::uint32_t> heads;
  std::optional<std::uint32_t> max_seq;
};

/// Makes weights from all values in the order of tensor_table(arch). The architecture must be
/// valid; the values need not be finite.
[[nodiscard]] model_weights make_weights(const model_architecture& arch,
                                         std::span<const float> values);
/// The same, without a copy of the values.
[[nodiscard]] model_weights make_weights(const model_architecture& arch,
                                         std::vector<float>&& values);

/// The weights of an untrained network, which the seed determines. gamma is 1, beta and biases are
/// 0, and matrices are normal with these deviations:
///
///   embedding, predictor              0.02
///   attention.output, linear_outer    sqrt(2 / (in + out)) / sqrt(2 L): both add to the residual
///   other matrices                    sqrt(2 / (in + out))
///
/// Tensor i of the table draws from the stream of seed + (i + 1) * 0x9e3779b97f4a7c15.
[[nodiscard]] model_weights init_weights(const model_architecture& arch, std::uint64_t seed);

/// Reads a file that is in memory.
[[nodiscard]] expected<model_weights, weights_refusal> parse_weights(
    byte_view file, const weights_overrides& overrides = {});
/// The same, without a copy of the values: the weights keep `file`. After a refusal `file` may be
/// empty.
[[nodiscard]] expected<model_weights, weights_refusal> parse_weights(
    bytes&& file, const weights_overrides& overrides = {});
/// Reads a file once, through one descriptor. Symbolic links are followed. What is no plain file is
/// refused, and so is a file that is written to meanwhile.
[[nodiscard]] expected<model_weights, weights_refusal> read_weights(
    const std::filesystem::path& path, const weights_overrides& overrides = {});

/// Like read_weights, with the same refusals and the same hash, but the values stay in the file:
/// tensor() points into a read-only mapping, so weights larger than the memory can be used. The
/// file is checked and hashed once, through the descriptor. Two things must hold while the weights
/// live:
///
/// - The file is not written to. A write shows through tensor(), where it is not checked again, so
///   a result counts only if still_as_mapped() is true after the last use.
/// - The file is not shortened. Touching a page that is lost ends the process with SIGBUS, and so
///   does a failing disk. That is acceptable for files of the person who runs the process. Files of
///   strangers come in through parse_weights.
///
/// Removing the file, or renaming another file over it, does no harm. The file must be local, so
/// that one clock stamps it. Throws std::system_error when the machine cannot map the file.
[[nodiscard]] expected<model_weights, weights_refusal> map_weights(
    const std::filesystem::path& path, const weights_overrides& overrides = {});

/// The facts in the header of a file.
struct weights_outline {
  model_architecture architecture;
  std::uint64_t file_size_bytes = 0;
};

/// Reads the header alone, to plan before loading. It refuses what read_weights refuses, except for
/// values that are not finite.
[[nodiscard]] expected<weights_outline, weights_refusal> read_outline(
    const std::filesystem::path& path, const weights_overrides& overrides = {});

/// Writes the file as a whole or not at all (atomic_file.hpp). Throws std::system_error when the
/// machine fails.
void write_weights(const std::filesystem::path& path, const model_weights& model);

}  // namespace soma::weights
