// Gets blobs into the store of this home: those that an audit waits for, and those that this member
// should keep by the ledger (security §9.3 and §9.4). It gives what is here to other members, reads
// what is here from time to time, and removes what nothing needs (security §9.5). It is spawned
// detached, since it waits for the disk. What must hold:
//   - Only blobs that the ledger names, or that this home's own validator asks for, are fetched,
//     and none that is larger than the genesis lets weights or data be.
//   - A disk that is full or fails costs the operator a line, and never ends the role.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "actors/blob_exchange/fetcher.hpp"
#include "actors/blob_exchange/server.hpp"
#include "actors/blob_keeper/blob_keeper_actor.hpp"
#include "actors/blob_keeper/caretaker.hpp"
#include "actors/clock/clock_actor.hpp"
#include "actors/validator/peers_actor.hpp"
#include "storage/blobs/blob_store.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::blob_keeper {

struct blob_keeper_ports {
  clock::clock_actor clock;
  validator::peers_actor peers;  // absent when the validator is alone in its network
  std::shared_ptr<blobs::blob_store> disk;
  std::shared_ptr<tables::ledger_store> ledger;  // holds a genesis
  public_key key{};                              // of this home's validator
  /// Gets one line of text per call. Without it the lines go to standard error.
  std::function<void(const std::string&)> notify_operator;
};

struct blob_keeper_options {
  std::uint32_t tick_ms = 100;
  blob_exchange::fetcher_options fetcher;
  blob_exchange::server_options server;
  caretaker_options care;
};

class keeper;

struct blob_keeper_state {
  std::shared_ptr<keeper> work;
};

blob_keeper_actor::behavior_type blob_keeper(
    blob_keeper_actor::stateful_pointer<blob_keeper_state> self, blob_keeper_ports ports,
    blob_keeper_options options);

}  // namespace soma::blob_keeper
