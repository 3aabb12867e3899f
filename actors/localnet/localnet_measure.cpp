#include "actors/localnet/localnet_measure.hpp"

#include <stdexcept>

#include "actors/global_model/global_model.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::localnet {
namespace {

/// Throws on a refusal: without figures a report would look as if nothing had to be measured.
void check(schema::Refusal::Reader refusal) {
  if (is_refused(refusal)) throw std::runtime_error("measuring the models: " + why_of(refusal));
}

}  // namespace

void measure_models(const network_under_test& network, const std::string& source, byte_view text,
                    localnet_report& out) {
  const auto models =
      network.where.ask<schema::Models>(network.registry, message<schema::GetModels>{});
  const auto report = network.where.ask<schema::ScoreReport>(
      network.scorer, message<schema::ScoreRequest>::build([&](auto to) {
        to.setModels(models.root().getEntries());
        to.setData(data_of(text));
        to.setSizeBytes(text.size());
      }));
  check(report.root().getRefusal());
  for (const auto& result : report.root().getResults()) {
    const auto scored = ref_of(result.getRef()).model;
    for (auto& model : out.models) {
      if (model.id == scored) model.bits_per_byte.emplace_back(source, result.getBitsPerByte());
    }
  }
}

void measure_mixture(const network_under_test& network, std::uint32_t max_seq, byte_view text,
                     localnet_report& out) {
  const auto oracle = network.where.system().spawn(
      global_model::global_model,
      global_model::global_model_ports{network.registry, network.router, network.scorer, max_seq});
  const auto result = network.where.ask<schema::Evaluation>(
      oracle, message<schema::Evaluate>::build([&](auto to) {
        to.setText(data_of(text));
        to.setExperts(static_cast<std::uint32_t>(out.models.size()));
      }));
  check(result.root().getRefusal());
  out.mixture.bytes = result.root().getBytes();
  out.mixture.bits_per_byte = result.root().getBitsPerByte();
  for (const auto& model : out.models) {
    for (const auto& share : result.root().getShares()) {
      if (ref_of(share.getRef()).model != model.id) continue;
      out.mixture.experts.push_back({model.name, share.getBitsPerByte(), share.getShare()});
    }
  }
}

}  // namespace soma::localnet
