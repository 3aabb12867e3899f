#include "actors/cluster/message_names.hpp"

namespace soma::cluster {

void add_scoring_messages(caf::actor_system_config& config) {
  add_message<schema::ModelCheck>(config, "soma.ModelCheck");
  add_message<schema::PredictRequest>(config, "soma.PredictRequest");
  add_message<schema::PredictReport>(config, "soma.PredictReport");
  add_message<schema::JoinPool>(config, "soma.JoinPool");
  add_message<schema::PoolStatus>(config, "soma.PoolStatus");
  add_message<schema::GetPoolStatus>(config, "soma.GetPoolStatus");
  add_message<schema::PutBlob>(config, "soma.PutBlob");
  add_message<schema::BeginPut>(config, "soma.BeginPut");
  add_message<schema::PutProgress>(config, "soma.PutProgress");
  add_message<schema::GetBlob>(config, "soma.GetBlob");
  add_message<schema::BlobDescription>(config, "soma.BlobDescription");
  add_message<schema::PutChunk>(config, "soma.PutChunk");
}

}  // namespace soma::cluster
