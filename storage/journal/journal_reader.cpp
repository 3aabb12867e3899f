#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "storage/journal/format.hpp"
#include "storage/journal/journal.hpp"

namespace soma::journal {

struct reader::inside {
  std::filesystem::path file;
  int fd = -1;
  file_head head;  // its `first` is 0 while no whole head was read
  std::size_t at = 0;
  std::uint64_t number = 0;
  bytes record;

  ~inside() {
    if (fd >= 0) ::close(fd);
  }
  [[noreturn]] void fail(const char* doing) const {
    throw std::system_error(errno, std::generic_category(),
                            std::string(doing) + " " + file.string());
  }
  [[nodiscard]] bool is_open() {
    if (fd >= 0) return true;
    fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT) fail("open");
    return fd >= 0;
  }
  /// Fills `to` and returns how many bytes there were.
  [[nodiscard]] std::size_t read(std::span<std::uint8_t> to, std::size_t from) const {
    std::size_t done = 0;
    while (done < to.size()) {
      const auto got =
          ::pread(fd, to.data() + done, to.size() - done, static_cast<off_t>(from + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail("read");
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }
  [[nodiscard]] std::size_t file_bytes() const {
    struct stat on_disk {};
    if (::fstat(fd, &on_disk) != 0) fail("stat");
    return static_cast<std::size_t>(on_disk.st_size);
  }
  /// Reads the record at this place, its head and its payload, into `into`, if it is whole and
  /// `wanted` takes its number.
  template <class Predicate>
  [[nodiscard]] bool read_record(std::size_t place, std::size_t limit, bytes& into,
                                 Predicate wanted) const {
    std::array<std::uint8_t, 1 + record_head_bytes> start{};
    if (read(start, place) != start.size()) return false;
    if (start[0] != static_cast<std::uint8_t>(sector_kind::record_begins)) return false;
    const auto seen = byte_view(start).subspan(1);
    const auto size = little(seen.subspan(8, 4));
    const auto framed = framed_bytes(size);
    if (!wanted(little(seen.first(8))) || place + framed > limit) return false;
    bytes raw(framed);
    if (read(raw, place) != raw.size()) return false;
    into.clear();
    into.reserve(record_head_bytes + size);
    for (std::size_t from = 0; from < raw.size(); from += sector_bytes) {
      const auto kind = from == 0 ? sector_kind::record_begins : sector_kind::record_goes_on;
      if (raw[from] != static_cast<std::uint8_t>(kind)) return false;
      const auto part = byte_view(raw).subspan(from + 1, sector_payload_bytes);
      into.insert(into.end(), part.begin(), part.end());
    }
    into.resize(record_head_bytes + size);
    // The head is read a second time with the rest; meanwhile a writer may have put another there.
    if (!std::ranges::equal(seen, byte_view(into).first(record_head_bytes))) return false;
    const auto sum =
        crc32c(byte_view(into).subspan(record_head_bytes), crc32c(byte_view(into).first(12)));
    return little(byte_view(into).subspan(12, 4)) == sum;
  }
};

reader::reader(std::filesystem::path file) : inside_(std::make_unique<inside>()) {
  inside_->file = std::move(file);
}
reader::~reader() = default;

std::uint64_t reader::look() {
  auto& in = *inside_;
  std::array<std::uint8_t, file_head_bytes> found{};
  if (!in.is_open() || in.read(found, 0) != found.size()) return in.head.first = 0;
  const auto head = file_head::parse(found);
  if (!head) return in.head.first = 0;
  if (head->first != in.head.first) {
    in.head = *head;
    in.at = head->unit_bytes;
    in.number = head->first;
  }
  return in.head.first;
}

bool reader::next(byte_view& payload) {
  auto& in = *inside_;
  if (in.head.first == 0) return false;
  const auto is_next = [&](std::uint64_t number) { return number == in.number; };
  if (!in.read_record(in.at, in.file_bytes(), in.record, is_next)) return false;
  payload = byte_view(in.record).subspan(record_head_bytes);
  in.at += rounded_up(framed_bytes(payload.size()), in.head.unit_bytes);
  ++in.number;
  return true;
}

std::uint64_t reader::number() const {
  return inside_->number;
}

bool reader::has_record_from(std::uint64_t number) const {
  auto& in = *inside_;
  if (!in.is_open()) return false;
  const auto limit = in.file_bytes();
  // The head may be what is damaged, so every place is tried at which a record can begin.
  bytes record;
  for (std::size_t at = sector_bytes; at < limit; at += sector_bytes) {
    const auto is_later = [&](std::uint64_t found) { return found >= number; };
    if (in.read_record(at, limit, record, is_later)) return true;
  }
  return false;
}

}  // namespace soma::journal
