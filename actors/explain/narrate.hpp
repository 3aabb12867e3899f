// The sentence and the fields of one event, and what the explanations share: the state they look
// at, how ids, amounts and times read, when an epoch ends.
#pragma once

#include "actors/explain/explain.hpp"
#include "messages/types/genesis.hpp"

namespace soma::explain {

struct telling {
  const storage::ledger_view& view;
  const options& how;
  chain_row chain;
  genesis_parameters parameters;
  std::uint64_t start_ms = 0;  // of epoch 0
};
/// nullopt where there is no genesis yet.
[[nodiscard]] std::optional<telling> begin_telling(const storage::ledger_view& view,
                                                   const options& how);

// How parts of a sentence read.
[[nodiscard]] std::string shown(shannons amount);
[[nodiscard]] std::string shown(std::uint64_t number);
[[nodiscard]] std::string shown(block_height height);
[[nodiscard]] std::string shown(epoch_number epoch);
[[nodiscard]] inline std::string shown(std::string_view text) {
  return std::string(text);
}
template <class Tag>
[[nodiscard]] std::string shown(const id32<Tag>& id) {
  return id.short_text();
}
template <class... Parts>
[[nodiscard]] std::string say(const Parts&... parts) {
  std::string text;
  ((text += shown(parts)), ...);
  return text;
}

/// "model 0x12345678 version 2", "model cpp (0x12345678)" without a version or with a known name.
[[nodiscard]] std::string shown_model(const telling& t, const model_version_ref& model);
/// "0x12345678's validator pool", "the pool of model 0x12345678".
[[nodiscard]] std::string shown_pool(const telling& t, const pool_owner& pool);
/// Four decimals.
[[nodiscard]] std::string shown_decimal(double value);
/// Distances and radii in units of 2^-30.
[[nodiscard]] float unit_distance(std::uint32_t distance_q30);
/// "2026-11-23 06:05:45 UTC".
[[nodiscard]] std::string shown_time(std::uint64_t unix_ms);
/// "3 targets", "1 target".
[[nodiscard]] std::string counted(std::uint64_t number, std::string_view noun);

/// The events of one id, the oldest first, at most `limit` of the latest.
template <class Id>
[[nodiscard]] std::vector<event> oldest_first(const telling& t, const Id& id, std::size_t limit) {
  auto events = t.view.events_of(id, limit);
  return {events.rbegin(), events.rend()};
}

/// The pool that an event about stake names.
[[nodiscard]] pool_owner pool_of(const event& happened);

/// The event as a step: its sentence, and all its fields under stable names.
[[nodiscard]] step narrate(const telling& t, const event& happened);

/// "epoch 5 ends not before 2026-…", and the end of an epoch that is the present one or to come as
/// fields `epoch` and `not_before_ms`.
[[nodiscard]] step due_at_end_of(const telling& t, epoch_number epoch, std::string what,
                                 const std::string& text, std::string section);
/// The earliest time of the block that ends an epoch, which is the present one or one to come.
[[nodiscard]] std::uint64_t earliest_end_ms(const telling& t, epoch_number epoch);

}  // namespace soma::explain
