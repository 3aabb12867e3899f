// What a client trusts, as bytes that it keeps between its runs, so that it need not follow the
// chain from the genesis again and cannot be led back to an older state. The bytes:
//   version (u8) | chain id | trust period (u64, ms) | trusted since (u64, ms) | epoch (u64) |
//   1 and the highest proven header (246 bytes), or 0 | canonical CommitteeRow of the epoch |
//   H("soma.kept-trust", all before)
// Numbers are little endian. The hash finds damage. It does not protect against a person who can
// write the file, who could as well replace the program.
#pragma once

#include "actors/consensus/light_client.hpp"
#include "actors/gateway_client/distrust.hpp"

namespace soma::gateway_client {

struct kept_trust {
  chain_id chain;
  std::uint64_t trust_period_ms = 0;  // for how long a committee's stake can be taken
  std::uint64_t since_ms = 0;         // Unix time of the block, or of the genesis, that is trusted
  epoch_number epoch;                 // whose committee is known
  std::vector<committee_seat> seats;  // of that epoch
  std::optional<block_header> proven;
  friend bool operator==(const kept_trust&, const kept_trust&) = default;
};

[[nodiscard]] bytes encode_kept(const kept_trust& trust);
/// Refusals: kept_damaged, and other_network when whole bytes are of a chain other than `network`.
[[nodiscard]] expected<kept_trust, refusal> decode_kept(byte_view kept, const chain_id& network);

}  // namespace soma::gateway_client
