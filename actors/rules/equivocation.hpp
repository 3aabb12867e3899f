// Two statements of one consensus key that exclude each other; any account may report them.
// Protocol §5.9.
#pragma once

#include "actors/rules/block_run.hpp"

namespace soma::rules {

/// What a pair of statements proves against the key that signed them.
struct conflict {
  epoch_number epoch;
  view_number view;
  std::uint8_t kind = 0;  // 1 two notarize, 2 two finalize, 3 skip and finalize, 4 two headers
  friend bool operator==(const conflict&, const conflict&) = default;
};

/// Two votes to notarize, or two to finalize, different blocks of one view; a vote to skip a view
/// and one to finalize in it; two headers of one view. nullopt for any other pair.
[[nodiscard]] std::optional<conflict> conflict_of(byte_view first, byte_view second);

/// The most that a report pays: enough to look for equivocations, too little to provoke them.
inline constexpr shannons most_for_reporter{100 * shannons_per_soma};

/// The checks of a report, without its effect. Protocol §5.9.
[[nodiscard]] refused check_report(const block_run& run, const chain_id& chain,
                                   const tx::report_equivocation& what);

/// Slashes equivocation_slash_bps of the validator's pool (slash_pool), once for each epoch in
/// which it equivocated. A tenth, at most most_for_reporter, goes to the sender, the rest is
/// burned. The validator has no seat from the next epoch on. Valid for statements of an epoch in
/// which the key had a seat, as long as the stake of that time can still be slashed. Protocol
/// §5.10.
[[nodiscard]] refused report_equivocation(block_run& run, const chain_id& chain,
                                          const address& sender,
                                          const tx::report_equivocation& what);

}  // namespace soma::rules
