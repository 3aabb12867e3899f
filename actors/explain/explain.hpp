// Why an account or a model was paid or not: the events that the ledger kept, in order, each with
// the rule of the protocol behind it, and the next deadline where there is one. Everything comes
// from the rows and events of one view; nothing is guessed. The work is bounded by the limits in
// `options`, and an explanation that did not read all events says so in `events_complete`.
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
  std::map<model_id, std::string> names{};  // local names of models, where they have one
  std::uint64_t events = 200'000;           // read of one model or address, the latest
  std::uint64_t epoch_events = 20'000'000;  // read of one epoch, the first
  std::size_t listed = 20;                  // steps a list shows
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
