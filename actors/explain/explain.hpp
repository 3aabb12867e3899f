// Why somebody was paid or not: the chain of events that the ledger kept, told in order, with the
// rule of the protocol behind each step and the next deadline where the story goes on. Everything
// comes from rows and events of one view; nothing is guessed. Work is bounded: at most
// `limits.events` events are read, and whoever got fewer than all is told so.
#pragma once

#include <map>

#include "actors/explain/explanation.hpp"
#include "messages/types/expected.hpp"
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
  std::map<model_id, std::string> names{};  // what people call models, where somebody named them
  std::uint64_t events = 200'000;           // read of one model or address, the latest
  std::uint64_t epoch_events = 20'000'000;  // read of one epoch, the first
  std::size_t listed = 20;                  // steps a list shows
};

[[nodiscard]] expected<explanation, refusal> explain_target(const storage::ledger_view& view,
                                                            const target_id& id,
                                                            const options& how = {});
[[nodiscard]] expected<explanation, refusal> explain_model(const storage::ledger_view& view,
                                                           const model_id& id,
                                                           const options& how = {});
[[nodiscard]] expected<explanation, refusal> explain_address(const storage::ledger_view& view,
                                                             const address& id,
                                                             const options& how = {});
[[nodiscard]] expected<explanation, refusal> explain_epoch(const storage::ledger_view& view,
                                                           epoch_number epoch,
                                                           const options& how = {});

}  // namespace soma::explain
