#include "deploy/soma/source/ids.hpp"

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
