#include "actors/cluster/message_names.hpp"

namespace soma::cluster {

void add_model_messages(caf::actor_system_config& config) {
  add_message<schema::RegistryDelta>(config, "soma.RegistryDelta");
  add_message<schema::GetModels>(config, "soma.GetModels");
  add_message<schema::Models>(config, "soma.Models");
  add_message<schema::AssignRequest>(config, "soma.AssignRequest");
  add_message<schema::Assignment>(config, "soma.Assignment");
  add_message<schema::RouteQuery>(config, "soma.RouteQuery");
  add_message<schema::Route>(config, "soma.Route");
  add_message<schema::DrawTargets>(config, "soma.DrawTargets");
  add_message<schema::DrawnTargets>(config, "soma.DrawnTargets");
  add_message<schema::ScoreRequest>(config, "soma.ScoreRequest");
  add_message<schema::ScoreReport>(config, "soma.ScoreReport");
  add_message<schema::CheckModel>(config, "soma.CheckModel");
}

}  // namespace soma::cluster
