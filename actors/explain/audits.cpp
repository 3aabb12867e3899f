#include "actors/explain/audits.hpp"

#include <algorithm>

#include "actors/rules/arithmetic.hpp"
#include "actors/rules/audit.hpp"
#include "actors/rules/claims.hpp"

namespace soma::explain {

audit_call call_of(const explain_context& context, const submission_row& claim) {
  const auto committee = present_committee(context);
  audit_call call;
  call.called = committee.seats.size();
  call.all_from_ms = claim.revealed_ms + context.parameters.epoch_ms / rules::short_wait_part;
  if (rules::calls_all(context.parameters, claim, committee, context.chain)) return call;
  const auto draws = rules::draws_by_seat(claim, committee);
  call.is_sample = true;
  call.called = draws.size() - static_cast<std::uint64_t>(std::ranges::count(draws, 0u));
  call.draws_with_ok = rules::draws_with_ok(claim, committee);
  return call;
}

std::string format_call(const audit_call& call) {
  if (!call.is_sample) return {};
  return format_text("its sample of ", format_count(call.called, "member"), " settles it with ",
                     std::uint64_t{rules::settling_draws}, " of ",
                     std::uint64_t{rules::audit_draws}, " draws of ok (", call.draws_with_ok,
                     " so far), and all members are called from ", format_time(call.all_from_ms),
                     " on, in the next epoch, or as soon as anybody differs; then ");
}

std::vector<field> fields_of(const audit_call& call) {
  std::vector<field> fields{{"sample", call.is_sample}, {"called", call.called}};
  if (!call.is_sample) return fields;
  fields.push_back({"draws_with_ok", call.draws_with_ok});
  fields.push_back({"settling_draws", std::uint64_t{rules::settling_draws}});
  fields.push_back({"all_called_from_ms", call.all_from_ms});
  return fields;
}

std::string format_threshold(const submission_row& claim) {
  if (!claim.sampled) return format_text(rules::quorum_power.value, " decide");
  return format_text(std::uint64_t{rules::settling_draws}, " of the ",
                     std::uint64_t{rules::audit_draws}, " draws of its sample decide");
}

}  // namespace soma::explain
