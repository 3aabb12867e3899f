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

#define SOMA_ROLE_MESSAGES(X)                                                                  \
  X(Ack)                                                                                       \
  X(Wait)                                                                                      \
  X(Time) X(SubmitTransaction) X(SubmitReceipt) X(GetChain) X(ChainStatus) X(GetRow) X(Row)    \
      X(GetOpenTargets) X(OpenTargets) X(BlockNotice) X(RegistryDelta) X(GetModels) X(Models)  \
          X(AssignRequest) X(Assignment) X(RouteQuery) X(Route) X(DrawTargets) X(DrawnTargets) \
              X(ScoreRequest) X(ScoreReport) X(CheckModel) X(ModelCheck) X(PredictRequest)     \
                  X(PredictReport) X(JoinPool) X(PoolStatus) X(GetPoolStatus) X(PutBlob)       \
                      X(BeginPut) X(PutProgress) X(PutChunk) X(GetChunk) X(Chunk) X(Train)     \
                          X(TrainerStatus) X(GetStatus) X(SubmitterStatus) X(Ask) X(Answer)    \
                              X(Evaluate) X(Evaluation) X(GetHealth) X(Health)

void add_messages(caf::actor_system_config& config) {
#define SOMA_ADD(T) add<schema::T>(config, "soma." #T);
  SOMA_ROLE_MESSAGES(SOMA_ADD)
#undef SOMA_ADD
}

}  // namespace

system_config::system_config() {
  add_messages(*this);
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
