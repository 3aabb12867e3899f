// Where a submitter finds data: files on its disk, cut into pieces at places a seed chooses. Pieces
// never repeat within one source; bytes are read when a piece is taken, so a source may be far
// larger than memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "messages/crypto/random.hpp"
#include "messages/values/bytes.hpp"

namespace soma::submitter {

/// A part of a file: what a source may cut pieces from.
struct file_range {
  std::filesystem::path path;
  std::uint64_t offset = 0;
  std::uint64_t size_bytes = 0;
};

struct data_piece {
  std::string origin;  // path and offset, for people
  bytes data;
};

/// The pieces of a source whose number leaves the remainder `number` when divided by `of`.
/// Submitters that share files take different parts of them, since the same data wins only once.
struct data_part {
  std::uint64_t number = 0;
  std::uint64_t of = 1;
};

class data_source {
 public:
  /// Without any data.
  data_source() : data_source({}, 1, 0) {}
  /// Ranges shorter than `piece_bytes` are left out.
  data_source(std::vector<file_range> ranges, std::uint32_t piece_bytes, std::uint64_t seed,
              data_part part = {});

  /// A piece not handed out before; nullopt when none can be found or read any more.
  [[nodiscard]] std::optional<data_piece> next();
  [[nodiscard]] bool empty() const { return ranges_.empty(); }

 private:
  std::vector<file_range> ranges_;
  std::uint64_t total_bytes_ = 0;
  std::uint32_t piece_bytes_;
  data_part part_;
  crypto::seeded_random random_;
  std::set<std::uint64_t> taken_;  // positions over all ranges, in units of a piece
};

}  // namespace soma::submitter
