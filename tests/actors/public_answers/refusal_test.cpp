#include "actors/public_answers/refusal.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace soma;
using namespace soma::public_answers;

TEST_CASE("every refusal has a text of its own, and its number in the schema") {
  std::vector<std::string_view> seen;
  for (std::uint8_t i = 1; i <= static_cast<std::uint8_t>(ledger_refusal::ambiguous); ++i) {
    const auto reason = static_cast<ledger_refusal>(i);
    seen.push_back(to_text(reason));
    CHECK(std::ranges::count(seen, seen.back()) == 1);
    CHECK(seen.back() != "unknown");
    const auto answer = refused<schema::EventPage>(reason);
    REQUIRE(answer.root().getRefusal().isLedger());
    CHECK(refusal_of_schema<ledger_refusal>(answer.root().getRefusal().getLedger()) == reason);
    CHECK(why_of(answer.root().getRefusal()) == seen.back());
  }
  CHECK(schema_refusal<schema::LedgerRefusal>(ledger_refusal::bad_key) ==
        schema::LedgerRefusal::BAD_KEY);
  CHECK(schema_refusal<schema::LedgerRefusal>(ledger_refusal::ambiguous) ==
        schema::LedgerRefusal::AMBIGUOUS);
  CHECK(
      why_of(refused<schema::EventPage>(ledger_refusal::ambiguous, "a or b").root().getRefusal()) ==
      "a or b");
}
