// Inside of `weights`, shared by the files that make one. Not for others.
#pragma once

#include <map>
#include <utility>

#include "messages/crypto/hash.hpp"
#include "model/weights/plain_file.hpp"
#include "model/weights/weights.hpp"

namespace soma::model {

/// The file behind mapped weights, as it was when they were hashed.
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
  std::string header;             // as in the file, padding included
  std::span<const float> values;  // as in the file, all tensors
  // What `values` lie in: exactly one is set.
  std::shared_ptr<const void> memory;
  std::shared_ptr<const mapped_source> source;
  std::map<std::string, std::pair<std::size_t, std::size_t>, std::less<>> places;  // first, count
};

struct weights::content : weights_content {};

struct weights_access {
  static const weights_content& content_of(const weights& model) { return *model.content_; }
  static weights wrap(std::shared_ptr<const weights::content> content) {
    weights model;
    model.content_ = std::move(content);
    return model;
  }
  /// In a struct that is a friend, so that its type can be named.
  static std::shared_ptr<weights::content> fresh() { return std::make_shared<weights::content>(); }
};

/// H("soma.weights", …) of all that stands before the values in the file: what follows is theirs.
[[nodiscard]] crypto::tagged_hash hash_until_values(const weights_content& content);

/// The bytes of numbers as they stand in memory.
[[nodiscard]] inline byte_view bytes_of(std::span<const float> values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()};
}

}  // namespace soma::model
