#include "actors/blob_exchange/holder_survey.hpp"

#include <doctest/doctest.h>

namespace soma::test {
namespace {

constexpr public_key a{1}, b{2}, stranger{9};
const blob_id blob{{7}};

peer::have says(const blob_id& which, std::uint64_t size_bytes) {
  return {{{blob_id{{1}}, 5}, {which, size_bytes}}};
}

}  // namespace

// By security §9.6.
TEST_CASE("each member that was asked counts once, when it names the blob with its size") {
  blob_exchange::holder_survey survey(blob, 1'000, {a, b});
  CHECK_FALSE(survey.is_over());
  survey.heard(stranger, says(blob, 1'000));
  survey.heard(a, says(blob, 999));
  survey.heard(a, says(blob_id{{8}}, 1'000));
  CHECK(survey.holders().empty());
  survey.heard(a, says(blob, 1'000));
  survey.heard(a, says(blob, 1'000));
  CHECK(survey.holders() == std::set<public_key>{a});
  CHECK_FALSE(survey.is_over());
  survey.heard(b, says(blob, 1'000));
  CHECK(survey.holders() == std::set<public_key>{a, b});
  CHECK(survey.is_over());
}

TEST_CASE("a survey that asks no member is over at once") {
  CHECK(blob_exchange::holder_survey(blob, 1'000, {}).is_over());
}

}  // namespace soma::test
