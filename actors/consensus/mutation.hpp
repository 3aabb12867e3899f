// Switches that break one rule of agreement each. Tests alone set one, to see that the checkers of
// the simulated network notice; each place in the core that looks at one names it. None in
// production.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

// clang-format off
/// name, the rule it breaks, what a core so broken does.
#define SOMA_MUTATIONS(X) \
  X(votes_not_durable, "R4", "votes are not in the record") \
  X(certificates_not_durable, "R6", "certificates are not in the record") \
  X(says_before_durable, "R4", "a vote leaves before it is durable") \
  X(counts_before_durable, "R4", "an own vote counts before it is durable") \
  X(decides_when_durable, "R4", "a decision is known only once it is durable") \
  X(says_what_failed, "R4", "a failed write counts as done") \
  X(stays_mute, "R4", "after a failed write nothing is ever signed again") \
  X(forgets_above_base, "R9", "votes of views before the present one leave the record") \
  X(finalizes_after_skip, "R7", "a view is finalized that was skipped") \
  X(skips_after_finalize, "R8", "a view is skipped that was finalized") \
  X(notarizes_twice, "R4", "every block of a view is notarized") \
  X(gap_needs_no_skips, "R4", "views between parent and block need not be skipped") \
  X(parent_needs_no_certificate, "R4", "a parent need not be notarized") \
  X(quorum_one_short, "R5", "one unit of power less is a quorum") \
  X(commits_when_notarized, "R9", "a notarized block is taken for final") \
  X(finalizes_unvoted, "R7", "finalizes what it did not notarize") \
  X(vote_signature_unchecked, "R5", "a vote may be signed by anybody") \
  X(certificate_unchecked, "R6", "signatures in certificates are not looked at") \
  X(leader_unchecked, "R3", "anybody may propose") \
  X(proposal_signature_unchecked, "R3", "a proposal may be signed by anybody") \
  X(payload_unchecked, "R3", "a payload need not be the header's") \
  X(root_unchecked, "R4", "another state root than the own one is fine") \
  X(parent_time_unchecked, "R13", "a block may be older than its parent") \
  X(future_time_accepted, "R13", "a block may be ahead of the clock by any time") \
  X(timeouts_do_not_grow, "R1", "each view waits as long as the first") \
  X(certificates_not_fetched, "R11", "missing certificates are not taken from answers") \
  X(blocks_not_fetched, "R11", "missing blocks are not taken from answers") \
  X(no_standstill, "R10", "nothing is said again when nothing becomes final") \
  X(execution_not_retried, "R4", "an execution that could not be finished is not tried again") \
  X(own_votes_not_recounted, "R0", "after a restart own votes do not count") \
  X(resumes_at_base, "R0", "after a restart the first view above the base is entered") \
  X(proposes_again, "R2", "after a restart another block is proposed in the same view") \
  X(signs_after_lost_record, "R0", "signs though its record is lost") \
  X(signs_below_record, "R0", "signs though its ledger is behind its record") \
  X(fence_ends_unasked, "R0", "a lost record is forgiven at the next epoch, whatever others say") \
  X(signs_beside_twin, "R0", "goes on though another process speaks with its key") \
  X(fence_forgotten, "R0", "a fence does not outlast a restart") \
  X(epoch_goes_on, "E2", "ordinary blocks follow the block that closes an epoch") \
  X(signs_after_epoch_end, "E3", "signs in an epoch whose end is being committed") \
  X(committee_stays, "E5", "the old committee goes on in a new epoch") \
  X(leaders_stay, "E5", "leaders of a new epoch are drawn by the old seed") \
  X(epoch_end_not_told, "E4", "who is in an older epoch gets no answer") \
  X(votes_of_any_view, "R5", "votes of views far ahead are kept") \
  X(contradictions_not_reported, "R5", "evidence is not reported")
// clang-format on

namespace soma::consensus {

enum class mutation : std::uint8_t {
  none = 0,
#define SOMA_MUTATION_NAME(name, rule, what) name,
  SOMA_MUTATIONS(SOMA_MUTATION_NAME)
#undef SOMA_MUTATION_NAME
};

struct mutation_words {
  mutation which;
  std::string_view name;
  std::string_view rule;
  std::string_view what;
};
inline constexpr auto all_mutations = std::to_array<mutation_words>({
#define SOMA_MUTATION_WORDS(name, rule, what) {mutation::name, #name, rule, what},
    SOMA_MUTATIONS(SOMA_MUTATION_WORDS)
#undef SOMA_MUTATION_WORDS
});

[[nodiscard]] constexpr std::optional<mutation> find_mutation(std::string_view name) {
  for (const auto& words : all_mutations) {
    if (words.name == name) return words.which;
  }
  return std::nullopt;
}

}  // namespace soma::consensus
