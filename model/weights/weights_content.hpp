// Inside of `weights`, shared by the files that make one. Not for others.
#pragma once

#include <map>
#include <utility>

#include "model/weights/weights.hpp"

namespace soma::model {

struct weights_content {
  model_architecture architecture;
  weights_hash hash;
  std::string header;         // as in the file, padding included
  std::vector<float> values;  // as in the file, all tensors
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

/// Computes the hash once everything else is in place.
void seal(weights_content& content);

}  // namespace soma::model
