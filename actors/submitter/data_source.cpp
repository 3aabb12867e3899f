#include "actors/submitter/data_source.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>

namespace soma::submitter {

data_source::data_source(std::vector<file_range> ranges, std::uint32_t piece_bytes,
                         std::uint64_t seed, data_part part)
    : piece_bytes_(piece_bytes), part_(part), random_(seed) {
  for (auto& range : ranges) {
    // A range has whole pieces only. Its bytes beyond them are left out, so that the number of a
    // piece gives its position and two pieces never share a byte.
    range.size_bytes -= range.size_bytes % piece_bytes;
    if (range.size_bytes == 0) continue;
    total_bytes_ += range.size_bytes;
    ranges_.push_back(std::move(range));
  }
}

std::optional<data_piece> data_source::next() {
  const std::uint64_t all = total_bytes_ / piece_bytes_;
  const std::uint64_t pieces = all / part_.of + (part_.number < all % part_.of ? 1 : 0);
  if (pieces == taken_.size()) return std::nullopt;
  std::uint64_t number = random_.below(pieces);
  while (!taken_.insert(number).second) number = (number + 1) % pieces;
  std::uint64_t position = (number * part_.of + part_.number) * piece_bytes_;
  const auto range = std::find_if(ranges_.begin(), ranges_.end(), [&](const file_range& candidate) {
    if (position < candidate.size_bytes) return true;
    position -= candidate.size_bytes;
    return false;
  });
  const auto offset = range->offset + position;
  data_piece piece{range->path.string() + "@" + std::to_string(offset), bytes(piece_bytes_)};
  errno = 0;
  std::ifstream file(range->path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  if (file.read(reinterpret_cast<char*>(piece.data.data()), piece_bytes_)) return piece;
  const int error = errno == 0 ? EIO : errno;
  throw std::system_error(error, std::generic_category(), "cannot read " + range->path.string());
}

}  // namespace soma::submitter
