// The consensus core. agreement.hpp defines its events and effects, and simplex*.cpp take its
// decisions. CONSENSUS.md states the rules, R0-R13 and E1-E5. In short:
//   - Views follow each other. Each view has one leader, which may propose one block on the highest
//     notarized parent if every view between is certified as skipped.
//   - A member votes to notarize one block in a view, after executing it. A quorum of such votes
//     opens the next view. When the timer of a view fires, members vote to skip the view.
//   - A member votes to finalize a block that it notarized, once a quorum has notarized it, unless
//     the member has skipped the view. The same member never skips and finalizes a view. A quorum
//     of finalize votes makes the block and its ancestors final.
//   - Only fillers follow an epoch's closing block until it is final.
#pragma once

#include <memory>

#include "actors/consensus/agreement.hpp"
#include "actors/consensus/signing.hpp"

namespace soma::consensus {

struct simplex_options {
  std::uint64_t view_timeout_ms = 1'500;          // T0: the timeout after a final block
  std::uint64_t max_view_timeout_ms = 60'000;     // TMAX: the timeout grows by half per view to it
  std::uint64_t standstill_ms = 5'000;            // doubles with each standstill message
  std::uint64_t max_standstill_ms = 30'000;       // up to this
  std::uint64_t fetch_retry_ms = 250;             // between two requests for missing data
  std::uint64_t drift_ms = 2'000;                 // how far a block may be ahead of the own clock
  std::uint64_t block_interval_ms = 100;          // the least time between a block and its parent
  std::uint64_t idle_ms = 1'000;                  // before an empty block is proposed; below T0
  std::uint64_t listen_ms = 3'000;                // between a restart and the first signature
  std::uint64_t egress_bytes_per_s = 256 * 1024;  // limit for all standstill messages together
  std::uint64_t seed = 0;                         // draws the peer that is asked for data
  /// Whether it signs nothing more in an epoch in which another process signs with its key (R0).
  /// Every validator does so; a simulated adversary runs one key twice on purpose.
  bool yields_to_twin = true;
};

/// The state of the voting record when it was opened.
enum class record_state : std::uint8_t {
  fresh,   // the record was created with the key, and the key has never voted
  intact,  // the record is as it was left
  /// The record is lost or damaged, so the key may have voted. It is fenced until an epoch begins
  /// that surely had not begun when it voted (R0).
  missing,
};

/// What a validator's key has signed, as far as the record knows it.
struct recalled {
  record_state state = record_state::fresh;
  voting_record record;
};

class simplex {
 public:
  /// A core whose key has no seat in the committee follows: it neither votes nor proposes. The
  /// ports must outlive the core.
  simplex(const chain_position& base, recalled past, ports access, simplex_options options = {});
  ~simplex();
  simplex(simplex&&) noexcept;

  /// Takes one event and returns its effects. `now_ms` is the Unix time of this machine; a clock
  /// that jumps can delay blocks but cannot break safety.
  [[nodiscard]] std::vector<effect> step(const event& e, std::uint64_t now_ms);

  // For status answers, tests and checkers.
  [[nodiscard]] epoch_number epoch() const;
  [[nodiscard]] view_number view() const;
  [[nodiscard]] const chain_position& base() const;
  [[nodiscard]] const committee& members() const;
  [[nodiscard]] signing_state signing() const;
  [[nodiscard]] bool may_sign() const;
  [[nodiscard]] bool fenced() const;
  [[nodiscard]] bool mute() const;
  [[nodiscard]] bool alarmed() const;
  /// An estimate of the memory for everything that peers can make the core hold.
  [[nodiscard]] std::size_t held_bytes() const;
  [[nodiscard]] std::size_t unfinalized_blocks() const;
  /// The certificate of this kind for a view above the base; null when the core holds none.
  [[nodiscard]] const certificate* held(view_number view, vote_kind kind) const;

 private:
  struct core;
  std::unique_ptr<core> core_;
};

}  // namespace soma::consensus
