#include "actors/router/router.hpp"

#include <algorithm>
#include <thread>

#include "actors/interface/describe_error.hpp"
#include "model/scoring/distance.hpp"

namespace soma::router {
namespace {

using exact::far_q30;

/// Distances of so many points are computed before they are written into the answer.
constexpr unsigned points_at_once = 256;

std::uint32_t distance_or_far(std::span<const float> point, std::span<const float> embedding) {
  return scoring::distance_q30(point, embedding).value_or(far_q30);
}

/// The number of threads changes the time only, not the result. Threads do not pay for a scan of
/// some milliseconds.
unsigned threads_for(std::size_t multiplications) {
  constexpr std::size_t worth_threads = std::size_t{1} << 28;
  return multiplications < worth_threads ? 1 : std::max(1u, std::thread::hardware_concurrency());
}

using rows_builder = capnp::List<capnp::List<std::uint32_t>>::Builder;

/// Fills the rows of the points `first` .. `last` - 1, which all have `dim` values. A model whose
/// embedding has another size than the points gets far_q30.
void fill_rows(const model_registry::model_index& models,
               capnp::List<capnp::List<float>>::Reader points, unsigned first, unsigned last,
               rows_builder rows) {
  SOMA_ASSERT(first < last && last <= points.size(), "a row is of a point that was asked for");
  const std::size_t dim = points[first].size();
  const auto* index = models.embeddings(dim);
  std::vector<std::uint32_t> found;
  if (index != nullptr) {
    std::vector<float> together;
    for (unsigned p = first; p < last; ++p) {
      const auto point = floats_of(points[p]);
      together.insert(together.end(), point.begin(), point.end());
    }
    found.resize((last - first) * index->slots());
    exact::tile_pool pool(threads_for(together.size() * index->size()));
    index->distances(together, found, pool);
  }
  for (unsigned p = first; p < last; ++p) {
    auto row = rows.init(p, static_cast<unsigned>(models.active().size()));
    const auto* const of_point =
        index == nullptr ? nullptr : found.data() + (p - first) * index->slots();
    unsigned m = 0;
    for (const auto& [id, model] : models.active()) {
      row.set(m++, of_point != nullptr && model.dim == dim ? of_point[model.slot] : far_q30);
    }
  }
}

message<schema::Assignment> assign(model_registry::model_index& models,
                                   schema::AssignRequest::Reader request) {
  const auto fits = models.apply(request.getDelta());
  return message<schema::Assignment>::build([&](auto out) {
    out.setRegistryVersion(models.version());
    if (fits == model_registry::model_index::applied::gap) {
      out.initRefusal().setDraw(schema::DrawRefusal::REGISTRY_GAP);
      return;
    }
    const auto points = request.getPoints();
    const std::size_t count = models.active().size();
    if (count > max_assigned_models || points.size() * count > max_assigned_distances) {
      out.initRefusal().setDraw(schema::DrawRefusal::TOO_MANY_DISTANCES);
      return;
    }
    auto refs = out.initModels(static_cast<unsigned>(count));
    unsigned m = 0;
    for (const auto& [id, model] : models.active()) fill(refs[m++], model.entry.ref);
    auto rows = out.initDistancesQ30(points.size());
    for (unsigned first = 0, last = 0; first < points.size(); first = last) {
      while (last < points.size() && last - first < points_at_once &&
             points[last].size() == points[first].size()) {
        ++last;
      }
      fill_rows(models, points, first, last, rows);
    }
  });
}

message<schema::Route> route(const model_registry::model_index& models,
                             schema::RouteQuery::Reader query) {
  std::vector<std::pair<std::uint32_t, model_version_ref>> experts;
  for (const auto& probe : query.getProbes()) {
    const auto entry = models.find(ref_of(probe.getRef()));
    if (!entry) continue;
    experts.emplace_back(distance_or_far(floats_of(probe.getEmbedding()), entry->embedding),
                         entry->ref);
  }
  std::sort(experts.begin(), experts.end());  // the nearest first; equal ones by id
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
  name_exceptions(*self);
  return {[=](const message<schema::AssignRequest>& request) {
            return assign(self->state.models, request.root());
          },
          [=](const message<schema::RouteQuery>& query) {
            return route(self->state.models, query.root());
          }};
}

}  // namespace soma::router
