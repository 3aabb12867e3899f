#include "messages/crypto/merkle.hpp"
#include "storage/blobs/state.hpp"

namespace soma::blobs {

blob_reader::blob_reader(std::unique_ptr<state> opened) : state_(std::move(opened)) {}
blob_reader::~blob_reader() = default;
blob_reader::blob_reader(blob_reader&&) noexcept = default;
blob_reader& blob_reader::operator=(blob_reader&&) noexcept = default;

std::uint64_t blob_reader::size_bytes() const {
  return state_->layout.size_bytes;
}
std::uint32_t blob_reader::chunks() const {
  return state_->layout.chunks();
}
std::span<const hash256> blob_reader::chunk_hashes() const {
  return state_->hashes;
}

expected<bytes, blob_refusal> blob_reader::chunk(std::uint32_t number) const {
  const auto& s = *state_;
  if (number >= chunks()) return make_unexpected(blob_refusal::wrong_chunk);
  bytes data(s.layout.chunk_size(number));
  if (!read_at(s.file.get(), s.layout.chunk_offset(number), data) ||
      crypto::chunk_hash(data) != s.hashes[number]) {
    s.store->quarantine(s.id, s.file.get());
    return make_unexpected(blob_refusal::corrupt_chunk);
  }
  return data;
}

expected<blob_part, blob_refusal> blob_reader::part(std::uint32_t number) {
  auto& s = *state_;
  if (number >= chunks()) return make_unexpected(blob_refusal::wrong_chunk);
  auto& given = s.parts_given[number];
  if (given == 0) {
    if (const auto checked = chunk(number); !checked) return make_unexpected(checked.error());
  }
  given = static_cast<std::uint8_t>((given + 1) % parts_a_check);
  return blob_part{s.store->complete.path_of(s.id), s.layout.chunk_offset(number),
                   s.layout.chunk_size(number)};
}

}  // namespace soma::blobs
