// Private to storage/votes: a voting record as rows of tables, and what binds them together.
#pragma once

#include <array>
#include <map>
#include <optional>

#include "messages/values/bytes.hpp"
#include "messages/values/votes.hpp"

namespace soma::votes {

/// The table's first letter, then the row's key.
using row_name = bytes;
[[nodiscard]] row_name row_called(char table, byte_view key);
/// New values by name; none: the row goes.
using row_changes = std::map<row_name, std::optional<bytes>>;

inline constexpr std::array<const char*, 4> tables{"votes", "proposed", "certificates", "blocks"};

/// What the batch does to the rows of `now`: soma::apply in terms of rows.
[[nodiscard]] row_changes changes_of(const voting_record& now, const record_batch& batch);

/// False when it is no row of a record.
[[nodiscard]] bool take_row(voting_record& into, byte_view name, byte_view value);

[[nodiscard]] hash256 row_hash(byte_view name, byte_view value);

/// A sum modulo 2^256 of the hashes of all rows: changed in step with them.
class content_sum {
 public:
  content_sum() = default;
  explicit content_sum(const hash256& value);
  void add(const hash256& row);
  void remove(const hash256& row);
  [[nodiscard]] hash256 value() const;

 private:
  std::array<std::uint64_t, 4> limbs_{};  // the lowest first
};

struct head {
  std::uint64_t sequence = 0;
  bool replaces_lost = false;  // until a fence is written
  chain_id chain;
  public_key key{};
  epoch_number votes_from;
  epoch_number epoch;
  hash256 content;
  hash256 before;  // H of the head before this one; zero for the first

  [[nodiscard]] bytes layout() const;
  [[nodiscard]] hash256 hash() const;  // H("soma.votes", layout)
  [[nodiscard]] static std::optional<head> parse(byte_view layout);
};

}  // namespace soma::votes
