// Why a question about the ledger has no answer.
#pragma once

#include <string_view>

#include "messages/wire/refusals.hpp"
#include "messages/wire/role_messages.hpp"

namespace soma::public_answers {

/// In the order of schema::LedgerRefusal, where each is described.
enum class ledger_refusal : std::uint8_t {
  bad_key = 1,
  too_many,
  too_few,
  bad_filter,
  no_block_yet,
  not_final_yet,
  not_kept,
  not_there_yet,
  not_provable,
  bad_name,
  unknown,
  ambiguous,
};
[[nodiscard]] std::string_view to_text(ledger_refusal reason);

/// The answer of type Answer that says nothing but why there is none.
template <class Answer>
[[nodiscard]] message<Answer> refused(ledger_refusal reason, std::string_view why = {}) {
  return message<Answer>::build([&](auto out) {
    auto refusal = out.initRefusal();
    refusal.setLedger(schema_refusal<schema::LedgerRefusal>(reason));
    refusal.setWhy(bounded_why(why.empty() ? to_text(reason) : why));
  });
}

}  // namespace soma::public_answers
