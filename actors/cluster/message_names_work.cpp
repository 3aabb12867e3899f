#include "actors/cluster/message_names.hpp"

namespace soma::cluster {

void add_work_messages(caf::actor_system_config& config) {
  add_message<schema::GetChunk>(config, "soma.GetChunk");
  add_message<schema::FetchBlobs>(config, "soma.FetchBlobs");
  add_message<schema::FetchedBlobs>(config, "soma.FetchedBlobs");
  add_message<schema::GetHolders>(config, "soma.GetHolders");
  add_message<schema::Holders>(config, "soma.Holders");
  add_message<schema::Chunk>(config, "soma.Chunk");
  add_message<schema::Train>(config, "soma.Train");
  add_message<schema::TrainerStatus>(config, "soma.TrainerStatus");
  add_message<schema::GetTrainerStatus>(config, "soma.GetTrainerStatus");
  add_message<schema::GetSubmitterStatus>(config, "soma.GetSubmitterStatus");
  add_message<schema::SubmitterStatus>(config, "soma.SubmitterStatus");
  add_message<schema::Ask>(config, "soma.Ask");
  add_message<schema::Answer>(config, "soma.Answer");
  add_message<schema::Evaluate>(config, "soma.Evaluate");
  add_message<schema::Evaluation>(config, "soma.Evaluation");
  add_message<schema::GetHealth>(config, "soma.GetHealth");
  add_message<schema::Health>(config, "soma.Health");
}

}  // namespace soma::cluster
