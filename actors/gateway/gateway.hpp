// The gateway: the door for everybody who is not of the cluster. It speaks HTTPS with strangers and
// asks a validator, or a node that follows the chain, for the answers. What must hold:
//   - It holds no key that votes, and none that pays but that of a faucet, which gives its money
//     away anyhow. Nobody need trust it. The answers as messages carry
//     what proves them.
//   - What a stranger sends is bounded before it is read (actors/http/SECURITY.md), and checked
//     before it becomes a question to a role: no question can make a role fail.
//   - Every question has a limit of time. A validator that is silent makes the answer 503, and the
//     client is told when to ask again.
//   - A stream of events leaves nothing out. Whoever resumes it at the place of the last event
//     sees the next one.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "actors/blob_keeper/blob_keeper_actor.hpp"
#include "actors/blob_store/blob_store_actor.hpp"
#include "actors/clock/clock_actor.hpp"
#include "actors/gateway/endpoints.hpp"
#include "actors/gateway/host_buckets.hpp"
#include "actors/gateway/upload_book.hpp"
#include "actors/validator/validator_actor.hpp"
#include "messages/crypto/ed25519.hpp"
#include "messages/values/amounts.hpp"

namespace soma::gateway {

struct call;          // one request on its way; see call.hpp
struct blob_reading;  // the bytes of a blob on their way

/// The role. The messages are the request of a stranger, and the wish of one for the next bytes of
/// a blob. They never leave the process.
using gateway_actor = caf::typed_actor<caf::reacts_to<std::shared_ptr<const call>>,
                                       caf::reacts_to<std::shared_ptr<blob_reading>>>;

struct gateway_ports {
  clock::clock_actor clock;
  validator::validator_actor validator;
  blob_store::blob_store_actor blobs = {};     // absent: it gives and takes no blobs
  blob_keeper::blob_keeper_actor keeper = {};  // absent: blobs of other homes are not fetched
};

/// An account whose money a gateway gives away, on networks for trying things out.
struct faucet_options {
  crypto::key_pair key;
  shannons amount;                            // of one gift
  std::uint64_t address_ms = 24 * 3'600'000;  // so long an address gets no second gift
  std::size_t gifts_per_host = 20;            // in the same time, from one host
  std::size_t remembered = 65'536;            // addresses and hosts; when it is full, nobody gets
};

struct gateway_options {
  std::string listen_host = "127.0.0.1";
  std::uint16_t listen_port = 0;                                // 0: the system chooses
  std::shared_ptr<const public_tls::server_identity> identity;  // nullptr: plain HTTP
  std::vector<std::string> proxies;                             // whose X-Forwarded-For is believed
  http::server_limits limits;
  std::string build;                       // the program's version, for people
  std::uint32_t question_ms = 10'000;      // for an answer of the validator
  std::uint32_t look_ms = 200;             // how often the chain is looked at
  std::uint32_t longest_wait_ms = 30'000;  // of a request that waits for a block
  std::uint32_t heartbeat_ms = 15'000;     // a silent stream of events gets a comment this often
  std::size_t streams = 512;               // of events, at one time
  std::size_t waiting_requests = 512;      // for a block, at one time
  std::optional<faucet_options> faucet;
  /// Checks of signatures that strangers cause, here and in the validator, whose own share of the
  /// processor is what these leave: one takes 50 to 100 us.
  host_rates signature_checks{1'024, 32};

  host_rates blob_rates{std::uint64_t{512} << 20U, std::uint64_t{128} << 20U};  // both directions
  upload_limits uploads;
  std::size_t blob_streams = 32;  // of whole blobs and ranges, at one time
  std::size_t blob_streams_per_host = 8;
  std::size_t paced_reads = 64;         // chunks that wait for the rates
  std::uint32_t paced_ms = 2'000;       // so long a chunk waits at most
  std::size_t blob_fetches = 8;         // of blobs of other homes, at one time
  std::uint32_t blob_fetch_ms = 8'000;  // so long a client waits for one
  std::size_t holder_surveys = 4;       // at one time
};

struct spawned_gateway {
  gateway_actor role;
  std::uint16_t port = 0;
};

/// Listens until the actor ends. Returns the reason when it cannot listen.
[[nodiscard]] expected<spawned_gateway, std::string> spawn_gateway(caf::actor_system& system,
                                                                   gateway_ports ports,
                                                                   gateway_options options);

}  // namespace soma::gateway

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<const soma::gateway::call>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<soma::gateway::blob_reading>)
