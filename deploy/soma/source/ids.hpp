// Ids as people type them: all digits, or the first digits if only one row has an id that begins
// with them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/explain/subjects.hpp"
#include "deploy/soma/shell/failure.hpp"
#include "messages/codec/codec.hpp"
#include "messages/values/ids.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::cli {

using explain::id_digits;
using explain::ids_with_prefix;
using explain::most_listed_candidates;

/// The refusal for a `text` that names no row of `table`.
[[nodiscard]] unexpected<failure> no_such_id(std::string_view text, ledger_table table);
/// The refusal for a `text` that more than one id begins with. It lists the candidates.
[[nodiscard]] unexpected<failure> ambiguous_id(std::string_view text,
                                               const std::vector<hash256>& candidates);

/// The id that was typed. All 64 digits are taken as they are, even if no row has that id. Fewer
/// digits, but at least 8, must be the beginning of exactly one id in that table.
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
