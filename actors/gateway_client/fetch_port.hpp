// The seam to one gateway. Production gives it an HTTPS connection (http_fetch.hpp), tests give it
// a ledger and lies. A pool of gateways has one port for each and tries the next after a refusal.
#pragma once

#include <functional>
#include <string>

#include "messages/values/bytes.hpp"
#include "messages/values/expected.hpp"
#include "messages/wire/role_messages.hpp"

namespace soma::gateway_client {

inline constexpr std::size_t max_genesis_bytes = std::size_t{4} << 20;

enum class fetch_failure : std::uint8_t {
  silent,         // no whole answer came within the time limit
  too_large,      // the answer was cut off, because it had more bytes than the limit for its type
  refused,        // the gateway answers that it does not answer this
  not_believed,   // whoever answers there does not have the key, or the certificate, of the gateway
  other_version,  // the gateway speaks another version of the answers, or is no gateway
};
struct fetch_error {
  fetch_error(fetch_failure how, std::string detail = {}) : kind(how), why(std::move(detail)) {}
  fetch_failure kind;
  std::string why;        // for a person; may hold any bytes that the gateway has sent
  std::string code = {};  // the name of a refusal, when the gateway gave one
};
using fetched = expected<bytes, fetch_error>;

/// Each call blocks until the answer is there. It returns whatever bytes the gateway sent and
/// checks nothing but their number, of which max_message_bytes<Answer>, or for the genesis
/// max_genesis_bytes, is the limit.
struct fetch_port {
  std::function<fetched()> genesis;  // the canonical bytes of a Genesis
  std::function<fetched(const message<schema::GetEpochProofs>&)> epoch_proofs;  // EpochProofs
  std::function<fetched(const message<schema::GetProvenRows>&)> proven_rows;    // ProvenRows
};

}  // namespace soma::gateway_client
