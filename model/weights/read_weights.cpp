// Reads weights from bytes that strangers made, and from files of the person who runs the process.
#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>

#include "model/weights/weights_content.hpp"

namespace soma::weights {
namespace {

using refusal = weights_refusal;

/// Heads or sequence length from the metadata: a decimal number of at least 1. `without` is the
/// value for a file whose metadata does not have it.
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

/// Counts the layers: layers 0, 1, … exist up to the first one that has no first norm.
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
    content.ranges.emplace(spec.name, std::pair(found->second.begin / 4, spec.elements()));
  }
  if (header.tensors.size() != table.size()) return refusal::unexpected_tensor;
  return std::nullopt;
}

bool all_finite(std::span<const float> values) {
  // An exponent of all ones means infinity or NaN. The loop has no branches, so that it runs at the
  // speed of memory.
  std::uint32_t found = 0;
  for (const float value : values) {
    found |= static_cast<std::uint32_t>((std::bit_cast<std::uint32_t>(value) & 0x7f80'0000u) ==
                                        0x7f80'0000u);
  }
  return found == 0;
}

/// The length of the header from the first eight bytes, checked against the size of the file.
expected<std::uint64_t, refusal> header_size(byte_view prefix, std::uint64_t file_bytes) {
  if (file_bytes < 8 || prefix.size() < 8) return make_unexpected(refusal::too_short);
  std::uint64_t size = 0;
  std::memcpy(&size, prefix.data(), 8);
  if (size > max_header_bytes) return make_unexpected(refusal::header_too_long);
  if (size > file_bytes - 8) return make_unexpected(refusal::header_past_end);
  if (size % 8 != 0) return make_unexpected(refusal::header_not_aligned);
  return size;
}

/// Makes everything except the values from the header.
expected<std::shared_ptr<model_weights::content>, refusal> prepare(
    std::string_view text, std::uint64_t data_bytes, const weights_overrides& overrides) {
  const auto header = parse_header(text, data_bytes);
  if (!header) return make_unexpected(header.error());
  const auto arch = infer(*header, overrides);
  if (!arch) return make_unexpected(arch.error());
  auto content = weights_access::fresh();
  content->architecture = *arch;
  content->header = text;
  if (const auto wrong = match(*header, *content)) return make_unexpected(*wrong);
  return content;
}

/// Small enough that a piece that was just read is still in the cache when it is checked and
/// hashed.
constexpr std::size_t piece_bytes = std::size_t{256} << 10;

/// Goes through all values once, in pieces, checks them and sets the hash. fetch(first byte, bytes)
/// gives a piece of the values, or an empty one when it cannot be read.
template <class Fetch>
std::optional<refusal> check_and_hash(model_weights::content& content, std::uint64_t data_bytes,
                                      Fetch fetch) {
  auto hash = hash_until_values(content);
  for (std::uint64_t at = 0; at < data_bytes; at += piece_bytes) {
    const auto size = std::min<std::uint64_t>(piece_bytes, data_bytes - at);
    const std::span<const float> piece = fetch(at, size);
    if (piece.empty()) return refusal::cannot_read;
    if (!all_finite(piece)) return refusal::value_not_finite;
    hash.add(bytes_of(piece));
  }
  content.hash = hash.finish_as<weights_hash>();
  return std::nullopt;
}

std::uint64_t values_offset(const weights_content& content) {
  return 8 + content.header.size();
}

std::span<const float> as_floats(byte_view data) {
  // The length of the header is a multiple of 8, so the values are aligned if the file begins at an
  // address that is a multiple of 4.
  return {reinterpret_cast<const float*>(data.data()), data.size() / 4};
}

/// Finishes weights whose values are in memory already.
expected<model_weights, refusal> complete(std::shared_ptr<model_weights::content> content,
                                          std::shared_ptr<const void> memory,
                                          std::span<const float> values) {
  content->memory = std::move(memory);
  content->values = values;
  const auto wrong = check_and_hash(*content, values.size_bytes(), [&](auto at, auto size) {
    return values.subspan(at / 4, size / 4);
  });
  if (wrong) return make_unexpected(*wrong);
  return weights_access::wrap(std::move(content));
}

expected<std::shared_ptr<model_weights::content>, refusal> prepare_bytes(
    byte_view file, const weights_overrides& overrides) {
  const auto size = header_size(file, file.size());
  if (!size) return make_unexpected(size.error());
  const auto text = file.subspan(8, *size);
  return prepare({reinterpret_cast<const char*>(text.data()), text.size()}, file.size() - 8 - *size,
                 overrides);
}

/// A file that was opened and read up to its values.
struct opened {
  plain_file file;
  file_stamp stamp;
  std::shared_ptr<model_weights::content> content;
  [[nodiscard]] std::uint64_t data_bytes() const {
    return stamp.size_bytes - values_offset(*content);
  }
};

expected<opened, refusal> open_file(const std::filesystem::path& path,
                                    const weights_overrides& overrides) {
  auto file = plain_file::open(path);
  const auto stamp = file ? file->stamp() : std::nullopt;
  if (!stamp) return make_unexpected(refusal::cannot_open);
  std::array<std::uint8_t, 8> prefix{};
  if (stamp->size_bytes < 8) return make_unexpected(refusal::too_short);
  if (!file->read_at(0, prefix)) return make_unexpected(refusal::cannot_read);
  const auto size = header_size(prefix, stamp->size_bytes);
  if (!size) return make_unexpected(size.error());
  bytes text(*size);
  if (!file->read_at(8, text)) return make_unexpected(refusal::cannot_read);
  auto content = prepare({reinterpret_cast<const char*>(text.data()), text.size()},
                         stamp->size_bytes - 8 - *size, overrides);
  if (!content) return make_unexpected(content.error());
  return opened{std::move(*file), *stamp, std::move(*content)};
}

/// Reads a piece of the values to `to`. Empty when that fails.
std::span<const float> read_values(const opened& from, std::uint64_t at,
                                   std::span<std::uint8_t> to) {
  if (!from.file.read_at(values_offset(*from.content) + at, to)) return {};
  return as_floats(to);
}

bool same_content(const file_stamp& a, const file_stamp& b) {
  return a.size_bytes == b.size_bytes && a.modified_ns == b.modified_ns;
}

}  // namespace

expected<model_weights, weights_refusal> parse_weights(byte_view file,
                                                       const weights_overrides& overrides) {
  auto content = prepare_bytes(file, overrides);
  if (!content) return make_unexpected(content.error());
  const auto data = file.subspan(values_offset(**content));
  const auto memory = std::make_shared_for_overwrite<float[]>(data.size() / 4);
  std::memcpy(memory.get(), data.data(), data.size());
  const std::span<const float> values{memory.get(), data.size() / 4};
  return complete(std::move(*content), memory, values);
}

expected<model_weights, weights_refusal> parse_weights(bytes&& file,
                                                       const weights_overrides& overrides) {
  auto content = prepare_bytes(file, overrides);
  if (!content) return make_unexpected(content.error());
  const auto memory = std::make_shared<const bytes>(std::move(file));
  const auto values = as_floats(byte_view(*memory).subspan(values_offset(**content)));
  return complete(std::move(*content), memory, values);
}

expected<model_weights, weights_refusal> read_weights(const std::filesystem::path& path,
                                                      const weights_overrides& overrides) {
  auto from = open_file(path, overrides);
  if (!from) return make_unexpected(from.error());
  const auto memory = std::make_shared_for_overwrite<float[]>(from->data_bytes() / 4);
  const auto wrong = check_and_hash(*from->content, from->data_bytes(), [&](auto at, auto size) {
    auto* const to = reinterpret_cast<std::uint8_t*>(memory.get()) + at;
    return read_values(*from, at, {to, size});
  });
  if (wrong) return make_unexpected(*wrong);
  const auto last = from->file.stamp();
  if (!last || !same_content(from->stamp, *last)) return make_unexpected(refusal::file_changed);
  from->content->memory = memory;
  from->content->values = {memory.get(), from->data_bytes() / 4};
  return weights_access::wrap(std::move(from->content));
}

expected<model_weights, weights_refusal> map_weights(const std::filesystem::path& path,
                                                     const weights_overrides& overrides) {
  auto from = open_file(path, overrides);
  if (!from) return make_unexpected(from.error());
  // The values are read through the descriptor and not through the mapping. If the file shrinks
  // meanwhile, reading gives a refusal, while touching the mapping would raise a signal.
  std::vector<float> piece(piece_bytes / 4);
  const auto wrong = check_and_hash(*from->content, from->data_bytes(), [&](auto at, auto size) {
    return read_values(*from, at, {reinterpret_cast<std::uint8_t*>(piece.data()), size});
  });
  if (wrong) return make_unexpected(*wrong);
  const auto last = from->file.stamp();
  if (!last || !same_content(from->stamp, *last)) return make_unexpected(refusal::file_changed);
  auto content = std::move(from->content);
  content->source = std::make_shared<const mapped_source>(std::move(from->file), from->stamp);
  content->values = as_floats(content->source->mapping.view().subspan(values_offset(*content)));
  return weights_access::wrap(std::move(content));
}

expected<weights_outline, weights_refusal> read_outline(const std::filesystem::path& path,
                                                        const weights_overrides& overrides) {
  const auto from = open_file(path, overrides);
  if (!from) return make_unexpected(from.error());
  return weights_outline{from->content->architecture, from->stamp.size_bytes};
}

bool model_weights::is_mapped() const {
  return content_->source != nullptr;
}

bool model_weights::still_as_mapped() const {
  if (!is_mapped()) return true;
  const auto& source = *content_->source;
  const auto now = source.file.stamp();
  if (!now || !same_content(source.first, *now)) return false;
  if (source.first.settled && source.first.changed_ns == now->changed_ns) return true;
  crypto::tagged_hash hash("soma.weights");
  bytes piece(piece_bytes);
  for (std::uint64_t at = 0; at < now->size_bytes; at += piece_bytes) {
    const auto size = std::min<std::uint64_t>(piece_bytes, now->size_bytes - at);
    const auto part = std::span(piece).first(size);
    if (!source.file.read_at(at, part)) return false;
    hash.add(part);
  }
  return hash.finish_as<weights_hash>() == content_->hash;
}

}  // namespace soma::weights
