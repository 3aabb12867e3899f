#include "actors/cluster/message_names.hpp"

namespace soma::cluster {

void add_network_messages(caf::actor_system_config& config) {
  add_message<schema::Ack>(config, "soma.Ack");
  add_message<schema::Wait>(config, "soma.Wait");
  add_message<schema::Time>(config, "soma.Time");
  add_message<schema::SubmitTransaction>(config, "soma.SubmitTransaction");
  add_message<schema::SubmitReceipt>(config, "soma.SubmitReceipt");
  add_message<schema::GetChain>(config, "soma.GetChain");
  add_message<schema::ChainStatus>(config, "soma.ChainStatus");
  add_message<schema::GetRow>(config, "soma.GetRow");
  add_message<schema::Row>(config, "soma.Row");
  add_message<schema::GetRows>(config, "soma.GetRows");
  add_message<schema::Rows>(config, "soma.Rows");
  add_message<schema::GetTransaction>(config, "soma.GetTransaction");
  add_message<schema::TransactionStatus>(config, "soma.TransactionStatus");
  add_message<schema::GetGenesis>(config, "soma.GetGenesis");
  add_message<schema::GenesisBytes>(config, "soma.GenesisBytes");
  add_message<schema::GetOpenTargets>(config, "soma.GetOpenTargets");
  add_message<schema::OpenTargets>(config, "soma.OpenTargets");
  add_message<schema::GetProvenRows>(config, "soma.GetProvenRows");
  add_message<schema::ProvenRows>(config, "soma.ProvenRows");
  add_message<schema::GetEpochProofs>(config, "soma.GetEpochProofs");
  add_message<schema::EpochProofs>(config, "soma.EpochProofs");
  add_message<schema::GetBlocks>(config, "soma.GetBlocks");
  add_message<schema::FinalBlocks>(config, "soma.FinalBlocks");
  add_message<schema::GetFinality>(config, "soma.GetFinality");
  add_message<schema::FinalityAnswer>(config, "soma.FinalityAnswer");
  add_message<schema::GetEvents>(config, "soma.GetEvents");
  add_message<schema::EventPage>(config, "soma.EventPage");
  add_message<schema::GetExplanation>(config, "soma.GetExplanation");
  add_message<schema::Explanation>(config, "soma.Explanation");
  add_message<schema::BlockNotice>(config, "soma.BlockNotice");
  add_message<schema::HearPeers>(config, "soma.HearPeers");
  add_message<schema::FromPeer>(config, "soma.FromPeer");
  add_message<schema::ToPeers>(config, "soma.ToPeers");
}

}  // namespace soma::cluster
