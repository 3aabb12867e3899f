// Weights from bytes that strangers made.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "model/weights/weights_content.hpp"

namespace soma::model {
namespace {

using refusal = weights_refusal;

/// Heads or sequence length from the metadata: plain decimal, at least 1.
expected<std::uint32_t, refusal> metadata_number(const safetensors_header& header,
                                                 std::string_view key,
                                                 std::optional<std::uint32_t> override_value,
                                                 std::uint32_t without) {
  if (override_value) return *override_value;
  const auto found = header.metadata.find(key);
  if (found == header.metadata.end()) return without;
  const auto& text = found->second;
  std::uint32_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || stop != text.data() + text.size() || value == 0) {
    return make_unexpected(refusal::bad_metadata);
  }
  return value;
}

/// The layers named by the tensors: the highest number with a first norm, plus one.
std::uint32_t count_layers(const safetensors_header& header) {
  std::uint32_t layers = 0;
  while (layers <= max_layers &&
         header.tensors.contains("encoder.layers." + std::to_string(layers) + ".norm_1.gamma")) {
    ++layers;
  }
  return layers;
}

expected<model_architecture, refusal> infer(const safetensors_header& header,
                                            const weights_overrides& overrides) {
  const auto embedding = header.tensors.find("embedding.weight");
  const auto inner = header.tensors.find("encoder.layers.0.pwff.linear_inner.weight");
  const std::uint32_t layers = count_layers(header);
  if (embedding == header.tensors.end() || inner == header.tensors.end() || layers == 0) {
    return make_unexpected(refusal::missing_tensor);
  }
  const auto& table = embedding->second.shape;
  const auto& matrix = inner->second.shape;
  if (table.size() != 2 || matrix.size() != 2) return make_unexpected(refusal::wrong_shape);
  const auto heads = metadata_number(header, "soma.heads", overrides.heads, 8);
  if (!heads) return make_unexpected(heads.error());
  const auto max_seq = metadata_number(header, "soma.max_seq", overrides.max_seq, 1024);
  if (!max_seq) return make_unexpected(max_seq.error());
  if (table[1] > max_dim || matrix[1] > max_ffn)
    return make_unexpected(refusal::invalid_architecture);
  const model_architecture arch{layers, static_cast<std::uint32_t>(table[1]), *heads,
                                static_cast<std::uint32_t>(matrix[1]), *max_seq};
  if (!is_valid(arch)) return make_unexpected(refusal::invalid_architecture);
  return arch;
}

std::optional<refusal> match(const safetensors_header& header, weights_content& content) {
  const auto table = tensor_table(content.architecture);
  for (const auto& spec : table) {
    const auto found = header.tensors.find(spec.name);
    if (found == header.tensors.end()) return refusal::missing_tensor;
    if (found->second.shape != spec.shape) return refusal::wrong_shape;
    content.places.emplace(spec.name, std::pair(found->second.begin / 4, spec.elements()));
  }
  if (header.tensors.size() != table.size()) return refusal::unexpected_tensor;
  return std::nullopt;
}

bool all_finite(std::span<const float> values) {
  // An exponent of all ones is infinity or NaN; without branches inside, so that it runs at the
  // speed of memory.
  std::uint32_t found = 0;
  for (const float value : values) {
    found |= static_cast<std::uint32_t>((std::bit_cast<std::uint32_t>(value) & 0x7f80'0000u) ==
                                        0x7f80'0000u);
  }
  return found == 0;
}

expected<weights, refusal> complete(std::shared_ptr<weights::content> content) {
  if (!all_finite(content->values)) return make_unexpected(refusal::value_not_finite);
  seal(*content);
  return weights_access::wrap(std::move(content));
}

/// The header's length from the first eight bytes, against the file's size.
expected<std::uint64_t, refusal> header_size(byte_view prefix, std::uint64_t file_bytes) {
  if (file_bytes < 8 || prefix.size() < 8) return make_unexpected(refusal::too_short);
  std::uint64_t size = 0;
  std::memcpy(&size, prefix.data(), 8);
  if (size > max_header_bytes) return make_unexpected(refusal::header_too_long);
  if (size > file_bytes - 8) return make_unexpected(refusal::header_past_end);
  if (size % 8 != 0) return make_unexpected(refusal::header_not_aligned);
  return size;
}

class input_file {
 public:
  explicit input_file(const std::filesystem::path& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)) {}
  ~input_file() {
    if (fd_ >= 0) ::close(fd_);
  }
  input_file(const input_file&) = delete;
  input_file& operator=(const input_file&) = delete;

  /// nullopt unless it is open and a plain file.
  [[nodiscard]] std::optional<std::uint64_t> size() const {
    struct stat status {};
    if (fd_ < 0 || ::fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
    return static_cast<std::uint64_t>(status.st_size);
  }
  [[nodiscard]] bool read(void* to, std::uint64_t size) {
    auto* at = static_cast<char*>(to);
    while (size > 0) {
      const ssize_t got = ::read(fd_, at, std::min<std::uint64_t>(size, 1u << 30));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      at += got;
      size -= static_cast<std::uint64_t>(got);
    }
    return true;
  }

 private:
  int fd_;
};

/// Everything but the values: what the header alone decides.
expected<std::shared_ptr<weights::content>, refusal> prepare(std::string_view text,
                                                             std::uint64_t data_bytes,
                                                             const weights_overrides& overrides) {
  const auto header = parse_header(text, data_bytes);
  if (!header) return make_unexpected(header.error());
  const auto arch = infer(*header, overrides);
  if (!arch) return make_unexpected(arch.error());
  auto content = weights_access::fresh();
  content->architecture = *arch;
  content->header = text;
  if (const auto wrong = match(*header, *content)) return make_unexpected(*wrong);
  content->values.resize(data_bytes / 4);  // every tensor is F32 and they tile the data
  return content;
}

}  // namespace

expected<weights, weights_refusal> parse_weights(byte_view file,
                                                 const weights_overrides& overrides) {
  const auto size = header_size(file, file.size());
  if (!size) return make_unexpected(size.error());
  const auto text = file.subspan(8, *size);
  const auto data = file.subspan(8 + *size);
  auto content =
      prepare({reinterpret_cast<const char*>(text.data()), text.size()}, data.size(), overrides);
  if (!content) return make_unexpected(content.error());
  std::memcpy((*content)->values.data(), data.data(), data.size());
  return complete(std::move(*content));
}

expected<weights, weights_refusal> read_weights(const std::filesystem::path& path,
                                                const weights_overrides& overrides) {
  input_file file(path);
  const auto file_bytes = file.size();
  if (!file_bytes) return make_unexpected(refusal::cannot_open);
  std::array<std::uint8_t, 8> prefix{};
  if (*file_bytes < 8) return make_unexpected(refusal::too_short);
  if (!file.read(prefix.data(), 8)) return make_unexpected(refusal::cannot_read);
  const auto size = header_size(prefix, *file_bytes);
  if (!size) return make_unexpected(size.error());
  std::string text(*size, '\0');
  if (!file.read(text.data(), *size)) return make_unexpected(refusal::cannot_read);
  const std::uint64_t data_bytes = *file_bytes - 8 - *size;
  auto content = prepare(text, data_bytes, overrides);
  if (!content) return make_unexpected(content.error());
  if (!file.read((*content)->values.data(), data_bytes))
    return make_unexpected(refusal::cannot_read);
  return complete(std::move(*content));
}

}  // namespace soma::model
