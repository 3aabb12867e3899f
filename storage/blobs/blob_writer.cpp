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
    {
      const std::lock_guard guard(store->mutex);
      auto& left = store->unfinished[id];
      left.present = std::move(present);
      left.unread = std::move(unread);
    }
    store->release(id, false);
  } catch (const blob_failure&) {
    // A release without `drop` removes no file, so it cannot fail.
  }
}

bool blob_writer::state::is_good(std::uint32_t number) const {
  bytes chunk(layout.chunk_size(number));
  return read_at(file.get(), layout.chunk_offset(number), chunk) &&
         crypto::chunk_hash(chunk) == hashes[number];
}

void blob_writer::state::mark_present(std::uint32_t number) {
  if (present[number]) return;
  present[number] = true;
  present_bytes += layout.chunk_size(number);
}

void blob_writer::state::open_file(const blob_store_state::incoming_file& known) {
  file = store->incoming.open(id, O_RDWR);
  const bool resumed = file.open();
  if (!resumed) {
    const std::string name = to_hex(id.value);
    file = descriptor(::openat(store->incoming.fd(), name.c_str(),
                               O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.open()) fail("create a blob");
  }
  // The disk's room is reserved now, so that a put which has begun does not run out of disk
  // halfway. The file of a piecemeal put has holes until its chunks come.
  const auto size = static_cast<off_t>(layout.file_bytes());
  if (!terms.is_piecemeal && ::fallocate(file.get(), 0, 0, size) != 0 && errno != EOPNOTSUPP) {
    fail("make room for a blob");
  }
  if (!resumed && ::ftruncate(file.get(), size) != 0) fail("make room for a blob");
  bytes list;
  for (const auto& hash : hashes) list.insert(list.end(), hash.value.begin(), hash.value.end());
  write_at(file.get(), layout.trailer_offset(), layout.trailer());
  write_at(file.get(), layout.hashes_offset(), list);
  if (!resumed) return;
  const bool is_known = known.present.size() == layout.chunks();
  for (std::uint32_t number = 0; number < layout.chunks(); ++number) {
    if (!terms.is_piecemeal) {
      if (is_good(number)) mark_present(number);
    } else if (is_known && !known.unread[number]) {
      if (known.present[number]) mark_present(number);
    } else {
      unread[number] = true;
    }
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
    if (!state_->present[number] && !state_->unread[number]) numbers.push_back(number);
  }
  return numbers;
}

std::vector<std::uint32_t> blob_writer::unread() const {
  std::vector<std::uint32_t> numbers;
  for (std::uint32_t number = 0; number < chunks(); ++number) {
    if (state_->unread[number]) numbers.push_back(number);
  }
  return numbers;
}

bool blob_writer::read_again(std::uint32_t number) {
  auto& s = *state_;
  SOMA_ASSERT(number < chunks(), "a blob has this chunk");
  if (!s.unread[number]) return s.present[number];
  const bool is_good = s.is_good(number);
  s.unread[number] = false;
  if (is_good) s.mark_present(number);
  return is_good;
}

expected<void, blob_refusal> blob_writer::put_chunk(std::uint32_t number, byte_view data) {
  auto& s = *state_;
  if (number >= chunks() || data.size() != s.layout.chunk_size(number) ||
      crypto::chunk_hash(data) != s.hashes[number]) {
    return make_unexpected(blob_refusal::wrong_chunk);
  }
  if (s.present[number]) return {};
  SOMA_ASSERT(s.active, "a put that was abandoned takes no chunks");
  if (s.terms.is_piecemeal) {
    const std::lock_guard guard(s.store->mutex);
    const auto needed = s.layout.file_bytes() - s.layout.size_bytes + s.present_bytes + data.size();
    if (!s.store->count_incoming(s.id, needed, s.terms.leaves_free_bytes)) {
      return make_unexpected(blob_refusal::quota_exceeded);
    }
  }
  write_at(s.file.get(), s.layout.chunk_offset(number), data);
  s.unread[number] = false;
  s.mark_present(number);
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
    s.store->used_bytes += s.layout.file_bytes();
    s.store->used_bytes -= s.store->unfinished[s.id].counted_bytes;
    s.store->unfinished.erase(s.id);
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
  state_->unread.assign(state_->unread.size(), false);
  state_->present_bytes = 0;
}

}  // namespace soma::blobs
