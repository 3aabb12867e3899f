// Explains why an account or a model was paid or not. An explanation lists the events that the
// ledger kept, in order, each with the section of the protocol that rules it, and the coming
// deadlines. It uses only the rows and events of one view of the ledger. The limits in `options`
// bound the work, and the field `events_complete` says whether all events were read.
#pragma once

#include <map>

#include "actors/explain/explanation.hpp"
#include "messages/values/expected.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::explain {

enum class refusal : std::uint8_t {
  no_ledger,
  target_unknown,
  model_unknown,
  address_unknown,
  epoch_to_come
};
[[nodiscard]] std::string_view to_text(refusal reason);

struct options {
  std::map<model_id, std::string> names{};  // the local names of models that have one
  std::uint64_t events = 200'000;           // the latest events read of one model or address
  std::uint64_t epoch_events = 20'000'000;  // the first events read of one epoch
  std::size_t listed = 20;                  // the most steps that a list shows
};

[[nodiscard]] expected<explanation, refusal> explain_target(const tables::ledger_view& view,
                                                            const target_id& id,
                                                            const options& how = {});
[[nodiscard]] expected<explanation, refusal> explain_model(const tables::ledger_view& view,
                                                           const model_id& id,
                                                           const options& how = {});
[[nodiscard]] expected<explanation, refusal> explain_address(const tables::ledger_view& view,
                                                             const address& id,
                                                             const options& how = {});
[[nodiscard]] expected<explanation, refusal> explain_epoch(const tables::ledger_view& view,
                                                           epoch_number epoch,
                                                           const options& how = {});

}  // namespace soma::explain
