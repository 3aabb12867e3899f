// Private to storage/votes: a voting record as rows of tables, and the hash that ties the rows
// together.
#pragma once

#include <array>
#include <map>
#include <optional>

#include "messages/values/bytes.hpp"
#include "messages/values/votes.hpp"

namespace soma::votes {

/// The table's first letter, followed by the row's key.
using row_name = bytes;
[[nodiscard]] row_name row_called(char table, byte_view key);
/// New values by row name. A row without a value is removed.
using row_changes = std::map<row_name, std::optional<bytes>>;

inline constexpr std::array<const char*, 4> tables{"votes", "proposed", "certificates", "blocks"};

/// The changes that the batch makes to the rows of `now`: the effect of soma::apply in terms of
/// rows.
[[nodiscard]] row_changes changes_of(const voting_record& now, const record_batch& batch);

/// Returns false if it is not a row of a record.
[[nodiscard]] bool take_row(voting_record& into, byte_view name, byte_view value);

[[nodiscard]] hash256 row_hash(byte_view name, byte_view value);

/// The sum modulo 2^256 of the hashes of all rows. A changed row changes it by two additions,
/// without a pass over the others.
class content_sum {
 public:
  content_sum() = default;
  explicit content_sum(const hash256& value);
  void add(const hash256& row);
  void remove(const hash256& row);
  [[nodiscard]] hash256 value() const;

 private:
  std::array<std::uint64_t, 4> limbs_{};  // little endian: the lowest limb comes first
};

struct head {
  std::uint64_t sequence = 0;
  // The record replaces one that was lost; true until a fence is written.
  bool replaces_lost = false;
  chain_id chain;
  public_key key{};
  epoch_number votes_from;
  epoch_number epoch;
  hash256 content;
  hash256 before;  // H of the previous head; zero for the first head

  [[nodiscard]] bytes layout() const;
  [[nodiscard]] hash256 hash() const;  // H("soma.votes", layout)
  [[nodiscard]] static std::optional<head> parse(byte_view layout);
};

}  // namespace soma::votes
