// A ledger that is read through gateways which may lie. It holds what is proven: a committee, whose
// certificates it believes, and the highest header proven so far. What must hold:
//   - A row that it returns is the row of a final block of the network that the caller named. For
//     each lie there is a refusal by name, and a refusal leaves what was proven before in place.
//   - It never goes back: a gateway whose newest block lies further below the highest proven one
//     than the options allow, or is older than they allow, is stale.
//   - It believes no committee whose members may have taken their stake away since: that is an
//     unsafe gap, unless the person accepts it.
//   - What it does is bounded by the size of the answers. Nothing that a gateway sends can end the
//     program.
// Each call names the gateway to ask. After a refusal the caller asks another one; what the first
// gateway has proven stays proven. The object is a value: a copy goes its own way.
#pragma once

#include <functional>
#include <span>
#include <utility>

#include "actors/gateway_client/gateway_answer.hpp"
#include "actors/gateway_client/kept_trust.hpp"

namespace soma::gateway_client {

struct client_options {
  std::uint64_t max_age_ms = 120'000;    // from the time of a block to now
  std::uint64_t max_blocks_behind = 16;  // of a block below the highest proven one, in one epoch
  /// A person knows the block that closed this epoch, from somebody whom they trust. Only a history
  /// with this block is believed, and only blocks after it. So a person can start on a network that
  /// is older than its trust period, as long as this block is not older.
  struct known_end {
    epoch_number epoch;
    block_id block;
  };
  std::optional<known_end> known = {};
  /// Believe a committee although its stake may have been paid out. Whoever sets it has no younger
  /// trust than the genesis, and must compare a block with somebody else's. Never the default.
  bool accept_gap = false;
};

/// Rows of one state, which is that of `header`.
struct proven_rows {
  block_header header;
  /// The values of the first keys that were asked for, in their order; nullopt: there is no such
  /// row. At least one, and fewer than keys when the answer had no room for more (4 MiB).
  std::vector<std::optional<bytes>> values;
  std::vector<state_proof> proofs;  // of each of these values, or of its absence
};

/// A page of rows of one state. Each row is proven. That no row is left out between them is not:
/// rows lie in the state tree by the hashes of their keys.
struct proven_page {
  block_header header;
  std::vector<std::pair<row_key, bytes>> rows;  // ascending by key
  bool more = false;                            // as the gateway says
  static constexpr bool is_complete_proven = false;
};

class verified_ledger {
 public:
  static constexpr std::size_t max_keys = 256;
  static constexpr std::size_t max_key_bytes = 96;
  using clock = std::function<std::uint64_t()>;  // Unix time in ms

  /// Begins with the genesis, which the gateway sends and whose hash is the id of the network.
  /// Refusals: silent, too_large, malformed and wrong_genesis.
  [[nodiscard]] static expected<verified_ledger, refusal> start(const chain_id& network,
                                                                const fetch_port& gateway,
                                                                clock now_ms,
                                                                client_options options = {});
  /// Begins with what kept() returned in an earlier run. Refusals: kept_damaged, other_network.
  [[nodiscard]] static expected<verified_ledger, refusal> resume(const chain_id& network,
                                                                 byte_view kept, clock now_ms,
                                                                 client_options options = {});
  /// To be written after each call that has proven a higher header.
  [[nodiscard]] bytes kept() const;

  /// The row under this key in the gateway's newest state; nullopt when there is none.
  [[nodiscard]] expected<std::optional<bytes>, refusal> find(const fetch_port& gateway,
                                                             byte_view key);
  /// Several rows of one state. Asserts 1 to max_keys keys of 1 to max_key_bytes bytes each.
  [[nodiscard]] expected<proven_rows, refusal> find_many(const fetch_port& gateway,
                                                         std::span<const row_key> keys);
  /// The rows whose keys begin with `prefix` and come after the key `after`, at most `most` (1 to
  /// max_keys, asserted) of them.
  [[nodiscard]] expected<proven_page, refusal> page(const fetch_port& gateway, byte_view prefix,
                                                    byte_view after, std::uint32_t most);
  /// Follows the gateway to its newest block.
  [[nodiscard]] expected<block_header, refusal> catch_up(const fetch_port& gateway);

  /// What find_many() and page() ask a gateway's port, for callers that have asked already.
  [[nodiscard]] static message<schema::GetProvenRows> question(std::span<const row_key> keys);
  [[nodiscard]] static message<schema::GetProvenRows> question(byte_view prefix, byte_view after,
                                                               std::uint32_t most);

  [[nodiscard]] const chain_id& network() const { return chain_; }
  /// The highest header proven so far; nullopt before the first one. It never goes back.
  [[nodiscard]] const std::optional<block_header>& header() const { return light_.proven(); }
  [[nodiscard]] block_height height() const;
  [[nodiscard]] epoch_number epoch() const { return light_.epoch(); }
  /// From the time of the highest proven block, or of the genesis, to now.
  [[nodiscard]] std::uint64_t age_ms() const;
  /// Whether a committee was believed across an unsafe gap, which the person has to be told.
  [[nodiscard]] bool crossed_gap() const { return crossed_gap_; }

 private:
  verified_ledger(kept_trust trust, clock now_ms, client_options options);
  [[nodiscard]] std::uint64_t since_ms() const;
  [[nodiscard]] expected<answered_rows, refusal> ask(const fetch_port& gateway,
                                                     const message<schema::GetProvenRows>& asked);
  /// Whether the block that a person knows is still to come, after what this client has proven.
  [[nodiscard]] bool awaits_known(const consensus::light_client& at) const {
    return options_.known && at.epoch() <= options_.known->epoch;
  }
  [[nodiscard]] expected<void, refusal> cross_gap(std::uint64_t since_ms);
  [[nodiscard]] expected<void, refusal> take_end(consensus::light_client& at,
                                                 const epoch_proof& proof);
  [[nodiscard]] expected<void, refusal> believe(const fetch_port& gateway,
                                                const answered_rows& answer);
  [[nodiscard]] expected<void, refusal> follow_epochs(const fetch_port& gateway,
                                                      epoch_number until);
  [[nodiscard]] expected<void, refusal> check_fresh(const block_header& header) const;

  chain_id chain_;
  std::uint64_t trust_period_ms_;
  std::uint64_t first_since_ms_;  // the time of what was trusted first
  clock now_ms_;
  client_options options_;
  consensus::light_client light_;
  bool crossed_gap_ = false;
};

}  // namespace soma::gateway_client
