#include "actors/target_generator/target_generator.hpp"

#include "actors/interface/describe_error.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/values/architecture.hpp"
#include "messages/wire/refusals.hpp"
#include "model/noise/noise.hpp"

namespace soma::target_generator {
namespace {

std::vector<std::vector<float>> draw_points(schema::DrawTargets::Reader request) {
  std::vector<std::vector<float>> points;
  for (const auto seed : request.getSeeds()) {
    points.push_back(noise::normals(seed, request.getDim()));
  }
  return points;
}

message<schema::AssignRequest> assign_request(schema::DrawTargets::Reader request,
                                              const std::vector<std::vector<float>>& points) {
  return message<schema::AssignRequest>::build([&](auto out) {
    out.setDelta(request.getDelta());
    auto rows = out.initPoints(static_cast<unsigned>(points.size()));
    for (unsigned p = 0; p < points.size(); ++p) {
      fill(rows.init(p, static_cast<unsigned>(points[p].size())), points[p]);
    }
  });
}

message<schema::DrawnTargets> drawn(const std::vector<std::vector<float>>& points,
                                    schema::Assignment::Reader assignment) {
  return message<schema::DrawnTargets>::build([&](auto out) {
    if (is_refused(assignment.getRefusal())) out.setRefusal(assignment.getRefusal());
    auto rows = out.initPoints(static_cast<unsigned>(points.size()));
    for (unsigned p = 0; p < points.size(); ++p) {
      fill(rows.init(p, static_cast<unsigned>(points[p].size())), points[p]);
    }
    out.setModels(assignment.getModels());
    out.setDistancesQ30(assignment.getDistancesQ30());
  });
}

}  // namespace

target_generator_actor::behavior_type target_generator(target_generator_actor::pointer self,
                                                       target_generator_ports ports) {
  name_exceptions(*self);
  return {[=](const message<schema::DrawTargets>& request)
              -> caf::typed_response_promise<message<schema::DrawnTargets>> {
    auto promise = self->make_response_promise<message<schema::DrawnTargets>>();
    const auto root = request.root();
    if (root.getSeeds().size() > max_draws || root.getDim() < 2 || root.getDim() > max_dim) {
      promise.deliver(message<schema::DrawnTargets>::build(
          [](auto out) { out.initRefusal().setDraw(schema::DrawRefusal::BAD_DRAW); }));
      return promise;
    }
    auto points = draw_points(root);
    self->request(ports.router, caf::infinite, assign_request(root, points))
        .then(
            [promise,
             points = std::move(points)](const message<schema::Assignment>& reply) mutable {
              promise.deliver(drawn(points, reply.root()));
            },
            [promise](caf::error& failure) mutable { promise.deliver(std::move(failure)); });
    return promise;
  }};
}

}  // namespace soma::target_generator
