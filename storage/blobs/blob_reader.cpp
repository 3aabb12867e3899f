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

}  // namespace soma::blobs
