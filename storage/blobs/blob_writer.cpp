#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "messages/crypto/merkle.hpp"
#include "messages/values/assert.hpp"
#include "storage/blobs/state.hpp"

namespace soma::blobs {

blob_writer::state::~state() {
  if (!active) return;
  try {
    store->release(id, false);
  } catch (const blob_failure&) {
    // A release without `drop` removes no file, so it cannot fail.
  }
}

void blob_writer::state::open_file() {
  file = store->incoming.open(id, O_RDWR);
  const bool resumed = file.open();
  if (!resumed) {
    const std::string name = to_hex(id.value);
    file = descriptor(::openat(store->incoming.fd(), name.c_str(),
                               O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.open()) fail("create a blob");
    // The disk's room is reserved now, so that a put which has begun does not run out of disk
    // halfway.
    const auto size = static_cast<off_t>(layout.file_bytes());
    if (::fallocate(file.get(), 0, 0, size) != 0) {
      if (errno != EOPNOTSUPP) fail("make room for a blob");
      if (::ftruncate(file.get(), size) != 0) fail("make room for a blob");
    }
  }
  bytes list;
  for (const auto& hash : hashes) list.insert(list.end(), hash.value.begin(), hash.value.end());
  write_at(file.get(), layout.trailer_offset(), layout.trailer());
  write_at(file.get(), layout.hashes_offset(), list);
  if (!resumed) return;
  bytes chunk;
  for (std::uint32_t number = 0; number < layout.chunks(); ++number) {
    chunk.resize(layout.chunk_size(number));
    present[number] = read_at(file.get(), layout.chunk_offset(number), chunk) &&
                      crypto::chunk_hash(chunk) == hashes[number];
  }
}

blob_writer::blob_writer(std::unique_ptr<state> begun) : state_(std::move(begun)) {}
blob_writer::~blob_writer() = default;
blob_writer::blob_writer(blob_writer&&) noexcept = default;
blob_writer& blob_writer::operator=(blob_writer&&) noexcept = default;

const blob_id& blob_writer::id() const {
  return state_->id;
}
std::uint32_t blob_writer::chunks() const {
  return state_->layout.chunks();
}
std::size_t blob_writer::chunk_size(std::uint32_t number) const {
  return state_->layout.chunk_size(number);
}

std::vector<std::uint32_t> blob_writer::missing() const {
  std::vector<std::uint32_t> numbers;
  for (std::uint32_t number = 0; number < chunks(); ++number) {
    if (!state_->present[number]) numbers.push_back(number);
  }
  return numbers;
}

expected<void, blob_refusal> blob_writer::put_chunk(std::uint32_t number, byte_view data) {
  auto& s = *state_;
  if (number >= chunks() || data.size() != s.layout.chunk_size(number) ||
      crypto::chunk_hash(data) != s.hashes[number]) {
    return make_unexpected(blob_refusal::wrong_chunk);
  }
  if (s.present[number]) return {};
  SOMA_ASSERT(s.active, "a put that was abandoned takes no chunks");
  write_at(s.file.get(), s.layout.chunk_offset(number), data);
  s.present[number] = true;
  return {};
}

expected<blob_id, blob_refusal> blob_writer::finish() {
  auto& s = *state_;
  if (!std::ranges::all_of(s.present, [](bool there) { return there; })) {
    return make_unexpected(blob_refusal::incomplete);
  }
  if (!s.active) return s.id;
  s.store->incoming.touch(s.id, s.store->now_ms());
  if (::fsync(s.file.get()) != 0) {
    // After a failed fsync it is unknown what the disk holds, so the whole put is abandoned.
    const int error = errno;
    abandon();
    errno = error;
    fail("fsync a blob");
  }
  {
    const std::lock_guard guard(s.store->mutex);
    s.store->used_bytes -= s.store->incoming.move_to(s.store->complete, s.id);
  }
  s.store->complete.sync();
  s.store->release(s.id, false);  // from here on the blob is visible
  s.active = false;
  s.file = descriptor();
  return s.id;
}

void blob_writer::abandon() {
  if (!state_->active) return;
  state_->store->release(state_->id, true);
  state_->active = false;
  state_->present.assign(state_->present.size(), false);
}

}  // namespace soma::blobs
