// The content of model_weights, for the sources of this folder that make one.
#pragma once

#include <map>
#include <utility>

#include "messages/crypto/hash.hpp"
#include "model/weights/plain_file.hpp"
#include "model/weights/weights.hpp"

namespace soma::weights {

/// The file behind mapped weights, as it was when it was hashed.
struct mapped_source {
  mapped_source(plain_file opened, const file_stamp& at_first)
      : file(std::move(opened)), first(at_first), mapping(file, at_first.size_bytes) {}
  plain_file file;
  file_stamp first;
  file_mapping mapping;
};

struct weights_content {
  model_architecture architecture;
  weights_hash hash;
  std::string header;             // as in the file, with its padding
  std::span<const float> values;  // of all tensors, as in the file
  // One of these two is set and holds the values.
  std::shared_ptr<const void> memory;
  std::shared_ptr<const mapped_source> source;
  /// For each tensor its first value and the number of its values.
  std::map<std::string, std::pair<std::size_t, std::size_t>, std::less<>> ranges;
};

struct model_weights::content : weights_content {};

struct weights_access {
  static const weights_content& content_of(const model_weights& model) { return *model.content_; }
  static model_weights wrap(std::shared_ptr<const model_weights::content> content) {
    model_weights model;
    model.content_ = std::move(content);
    return model;
  }
  /// Makes an empty content. This struct is a friend of model_weights, so it can name the type.
  static std::shared_ptr<model_weights::content> fresh() {
    return std::make_shared<model_weights::content>();
  }
};

/// H("soma.weights", …), begun with everything that comes before the values in the file.
[[nodiscard]] crypto::tagged_hash hash_until_values(const weights_content& content);

/// The bytes of numbers as they are in memory.
[[nodiscard]] inline byte_view bytes_of(std::span<const float> values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()};
}

}  // namespace soma::weights
