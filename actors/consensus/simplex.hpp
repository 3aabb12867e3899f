// The agreement core. Decisions in simplex*.cpp; what it is told and what it wants: agreement.hpp.
// The rules stand in CONSENSUS.md, R0-R13 and E1-E5; in short:
//   - Views follow each other; each has one leader, who may propose one block on the highest
//     notarized parent if every view between is certified as skipped.
//   - A member notarizes one block a view, after executing it; a quorum of such votes opens the
//     next view. A view whose timer ends is skipped.
//   - A member votes to finalize a block that it notarized, once a quorum notarized it, too, unless
//     the member has skipped the view. A view is never skipped and finalized by the same member. A
//     quorum of finalize votes makes the block and its ancestors final.
//   - An epoch's closing block is followed by fillers only, until it is final.
#pragma once

#include <memory>

#include "actors/consensus/agreement.hpp"
#include "actors/consensus/signing.hpp"

namespace soma::consensus {

struct simplex_options {
  std::uint64_t view_timeout_ms = 1'500;       // T0
  std::uint64_t max_view_timeout_ms = 60'000;  // TMAX; grows by half from T0
  std::uint64_t standstill_ms = 5'000;         // doubles
  std::uint64_t max_standstill_ms = 30'000;
  std::uint64_t fetch_retry_ms = 250;
  std::uint64_t drift_ms = 2'000;                 // a block's time may be ahead of the own clock
  std::uint64_t block_interval_ms = 100;          // between a block and its parent, at least
  std::uint64_t idle_ms = 1'000;                  // then an empty block is proposed; below T0
  std::uint64_t listen_ms = 3'000;                // after a restart, before anything is signed
  std::uint64_t egress_bytes_per_s = 256 * 1024;  // of standstill messages
  std::uint64_t seed = 0;                         // which peer is asked
  /// Whether it signs nothing more in an epoch in which another process speaks with its key (R0).
  /// Every validator does so; a simulated adversary runs one key twice on purpose.
  bool yields_to_twin = true;
};

/// What the voting record said when it was opened.
enum class record_state : std::uint8_t {
  fresh,    // the key has never voted: created with the key
  intact,   // as it was left
  missing,  // or damaged: the key may have voted; it is fenced until an epoch begins that surely
            // had not begun when it voted (R0)
};

/// The past of a validator's key.
struct recalled {
  record_state state = record_state::fresh;
  voting_record record;
};

class simplex {
 public:
  /// Without its key in the committee it follows: no vote, no proposal. The ports outlive it.
  simplex(const chain_position& base, recalled past, ports access, simplex_options options = {});
  ~simplex();
  simplex(simplex&&) noexcept;

  /// `now_ms` is the Unix time here; a clock that jumps costs time, never safety.
  [[nodiscard]] std::vector<effect> step(const event& e, std::uint64_t now_ms);

  // For status, tests and checkers.
  [[nodiscard]] epoch_number epoch() const;
  [[nodiscard]] std::uint64_t view() const;
  [[nodiscard]] const chain_position& base() const;
  [[nodiscard]] const committee& members() const;
  [[nodiscard]] signing_state signing() const;
  [[nodiscard]] bool may_sign() const;
  [[nodiscard]] bool fenced() const;
  [[nodiscard]] bool mute() const;
  [[nodiscard]] bool alarmed() const;
  [[nodiscard]] std::size_t held_bytes() const;  // estimate of all that peers can make it hold
  [[nodiscard]] std::size_t unfinalized_blocks() const;
  /// Held certificates above the base.
  [[nodiscard]] const certificate* held(std::uint64_t view, vote_kind kind) const;

 private:
  struct core;
  std::unique_ptr<core> core_;
};

}  // namespace soma::consensus
