// The data of a submitter: files on its disk, of which pieces are taken in an order that a seed
// chooses. A source never gives the same piece twice. Bytes are read when a piece is taken, so a
// source may be much larger than memory.
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

/// A part of a file from which a source may cut pieces.
struct file_range {
  std::filesystem::path path;
  std::uint64_t offset = 0;
  std::uint64_t size_bytes = 0;
};

struct data_piece {
  std::string origin;  // path and offset, for people
  bytes data;
};

/// The pieces of a source whose number leaves the remainder `number` when it is divided by `of`.
/// Submitters that share files take different parts of them, since the same data wins only once.
struct data_part {
  std::uint64_t number = 0;
  std::uint64_t of = 1;
};

class data_source {
 public:
  /// A source without data.
  data_source() : data_source({}, 1, 0) {}
  /// Ranges shorter than `piece_bytes` are left out.
  data_source(std::vector<file_range> ranges, std::uint32_t piece_bytes, std::uint64_t seed,
              data_part part = {});

  /// A piece that was not given before; nullopt when there is no more. Throws
  /// std::system_error when its file can't be read.
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
