// Which votes of peers a core looks at, counts and reports, and which it shows to others.
#include <doctest/doctest.h>

#include "tests/actors/consensus/lone_core.hpp"

namespace soma::consensus::testing {

// By R5 a vote is looked at if its view is at most 64 above the present one.
TEST_CASE("votes far ahead and votes of views that are over cost no signature") {
  lone_core one;
  (void)one.start();
  (void)one.connect(1, 1);
  (void)one.skip({1});
  const auto cost_of = [&](std::uint64_t view) {
    const auto before = one.checker.checks;
    (void)one.hear(1, peer::vote{one.vote_of(1, vote_kind::skip, {view})});
    return one.checker.checks - before;
  };
  CHECK(cost_of(0) == 0);  // the view of the base
  CHECK(cost_of(2 + 64) == 1);
  CHECK(cost_of(2 + 65) == 0);
  (void)one.skip({2});
  CHECK(cost_of(2 + 65) == 1);
}

// By R5 a vote is looked at only if it is of use.
TEST_CASE("a vote that was counted, or that comes when its view is settled, costs no signature") {
  lone_core one(6);
  (void)one.start();
  (void)one.connect(1, 1);
  const auto cost_of = [&](const member_vote& vote) {
    const auto before = one.checker.checks;
    (void)one.hear(1, peer::vote{vote});
    return one.checker.checks - before;
  };
  const auto block = block_number(1);
  CHECK(cost_of(one.vote_of(4, vote_kind::notarize, {1}, block)) == 1);
  CHECK(cost_of(one.vote_of(4, vote_kind::notarize, {1}, block)) == 0);
  for (const std::uint64_t view : {1, 2}) {
    const auto id = block_number(view);
    (void)one.hear(1, peer::certified{one.certified(vote_kind::notarize, {view}, id)});
  }
  REQUIRE(one.core().view() == view_number{3});
  // The block of view 2 may be the next parent, whose signers are paid. That of view 1 may not.
  CHECK(cost_of(one.vote_of(5, vote_kind::notarize, {2}, block_number(2))) == 1);
  CHECK(cost_of(one.vote_of(5, vote_kind::notarize, {1}, block)) == 0);
}

// By R5 a contradiction is reported once for each kind, member and view.
TEST_CASE("a member that contradicts itself again and again is reported once for each kind") {
  lone_core one;
  (void)one.start();
  (void)one.connect(1, 1);
  const auto reports = [&](vote_kind kind, view_number view, const block_id& block) {
    return count_of<report>(one.hear(1, peer::vote{one.vote_of(1, kind, view, block)}));
  };
  CHECK(reports(vote_kind::notarize, {4}, block_number(1)) == 0);
  CHECK(reports(vote_kind::notarize, {4}, block_number(2)) == 1);
  CHECK(reports(vote_kind::notarize, {4}, block_number(3)) == 0);
  CHECK(reports(vote_kind::finalize, {4}, block_number(1)) == 0);
  CHECK(reports(vote_kind::finalize, {4}, block_number(2)) == 1);
  CHECK(reports(vote_kind::skip, {4}, {}) == 1);
  CHECK(reports(vote_kind::notarize, {5}, block_number(1)) == 0);
  CHECK(reports(vote_kind::notarize, {5}, block_number(2)) == 1);
}

// By R0 a peer that connects is told the votes of its key in the last 64 views.
TEST_CASE("a peer hears the votes of its own key in 64 views, and no others") {
  lone_core one;
  (void)one.start();
  (void)one.connect(1, 1);
  for (std::uint64_t view = 1; view <= 100; ++view) {
    const auto block = block_number(view);
    for (const std::uint16_t member : {1, 2}) {
      const auto vote = one.vote_of(member, vote_kind::notarize, {view}, block);
      (void)one.hear(1, peer::vote{vote});
    }
    (void)one.hear(1, peer::certified{one.certified(vote_kind::notarize, {view}, block)});
  }
  REQUIRE(one.core().view() == view_number{101});
  const auto told = messages_in<peer::vote>(one.connect(2, 2), 2);
  REQUIRE(told.size() == 64);
  for (std::size_t i = 0; i < told.size(); ++i) {
    CHECK(told[i].signed_vote.signer == seat_index{2});
    CHECK(told[i].signed_vote.statement.view == view_number{37 + i});
  }
}

// By R8 a process skips a view as soon as the view's leader has skipped it.
TEST_CASE(
    "a view that its leader skips is skipped without a timeout, and one of a mere member not") {
  lone_core one;
  (void)one.start();
  (void)one.connect(1, 1);
  while (one.members().leader(one.core().view()) == seat_index{0}) {
    (void)one.skip(one.core().view());
  }
  const auto view = one.core().view();
  const auto leader = one.members().leader(view).value;
  const std::uint16_t member = leader == 1 ? 2 : 1;
  const auto skips = [&](std::uint16_t by) {
    return messages_in<peer::vote>(one.hear(1, peer::vote{one.vote_of(by, vote_kind::skip, view)}))
        .size();
  };
  CHECK(skips(member) == 0);
  CHECK(skips(leader) == 1);
}

}  // namespace soma::consensus::testing
