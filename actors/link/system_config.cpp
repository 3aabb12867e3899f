#include "actors/link/system_config.hpp"

#include <caf/io/middleman.hpp>
#include <caf/openssl/manager.hpp>

#include "actors/link/message_inspection.hpp"
#include "messages/crypto/tls_errors.hpp"
#include "messages/types/role_messages.hpp"

namespace soma::actors {
namespace {

/// The name a type has on the wire between processes of one operator. A rename is a new name: old
/// processes refuse it.
template <class T>
void add(caf::actor_system_config& config, const char* name) {
  config.add_message_type<message<T>>(name);
}

#define SOMA_ADD(T) add<schema::T>(config, "soma." #T)
void add_messages(caf::actor_system_config& config) {
  SOMA_ADD(Ack);
  SOMA_ADD(Wait);
  SOMA_ADD(Time);
  SOMA_ADD(SubmitTransaction);
  SOMA_ADD(SubmitReceipt);
  SOMA_ADD(GetChain);
  SOMA_ADD(ChainStatus);
  SOMA_ADD(GetRow);
  SOMA_ADD(Row);
  SOMA_ADD(GetRows);
  SOMA_ADD(Rows);
  SOMA_ADD(GetTransaction);
  SOMA_ADD(TransactionStatus);
  SOMA_ADD(GetGenesis);
  SOMA_ADD(GenesisBytes);
  SOMA_ADD(GetOpenTargets);
  SOMA_ADD(OpenTargets);
  SOMA_ADD(BlockNotice);
  SOMA_ADD(HearPeers);
  SOMA_ADD(FromPeer);
  SOMA_ADD(ToPeers);
  SOMA_ADD(RegistryDelta);
  SOMA_ADD(GetModels);
  SOMA_ADD(Models);
  SOMA_ADD(AssignRequest);
  SOMA_ADD(Assignment);
  SOMA_ADD(RouteQuery);
  SOMA_ADD(Route);
  SOMA_ADD(DrawTargets);
  SOMA_ADD(DrawnTargets);
  SOMA_ADD(ScoreRequest);
  SOMA_ADD(ScoreReport);
  SOMA_ADD(CheckModel);
  SOMA_ADD(ModelCheck);
  SOMA_ADD(PredictRequest);
  SOMA_ADD(PredictReport);
  SOMA_ADD(JoinPool);
  SOMA_ADD(PoolStatus);
  SOMA_ADD(GetPoolStatus);
  SOMA_ADD(PutBlob);
  SOMA_ADD(BeginPut);
  SOMA_ADD(PutProgress);
  SOMA_ADD(PutChunk);
  SOMA_ADD(GetChunk);
  SOMA_ADD(Chunk);
  SOMA_ADD(Train);
  SOMA_ADD(TrainerStatus);
  SOMA_ADD(GetStatus);
  SOMA_ADD(SubmitterStatus);
  SOMA_ADD(Ask);
  SOMA_ADD(Answer);
  SOMA_ADD(Evaluate);
  SOMA_ADD(Evaluation);
  SOMA_ADD(GetHealth);
  SOMA_ADD(Health);
}
#undef SOMA_ADD

}  // namespace

system_config::system_config() {
  add_messages(*this);
  // Idle threads sleep until there is work. By default they look for some to steal, again and
  // again, which costs a third of a processor that other processes could use.
  set("scheduler.policy", caf::atom("sharing"));
}

system_config::system_config(const cluster_identity& identity, unsigned threads) : system_config() {
  crypto::keep_tls_errors_apart();
  load<caf::io::middleman>();
  load<caf::openssl::manager>();
  openssl_certificate = identity.certificate.string();
  openssl_key = identity.key.string();
  openssl_cafile = identity.ca.string();
  if (threads != 0) set("scheduler.max-threads", threads);
  // Spawning by name and the configuration server are doors nobody of ours uses.
  set("middleman.enable-automatic-connections", false);
}

}  // namespace soma::actors
