#include "actors/documents/events.hpp"

#include "actors/explain/names.hpp"
#include "messages/signing/signing.hpp"

namespace soma::documents {

std::string place_text(block_height height, std::uint32_t index) {
  return std::to_string(height.value) + ":" + std::to_string(index);
}

json::value event_json(std::uint32_t index, const event& happened) {
  auto out = json::value::of({{"place", place_text(happened.height, index)},
                              {"kind", explain::name_of(happened.kind)},
                              {"height", happened.height.value},
                              {"index", index},
                              {"epoch", happened.epoch.value}});
  const auto set_id = [&](const char* name, const auto& id) {
    if (id != std::decay_t<decltype(id)>{}) out.set(name, id.text());
  };
  set_id("transaction", happened.transaction);
  set_id("target", happened.target);
  if (happened.model.model != model_id{}) {
    out.set("model", happened.model.model.text());
    out.set("version", happened.model.version);
  }
  set_id("account", happened.account);
  set_id("other", happened.other);
  if (happened.amount.value != 0) out.set("amount_shannons", happened.amount.value);
  if (happened.refusal != 0) {
    out.set("refusal", happened.refusal);
    out.set("section", explain::section_of_refusal(happened.refusal));
  }
  if (happened.detail != 0) out.set("detail", happened.detail);
  if (happened.audits_due != 0) out.set("audits_due", happened.audits_due);
  return out;
}

json::value block_json(const block_header& header) {
  return json::value::of({{"place", place_text(header.height, index_of_block)},
                          {"kind", "block"},
                          {"height", header.height.value},
                          {"index", index_of_block},
                          {"epoch", header.epoch.value},
                          {"block", signing::id_of(header).text()},
                          {"parent", header.parent.text()},
                          {"time_ms", header.time_ms},
                          {"state_root", header.state_root.text()},
                          {"transactions", header.transactions}});
}

}  // namespace soma::documents
