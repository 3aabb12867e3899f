#include "actors/explain/subjects.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace soma::explain {
namespace {

std::vector<subject_id> candidates_of(const tables::ledger_view& view, std::string_view digits) {
  std::vector<subject_id> all;
  const auto add = [&](subject kind, ledger_table table) {
    for (const auto& id : ids_with_prefix(view, table, digits)) all.push_back({kind, id});
  };
  add(subject::target, ledger_table::target);
  add(subject::model, ledger_table::model);
  add(subject::address, ledger_table::account);
  add(subject::address, ledger_table::validator);
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

/// The number of an epoch, which is written without "0x".
std::optional<epoch_number> epoch_in(std::string_view text) {
  epoch_number epoch;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), epoch.value);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
  return epoch;
}

unexpected<unexplained> no(naming reason, std::string why) {
  return make_unexpected(unexplained{reason, std::move(why)});
}

expected<explanation, unexplained> told(expected<explanation, refusal> found) {
  if (found) return std::move(*found);
  const bool is_early = found.error() == refusal::epoch_to_come;
  return no(is_early ? naming::epoch_to_come : naming::unknown,
            std::string(to_text(found.error())));
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

std::string_view name_of(subject kind) {
  static constexpr std::array<std::string_view, 3> names{"target", "model", "address"};
  return names[static_cast<std::size_t>(kind)];
}

expected<explanation, refusal> explain(const tables::ledger_view& view, const subject_id& what,
                                       const options& how) {
  switch (what.kind) {
    case subject::target:
      return explain_target(view, what.id.as<target_tag>(), how);
    case subject::model:
      return explain_model(view, what.id.as<model_tag>(), how);
    case subject::address:
      break;
  }
  return explain_address(view, what.id.as<address_tag>(), how);
}

expected<explanation, unexplained> explain(const tables::ledger_view& view, std::string_view text,
                                           const options& how) {
  if (const auto epoch = epoch_in(text)) return told(explain_epoch(view, *epoch, how));
  const auto digits = id_digits(text);
  if (!digits) {
    return no(naming::not_a_name,
              "it is neither the number of an epoch, nor 0x and at least 8 hex digits");
  }
  const auto found = candidates_of(view, *digits);
  if (found.size() == 1) return told(explain(view, found.front(), how));
  if (found.empty()) {
    if (const auto whole = hash256::parse(*digits)) {
      return told(explain(view, subject_id{subject::address, *whole}, how));
    }
    return no(naming::unknown, "the ledger has no target, model or address that begins with it");
  }
  std::string all;
  for (const auto& one : found) {
    all += (all.empty() ? "" : ", ") + std::string(name_of(one.kind)) + " " + one.id.text();
  }
  return no(naming::ambiguous, std::move(all));
}

}  // namespace soma::explain
