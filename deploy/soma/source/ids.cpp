#include "deploy/soma/source/ids.hpp"

#include <algorithm>

namespace soma::cli {
namespace {

std::string_view noun_of(ledger_table table) {
  switch (table) {
    case ledger_table::account:
      return "account";
    case ledger_table::validator:
      return "validator";
    case ledger_table::model:
    case ledger_table::model_version:
      return "model";
    case ledger_table::target:
    case ledger_table::submission:
      return "target";
    default:
      return "row";
  }
}

}  // namespace

std::optional<std::string> id_digits(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  if (text.size() < least_id_digits || text.size() > 64) return std::nullopt;
  std::string digits;
  for (const char c : text) {
    const bool upper = c >= 'A' && c <= 'F';
    if (!upper && !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) return std::nullopt;
    digits += upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return digits;
}

std::vector<hash256> ids_with_prefix(const tables::ledger_view& view, ledger_table table,
                                     std::string_view digits, std::size_t limit) {
  std::string first(digits);
  first.resize((first.size() + 1) / 2 * 2, '0');
  const auto start = from_hex(first);
  std::vector<hash256> found;
  if (!start) return found;
  for (const auto& key : view.keys_from(table, *start, limit)) {
    const auto id = id_in_key<hash256>(key);
    if (!id || !to_hex(id->view()).starts_with(digits)) break;
    found.push_back(*id);
  }
  return found;
}

unexpected<failure> no_such_id(std::string_view text, ledger_table table) {
  const std::string noun(noun_of(table));
  if (!id_digits(text)) {
    return wrong_usage("`" + std::string(text) + "` names no " + noun,
                       "an id is 0x and 64 hex digits, or at least the first 8 of them");
  }
  return named(failure_names::not_found, failed("no " + noun + " begins with " + std::string(text),
                                                "the ledger has no such row"));
}

unexpected<failure> ambiguous_id(std::string_view text, const std::vector<hash256>& candidates) {
  std::string all;
  for (const auto& id : candidates) all += (all.empty() ? "" : ", ") + id.text();
  if (candidates.size() >= most_listed_candidates) all += ", …";
  return named(
      failure_names::ambiguous,
      failed("`" + std::string(text) + "` can mean more than one", all, "write more digits"));
}

}  // namespace soma::cli
