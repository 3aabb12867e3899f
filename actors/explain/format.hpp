// Shared by all explanations: the state that they read, and the text of ids, amounts, times and
// deadlines.
#pragma once

#include "actors/explain/explain.hpp"
#include "messages/values/genesis.hpp"

namespace soma::explain {

/// One view of the ledger with the options of the question. Valid as long as the view.
struct explain_context {
  const tables::ledger_view& view;
  const options& how;
  chain_row chain;
  genesis_parameters parameters;
  std::uint64_t start_ms = 0;  // the start of epoch 0
};
/// nullopt when the ledger has no genesis yet.
[[nodiscard]] std::optional<explain_context> open_context(const tables::ledger_view& view,
                                                          const options& how);

/// The committee of the present epoch; without seats when the ledger has none.
[[nodiscard]] committee_row present_committee(const explain_context& context);

// Each of these functions formats one part of a sentence.
[[nodiscard]] std::string format_value(shannons amount);
[[nodiscard]] std::string format_value(std::uint64_t number);
[[nodiscard]] std::string format_value(block_height height);
[[nodiscard]] std::string format_value(epoch_number epoch);
[[nodiscard]] inline std::string format_value(std::string_view text) {
  return std::string(text);
}
template <class Tag>
[[nodiscard]] std::string format_value(const id32<Tag>& id) {
  return id.short_text();
}
/// Formats all parts and joins them without separators.
template <class... Parts>
[[nodiscard]] std::string format_text(const Parts&... parts) {
  std::string text;
  ((text += format_value(parts)), ...);
  return text;
}

/// "model 0x12345678 version 2", or with a local name "model cpp (0x12345678) version 2". Version 0
/// means the model without a certain version and is left out.
[[nodiscard]] std::string format_model(const explain_context& context,
                                       const model_version_ref& model);
/// "the pool of validator 0x12345678" or "the pool of model 0x12345678".
[[nodiscard]] std::string format_pool(const explain_context& context, const pool_owner& pool);
/// The value with four decimals.
[[nodiscard]] std::string format_decimal(double value);
/// Converts a distance or radius from units of 2^-30 to a number between 0 and 2.
[[nodiscard]] float unit_distance(std::uint32_t distance_q30);
/// "2026-11-23 06:05:45 UTC".
[[nodiscard]] std::string format_time(std::uint64_t unix_ms);
/// "3 targets" or "1 target".
[[nodiscard]] std::string format_count(std::uint64_t number, std::string_view noun);

/// A deadline at the end of the present epoch or of a later one: the text, then "(epoch 5 ends not
/// before 2026-…)", and the fields `epoch` and `not_before_ms`.
[[nodiscard]] step due_at_end_of(const explain_context& context, epoch_number epoch,
                                 std::string what, const std::string& text, std::string section);
/// The earliest time that the closing block of this epoch can have. The epoch must be the present
/// one or a later one.
[[nodiscard]] std::uint64_t earliest_end_ms(const explain_context& context, epoch_number epoch);

}  // namespace soma::explain
