#include "actors/rules/equivocation.hpp"

#include <algorithm>
#include <variant>

#include "actors/rules/committee.hpp"
#include "actors/rules/pools.hpp"
#include "messages/crypto/hash.hpp"
#include "messages/signing/signing.hpp"

namespace soma::rules {
namespace {

using statement = std::variant<std::monostate, block_header, vote_statement>;

statement read_statement(byte_view data) {
  if (const auto header = decode<block_header>(data)) return *header;
  if (const auto vote = decode<vote_statement>(data)) return *vote;
  return {};
}

std::optional<conflict> conflict_of_votes(const vote_statement& a, const vote_statement& b) {
  if (a.epoch != b.epoch || a.view != b.view) return std::nullopt;
  if (a.kind == b.kind) {
    if (a.kind == vote_kind::skip || a.block == b.block) return std::nullopt;
    return conflict{a.epoch, a.view,
                    static_cast<std::uint8_t>(a.kind == vote_kind::notarize ? 1 : 2)};
  }
  if (a.kind == vote_kind::notarize || b.kind == vote_kind::notarize) return std::nullopt;
  return conflict{a.epoch, a.view, 3};
}

bool is_signed(const chain_id& chain, const public_key& signer, byte_view data,
               const signature& by_signer) {
  const auto what = read_statement(data);
  if (const auto* header = std::get_if<block_header>(&what)) {
    return signing::verify_block(signer, signing::id_of(*header), by_signer);
  }
  const auto* vote = std::get_if<vote_statement>(&what);
  return vote != nullptr && signing::verify_vote(signer, chain, *vote, by_signer);
}

bool of_this_chain(const chain_id& chain, byte_view data) {
  const auto what = read_statement(data);
  if (const auto* header = std::get_if<block_header>(&what)) return header->chain == chain;
  return std::holds_alternative<vote_statement>(what);  // a vote's signature covers the chain
}

/// One name for all that a validator signed in an epoch, so that it is punished once for it: who
/// runs two machines by mistake signs conflicting votes by the hundred.
hash256 evidence_of(const address& offender, epoch_number epoch) {
  return crypto::tagged_hash("soma.evidence").add(offender.view()).add_u64(epoch.value).finish();
}

struct slash_result {
  shannons taken;
  shannons to_reporter;
};

/// Slashes the validator's pool and burns what that takes, but for the reporter's tenth.
slash_result slash_validator(block_run& run, const address& offender, const address& reporter,
                             epoch_number when) {
  const pool_owner pool{offender};
  auto slashed = slash_pool(run, pool, run.parameters.equivocation_slash_bps, when);
  const shannons taken = slashed.sum();
  const shannons reward{std::min(taken.value / 10, most_for_reporter.value)};
  move_slashed(run, pool, slashed, balance_of(reporter), reward);
  move_slashed(run, pool, slashed, of(pot::burned), slashed.sum());
  return {taken, reward};
}

void exclude(block_run& run, const address& offender) {
  run.state.validators.update(offender, [&](validator_row& v) {
    v.wants_seat = false;
    v.rejoin_from = run.epoch().next();
  });
}

}  // namespace

std::optional<conflict> conflict_of(byte_view first, byte_view second) {
  const auto a = read_statement(first);
  const auto b = read_statement(second);
  if (const auto* x = std::get_if<vote_statement>(&a)) {
    const auto* y = std::get_if<vote_statement>(&b);
    return y != nullptr ? conflict_of_votes(*x, *y) : std::nullopt;
  }
  const auto* x = std::get_if<block_header>(&a);
  const auto* y = std::get_if<block_header>(&b);
  if (x == nullptr || y == nullptr || *x == *y) return std::nullopt;
  if (x->epoch != y->epoch || x->view != y->view) return std::nullopt;
  return conflict{x->epoch, x->view, 4};
}

refused check_report(const block_run& run, const chain_id& chain,
                     const tx::report_equivocation& what) {
  if (!of_this_chain(chain, what.first_statement) || !of_this_chain(chain, what.second_statement)) {
    return refusal::statement_unreadable;
  }
  const auto shown = conflict_of(what.first_statement, what.second_statement);
  if (!shown) return refusal::statements_do_not_conflict;
  if (!is_signed(chain, what.signer, what.first_statement, what.first_signature) ||
      !is_signed(chain, what.signer, what.second_statement, what.second_signature)) {
    return refusal::statement_signature_invalid;
  }
  const auto* holder = run.state.consensus_keys.find(what.signer);
  if (holder == nullptr) return refusal::signer_unknown;
  const address offender = holder->validator;
  const auto now = run.epoch();
  if (shown->epoch > now ||
      now.value - shown->epoch.value > run.parameters.validator_unbonding_epochs) {
    return refusal::evidence_too_old;
  }
  if (!had_seat(*holder, shown->epoch)) return refusal::signer_not_seated;
  if (run.state.evidence.find(evidence_of(offender, shown->epoch)) != nullptr) {
    return refusal::evidence_known;
  }
  return std::nullopt;
}

refused report_equivocation(block_run& run, const chain_id& chain, const address& sender,
                            const tx::report_equivocation& what) {
  if (const auto no = check_report(run, chain, what)) return no;
  const auto shown = conflict_of(what.first_statement, what.second_statement);
  const address offender = run.state.consensus_keys.get(what.signer).validator;
  const auto evidence = evidence_of(offender, shown->epoch);
  run.state.evidence.put(evidence, {run.height});
  const auto sum = slash_validator(run, offender, sender, shown->epoch);
  exclude(run, offender);
  auto& slashed = run.note(event_kind::validator_slashed);
  slashed.account = offender;
  slashed.amount = sum.taken;
  slashed.detail = shown->epoch.value;
  auto& paid = run.note(event_kind::reporter_paid);
  paid.account = sender;
  paid.other = offender;
  paid.amount = sum.to_reporter;
  return std::nullopt;
}

}  // namespace soma::rules
