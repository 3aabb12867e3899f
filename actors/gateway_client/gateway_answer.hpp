// Reads the bytes that came from a gateway into plain values. Reading shows their form only; what
// they say is proven in verified_ledger.
#pragma once

#include <vector>

#include "actors/gateway_client/distrust.hpp"
#include "actors/gateway_client/fetch_port.hpp"
#include "messages/values/genesis.hpp"
#include "messages/values/proofs.hpp"
#include "messages/values/votes.hpp"

namespace soma::gateway_client {

struct answered_rows {
  struct entry {
    row_key key;
    std::optional<bytes> value;  // absent: there is no such row
    state_proof proof;
  };
  std::vector<block_header> headers;  // at least one
  certificate final;
  std::vector<entry> rows;
  bool more = false;
};

/// Refusals of all three: silent, too_large, malformed and declined.
[[nodiscard]] expected<genesis, refusal> read_genesis(const fetched& from);
[[nodiscard]] expected<std::vector<epoch_proof>, refusal> read_epoch_proofs(const fetched& from);
[[nodiscard]] expected<answered_rows, refusal> read_rows(const fetched& from);

}  // namespace soma::gateway_client
