// The seam to one gateway. Production gives it an HTTPS connection, tests give it a ledger and
// lies. A pool of gateways has one port for each and tries the next after a refusal.
#pragma once

#include <functional>

#include "messages/values/bytes.hpp"
#include "messages/values/expected.hpp"
#include "messages/wire/role_messages.hpp"

namespace soma::gateway_client {

enum class fetch_failure : std::uint8_t {
  silent,     // no whole answer came within the time limit
  too_large,  // the answer was cut off, because it had more bytes than the limit for its type
};
using fetched = expected<bytes, fetch_failure>;

/// Each call blocks until the answer is there. It returns whatever bytes the gateway sent and
/// checks nothing but their number, of which max_message_bytes<Answer> is the limit.
struct fetch_port {
  std::function<fetched()> genesis;  // the canonical bytes of a Genesis
  std::function<fetched(const message<schema::GetEpochProofs>&)> epoch_proofs;  // EpochProofs
  std::function<fetched(const message<schema::GetProvenRows>&)> proven_rows;    // ProvenRows
};

}  // namespace soma::gateway_client
