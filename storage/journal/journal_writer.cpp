#include <algorithm>
#include <array>
#include <cstring>

#include "messages/values/assert.hpp"
#include "storage/files/direct_file.hpp"
#include "storage/journal/format.hpp"
#include "storage/journal/journal.hpp"

namespace soma::journal {

struct writer::inside {
  files::direct_file file;
  std::size_t end = 0;
  std::uint64_t next = 0;
  bool begun = false;

  /// Puts a record into the file's memory, cut into sectors. Returns its size there.
  [[nodiscard]] std::size_t frame(std::span<const byte_view> parts, std::size_t payload) {
    std::array<std::uint8_t, record_head_bytes> head{};
    put_little(head.data(), next, 8);
    put_little(head.data() + 8, payload, 4);
    auto sum = crc32c(byte_view(head).first(12));
    for (const auto part : parts) sum = crc32c(part, sum);
    put_little(head.data() + 12, sum, 4);

    const auto size = framed_bytes(payload);
    auto* to = file.memory_for(size);
    std::memset(to + size - sector_bytes, 0, sector_bytes);
    std::size_t at = 0;  // of the framed bytes
    const auto put = [&](byte_view from) {
      while (!from.empty()) {
        if (at % sector_bytes == 0) {
          const auto kind = at == 0 ? sector_kind::record_begins : sector_kind::record_goes_on;
          to[at++] = static_cast<std::uint8_t>(kind);
        }
        const auto fits = std::min(from.size(), sector_bytes - at % sector_bytes);
        std::copy_n(from.begin(), fits, to + at);
        at += fits;
        from = from.subspan(fits);
      }
    };
    put(head);
    for (const auto part : parts) put(part);
    return size;
  }
};

writer::writer(const std::filesystem::path& file, bool sync)
    : inside_(new inside{{file, files::direct_file::opening::or_create, sync}}) {}
writer::~writer() = default;

void writer::begin(std::uint64_t first) {
  auto& in = *inside_;
  SOMA_ASSERT(first > 0 && first >= in.next, "the numbers of a journal ascend");
  in.begun = false;
  in.file.take_room(files::direct_file::largest_unit_bytes);
  const auto write_head = [&] {
    const auto head = file_head{first, static_cast<std::uint32_t>(in.file.unit())}.layout();
    std::ranges::copy(head, in.file.memory_for(head.size()));
    in.file.write(head.size(), 0);
  };
  const auto unit = in.file.unit();
  write_head();
  if (in.file.unit() != unit) write_head();  // the first write has found out the unit
  in.next = first;
  in.end = in.file.unit();
  in.begun = true;
}

void writer::append(std::span<const byte_view> parts) {
  auto& in = *inside_;
  SOMA_ASSERT(in.begun, "a journal is begun before it is appended to");
  std::size_t size = 0;
  for (const auto part : parts) size += part.size();
  SOMA_ASSERT(size <= UINT32_MAX, "a record of less than 4 GiB");
  const auto framed = in.frame(parts, size);
  const auto whole = rounded_up(framed, in.file.unit());
  in.file.take_room(in.end + whole);
  in.file.write(framed, in.end);
  in.end += whole;
  ++in.next;
}

std::uint64_t writer::next() const {
  return inside_->next;
}
std::size_t writer::size_bytes() const {
  return inside_->end;
}

}  // namespace soma::journal
