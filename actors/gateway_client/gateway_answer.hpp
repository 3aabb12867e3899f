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

/// Why nothing was fetched. What the gateway has said is made fit for a terminal.
[[nodiscard]] refusal refusal_of(const fetch_error& failed);

/// An answer whose type has no field `refusal`. Nothing in it is proven. Refusals: those of
/// refusal_of(), too_large and malformed.
template <class Answer>
[[nodiscard]] expected<message<Answer>, refusal> read_plain(const fetched& from) {
  if (!from) return make_unexpected(refusal_of(from.error()));
  auto read = message<Answer>::parse(*from);
  if (read) return std::move(*read);
  const bool is_large = read.error() == parse_refusal::too_large;
  return make_unexpected(refusal{is_large ? distrust::too_large : distrust::malformed,
                                 std::string(to_text(read.error())), std::nullopt});
}

/// Refusals of all three: those of refusal_of(), too_large, malformed and declined.
[[nodiscard]] expected<genesis, refusal> read_genesis(const fetched& from);
[[nodiscard]] expected<std::vector<epoch_proof>, refusal> read_epoch_proofs(const fetched& from);
[[nodiscard]] expected<answered_rows, refusal> read_rows(const fetched& from);

}  // namespace soma::gateway_client
