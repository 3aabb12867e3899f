// Ids as people type them: whole, or by their first digits where those name one row.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/soma/shell/failure.hpp"
#include "messages/codec/codec.hpp"
#include "messages/values/ids.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::cli {

inline constexpr std::size_t least_id_digits = 8;
inline constexpr std::size_t most_listed_candidates = 8;

/// Lower-case hex digits of a typed id: 8 to 64 of them, "0x" in front or not; nullopt for anything
/// else.
[[nodiscard]] std::optional<std::string> id_digits(std::string_view text);

/// Ids of the rows of one table whose id begins with these digits, in order, at most `limit`. The
/// table is one whose key is an id: account, validator, model, target, submission, used_data.
[[nodiscard]] std::vector<hash256> ids_with_prefix(const tables::ledger_view& view,
                                                   ledger_table table, std::string_view digits,
                                                   std::size_t limit = most_listed_candidates);

/// Why `text` names none of the rows of `table`, or more than one of them (they are listed).
[[nodiscard]] unexpected<failure> no_such_id(std::string_view text, ledger_table table);
[[nodiscard]] unexpected<failure> ambiguous_id(std::string_view text,
                                               const std::vector<hash256>& candidates);

/// The id that was typed. All 64 digits are taken as they are, whether there is such a row or not;
/// fewer, but at least 8, must begin exactly one id of that table.
template <class Id>
[[nodiscard]] expected<Id, failure> parse_or_find(const tables::ledger_view& view,
                                                  ledger_table table, std::string_view text) {
  const auto digits = id_digits(text);
  if (!digits) return no_such_id(text, table);
  if (const auto whole = Id::parse(*digits)) return *whole;
  const auto found = ids_with_prefix(view, table, *digits);
  if (found.empty()) return no_such_id(text, table);
  if (found.size() > 1) return ambiguous_id(text, found);
  return Id{found.front().value};
}

}  // namespace soma::cli
