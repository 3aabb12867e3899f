#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "messages/crypto/hash.hpp"
#include "messages/values/assert.hpp"
#include "model/weights/weights.hpp"
#include "tests/fuzz/harness.hpp"
#include "tests/model/weights/weights_files.hpp"

namespace soma::fuzz {
namespace {

using weights::model_weights;
using weights::weights_overrides;
using weights::weights_refusal;
using parsing = expected<model_weights, weights_refusal>;

const weights_overrides no_overrides;

/// One file on disk, written anew for each input.
class scratch_file {
 public:
  scratch_file()
      : path_(folder_.path / "w"),
        fd_(::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
    SOMA_ASSERT(fd_ >= 0, "the folder for temporary files can be written");
  }
  ~scratch_file() { ::close(fd_); }
  void hold(byte_view content) const {
    const bool written =
        ::ftruncate(fd_, 0) == 0 &&
        ::pwrite(fd_, content.data(), content.size(), 0) == static_cast<ssize_t>(content.size());
    SOMA_ASSERT(written, "the temporary file can be written");
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  test::temporary_folder folder_;
  std::filesystem::path path_;
  int fd_;
};

template <class Result>
std::string verdict(const Result& result) {
  return result ? "accepted" : std::string(to_text(result.error()));
}

std::string differ(const char* what, const std::string& first, const std::string& second) {
  return first == second ? "" : std::string(what) + ": '" + first + "' and '" + second + "'";
}

/// The tensors lie in the data without gap or overlap, and hold numbers.
std::string check_tensors(const model_weights& model) {
  std::vector<std::span<const float>> all;
  for (const auto& spec : weights::tensor_table(model.architecture())) {
    all.push_back(model.tensor(spec.name));
    if (all.back().size() != spec.elements()) return spec.name + " has another size";
    for (const float value : all.back()) {
      if (!std::isfinite(value)) return spec.name + " holds what is no number";
    }
  }
  std::sort(all.begin(), all.end(), [](auto a, auto b) { return a.data() < b.data(); });
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i - 1].data() + all[i - 1].size() != all[i].data()) return "tensors do not tile";
  }
  return "";
}

/// The same values in a file of our own are the same model.
std::string check_rewritten(const model_weights& model) {
  std::vector<float> values;
  for (const auto& spec : weights::tensor_table(model.architecture())) {
    const auto tensor = model.tensor(spec.name);
    values.insert(values.end(), tensor.begin(), tensor.end());
  }
  const auto again = weights::parse_weights(
      weights::make_weights(model.architecture(), std::move(values)).file_bytes());
  if (!again) return "our own file of it is refused: " + verdict(again);
  if (again->architecture() != model.architecture()) return "our own file has another architecture";
  for (const auto& spec : weights::tensor_table(model.architecture())) {
    const auto before = model.tensor(spec.name);  // bit for bit: -0.0 is not 0.0
    if (std::memcmp(before.data(), again->tensor(spec.name).data(), before.size_bytes()) != 0) {
      return "our own file has another " + spec.name;
    }
  }
  return "";
}

std::string check_accepted(const model_weights& model, byte_view input) {
  if (!is_valid(model.architecture())) return "the architecture is not valid";
  if (!std::ranges::equal(model.file_bytes(), input)) return "it is not the file it came from";
  if (model.file_size_bytes() != input.size()) return "the size is another";
  if (crypto::hash("soma.weights", input).as<weights_tag>() != model.hash()) {
    return "the hash is another";
  }
  return check_tensors(model);
}

std::string check_in_memory(byte_view input, const weights_overrides& overrides) {
  const parsing viewed = weights::parse_weights(input, overrides);
  const parsing given = weights::parse_weights(bytes(input.begin(), input.end()), overrides);
  if (auto wrong = differ("viewed and given", verdict(viewed), verdict(given)); !wrong.empty()) {
    return wrong;
  }
  if (!viewed) {
    return overrides.heads && overrides.max_seq && viewed.error() == weights_refusal::bad_metadata
               ? "metadata was read although the caller knows better"
               : "";
  }
  if (overrides.heads && viewed->architecture().heads != *overrides.heads) return "other heads";
  if (overrides.max_seq && viewed->architecture().max_seq != *overrides.max_seq) {
    return "other positions";
  }
  for (const auto& model : {*viewed, *given}) {
    if (auto wrong = check_accepted(model, input); !wrong.empty()) return wrong;
  }
  return check_rewritten(*viewed);
}

std::string check_on_disk(byte_view input, const weights_overrides& overrides) {
  static const scratch_file file;
  file.hold(input);
  const auto told = verdict(weights::parse_weights(input, overrides));
  const parsing mapped = weights::map_weights(file.path(), overrides);
  const auto outline = weights::read_outline(file.path(), overrides);
  for (auto& wrong :
       {differ("memory and disk", told, verdict(weights::read_weights(file.path(), overrides))),
        differ("memory and mapping", told, verdict(mapped))}) {
    if (!wrong.empty()) return wrong;
  }
  const bool values_decide =
      told == to_text(weights_refusal::value_not_finite);  // no outline knows them
  if (!values_decide) {
    if (auto wrong = differ("memory and outline", told, verdict(outline)); !wrong.empty()) {
      return wrong;
    }
  } else if (!outline) {
    return "the outline is refused for its values";
  }
  if (!mapped) return "";
  if (outline->architecture != mapped->architecture() || outline->file_size_bytes != input.size()) {
    return "the outline is of another file";
  }
  if (auto wrong = check_accepted(*mapped, input); !wrong.empty()) return "mapped: " + wrong;
  if (!mapped->still_as_mapped()) return "an untouched file counts as changed";
  bytes other(input.begin(), input.end());
  other.back() ^= 1;
  file.hold(other);
  return mapped->still_as_mapped() ? "a changed file counts as untouched" : "";
}

}  // namespace

std::string check_safetensors(byte_view input) {
  static const weights_overrides said[] = {
      {1, 2}, {2, std::nullopt}, {std::nullopt, 16}, {0, 0}, {UINT32_MAX, UINT32_MAX},
  };
  // The input chooses what the caller says, so that each run stays short.
  const auto choice = std::accumulate(input.begin(), input.end(), std::uint64_t{0});
  const auto& overrides = said[choice % std::size(said)];
  for (const auto& given : {no_overrides, overrides}) {
    if (auto wrong = check_in_memory(input, given); !wrong.empty()) return wrong;
  }
  return check_on_disk(input, choice / std::size(said) % 2 == 0 ? no_overrides : overrides);
}

}  // namespace soma::fuzz
