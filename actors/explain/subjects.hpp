// What people name when they ask for an explanation: the number of an epoch, or the id of a target,
// a model or an address, of which the first digits are enough if no other id begins with them.
#pragma once

#include "actors/explain/explain.hpp"
#include "messages/codec/codec.hpp"

namespace soma::explain {

inline constexpr std::size_t least_id_digits = 8;
inline constexpr std::size_t most_listed_candidates = 8;

/// The lower-case hex digits of a typed id: 8 to 64 digits, with or without "0x" in front of them.
/// nullopt for any other text.
[[nodiscard]] std::optional<std::string> id_digits(std::string_view text);

/// The ids in one table that begin with these digits, in order and at most `limit` of them. The key
/// of that table must be an id: account, validator, model, target, submission or used_data.
[[nodiscard]] std::vector<hash256> ids_with_prefix(const tables::ledger_view& view,
                                                   ledger_table table, std::string_view digits,
                                                   std::size_t limit = most_listed_candidates);

/// Something that can be explained.
enum class subject : std::uint8_t { target, model, address };
struct subject_id {
  subject kind{};
  hash256 id;
  friend auto operator<=>(const subject_id&, const subject_id&) = default;
};
[[nodiscard]] std::string_view name_of(subject kind);

/// Why a text names nothing that can be explained.
enum class naming : std::uint8_t {
  not_a_name,    // neither a number nor an id
  unknown,       // the ledger has nothing that begins with these digits
  ambiguous,     // more than one thing does
  epoch_to_come  // the epoch has not begun
};
struct unexplained {
  naming reason{};
  std::string why;  // for a person: lists the candidates of an ambiguous text
};

[[nodiscard]] expected<explanation, refusal> explain(const tables::ledger_view& view,
                                                     const subject_id& what,
                                                     const options& how = {});
/// Explains what the text names. All 64 digits name an address if nothing else has that id: events
/// may speak of an address that never had an account.
[[nodiscard]] expected<explanation, unexplained> explain(const tables::ledger_view& view,
                                                         std::string_view text,
                                                         const options& how = {});

}  // namespace soma::explain
