// Describes whom the audit of a submission calls, and what its sample still lacks. Protocol §8.3.5
// and §8.4.5.
#pragma once

#include "actors/explain/format.hpp"

namespace soma::explain {

/// Whom the audit of a revealed and undecided submission calls at present.
struct audit_call {
  bool is_sample = false;
  std::uint64_t called = 0;         // members that are called
  std::uint64_t draws_with_ok = 0;  // of the sample; 0 when all are called
  std::uint64_t all_from_ms = 0;    // when time alone calls all
};
[[nodiscard]] audit_call call_of(const explain_context& context, const submission_row& claim);

/// The part of a sentence about a sample, such as "its sample of 11 members settles it with 14 of
/// 16 draws of ok (9 so far), and all members are called from … on, or as soon as anybody
/// differs; then ". Empty when all are called.
[[nodiscard]] std::string format_call(const audit_call& call);
/// The same as fields.
[[nodiscard]] std::vector<field> fields_of(const audit_call& call);
/// What the votes on this submission are counted against: "6667 decide", or the draws of the sample
/// that has decided it.
[[nodiscard]] std::string format_threshold(const submission_row& claim);

}  // namespace soma::explain
