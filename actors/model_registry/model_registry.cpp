#include "actors/model_registry/model_registry.hpp"

#include "actors/interface/describe_error.hpp"

namespace soma::model_registry {
namespace {

/// The most versions in one answer.
constexpr unsigned max_models_per_reply = 4'096;

message<schema::Models> find_models(const model_index& models, schema::GetModels::Reader request) {
  std::vector<model_entry> found;
  if (request.getRefs().size() == 0) {
    for (const auto& [id, model] : models.active()) {
      if (found.size() == max_models_per_reply) break;
      found.push_back(models.full_entry(model));
    }
  } else {
    for (const auto& ref : request.getRefs()) {
      if (found.size() == max_models_per_reply) break;
      if (auto entry = models.find(ref_of(ref))) found.push_back(std::move(*entry));
    }
  }
  return message<schema::Models>::build([&](auto out) {
    out.setRegistryVersion(models.version());
    auto list = out.initEntries(static_cast<unsigned>(found.size()));
    for (unsigned i = 0; i < found.size(); ++i) fill(list[i], found[i]);
  });
}

}  // namespace

model_registry_actor::behavior_type model_registry(
    model_registry_actor::stateful_pointer<model_registry_state> self) {
  name_exceptions(*self);
  return {
      [=](const message<schema::RegistryDelta>& delta) { self->state.models.apply(delta.root()); },
      [=](const message<schema::GetModels>& request) {
        return find_models(self->state.models, request.root());
      }};
}

}  // namespace soma::model_registry
