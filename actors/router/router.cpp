#include "actors/router/router.hpp"

#include <algorithm>

#include "model/exact/distance.hpp"

namespace soma::actors {
namespace {

/// Farther than anything: what a model gets whose embedding does not fit the point.
constexpr std::uint32_t no_distance_q30 = 2u << 30;

std::uint32_t distance_or_far(std::span<const float> point, std::span<const float> embedding) {
  if (point.size() != embedding.size()) return no_distance_q30;
  const auto distance = model::distance_q30(point, embedding);
  return distance ? *distance : no_distance_q30;
}

message<schema::Assignment> assign(model_index& models, schema::AssignRequest::Reader request) {
  const auto fits = models.apply(request.getDelta());
  return message<schema::Assignment>::build([&](auto out) {
    out.setRegistryVersion(models.version());
    if (fits == model_index::applied::gap) {
      out.setRefusal(registry_gap);
      return;
    }
    const auto count = static_cast<unsigned>(models.active().size());
    auto refs = out.initModels(count);
    unsigned m = 0;
    for (const auto& [id, entry] : models.active()) fill(refs[m++], entry.ref);
    const auto points = request.getPoints();
    auto rows = out.initDistancesQ30(points.size());
    for (unsigned p = 0; p < points.size(); ++p) {
      const auto point = floats_of(points[p]);
      auto row = rows.init(p, count);
      unsigned i = 0;
      for (const auto& [id, entry] : models.active()) {
        row.set(i++, distance_or_far(point, entry.embedding));
      }
    }
  });
}

message<schema::Route> route(const model_index& models, schema::RouteQuery::Reader query) {
  std::vector<std::pair<std::uint32_t, model_version_ref>> experts;
  for (const auto& probe : query.getProbes()) {
    const auto* entry = models.find(ref_of(probe.getRef()));
    if (entry == nullptr) continue;
    experts.emplace_back(distance_or_far(floats_of(probe.getEmbedding()), entry->embedding),
                         entry->ref);
  }
  std::sort(experts.begin(), experts.end());  // nearest first, ties by id
  if (experts.size() > query.getMost()) experts.resize(query.getMost());
  return message<schema::Route>::build([&](auto out) {
    auto list = out.initExperts(static_cast<unsigned>(experts.size()));
    for (unsigned i = 0; i < experts.size(); ++i) {
      fill(list[i].initRef(), experts[i].second);
      list[i].setDistanceQ30(experts[i].first);
    }
  });
}

}  // namespace

router_actor::behavior_type router(router_actor::stateful_pointer<router_state> self) {
  return {[=](const message<schema::AssignRequest>& request) {
            return assign(self->state.models, request.root());
          },
          [=](const message<schema::RouteQuery>& query) {
            return route(self->state.models, query.root());
          }};
}

}  // namespace soma::actors
