// What a core does with the certificates that it is shown.
#include <doctest/doctest.h>

#include <map>

#include "tests/actors/consensus/lone_core.hpp"

namespace soma::consensus::testing {

// By R6 a certificate opens the view after its own, however far that is.
TEST_CASE("a certificate of a view far ahead opens the next view, and a false one does not") {
  lone_core one;
  (void)one.start();
  (void)one.connect(1, 1);
  auto far = one.certified(vote_kind::skip, {100'000});
  auto forged = far;
  forged.signatures.back()[5] ^= 1;
  CHECK(count_of<blame>(one.hear(1, peer::certified{forged})) == 1);
  CHECK(one.core().view() == view_number{1});
  (void)one.hear(1, peer::certified{far});
  CHECK(one.core().view() == view_number{100'001});
  REQUIRE(one.core().held({100'000}, vote_kind::skip) != nullptr);
  // An older certificate is kept, too, and does not lead back.
  (void)one.skip({7});
  CHECK(one.core().held({7}, vote_kind::skip) != nullptr);
  CHECK(one.core().view() == view_number{100'001});
}

namespace {

/// The members, by seat, to which the effects send a certificate.
std::vector<std::size_t> told_in(const effects& all, std::size_t members) {
  std::vector<std::size_t> found;
  for (std::size_t peer = 1; peer < members; ++peer) {
    const auto to = static_cast<peer_number>(peer);
    if (!messages_in<peer::certified>(all, to).empty()) found.push_back(peer);
  }
  return found;
}

}  // namespace

// By R6 a certificate is passed on to two members that have not shown it, to others in each view.
TEST_CASE("a certificate goes to two members, and over the views to all of them equally often") {
  constexpr std::size_t members = 8;
  lone_core one(members);
  (void)one.start();
  for (std::uint16_t peer = 1; peer < members; ++peer) (void)one.connect(peer, peer);
  std::map<std::size_t, std::size_t> times;
  for (std::uint64_t view = 1; view < members; ++view) {
    CAPTURE(view);
    effects all;
    for (std::uint16_t member = 1; member < members; ++member) {
      const auto vote = one.vote_of(member, vote_kind::skip, {view});
      for (auto& effect : one.hear(member, peer::vote{vote})) all.push_back(std::move(effect));
    }
    const auto told = told_in(all, members);
    CHECK(told.size() == 2);
    for (const auto member : told) ++times[member];
  }
  CHECK(times.size() == members - 1);
  for (const auto& [member, count] : times) {
    CAPTURE(member);
    CHECK(count == 2);
  }
}

// By R6 one certificate of each kind is kept, and it does not go back to the peer that has shown
// it. A peer without a seat may hear few members, so it gets every certificate.
TEST_CASE("a certificate is passed on once, and to every peer without a seat") {
  lone_core one;
  (void)one.start();
  for (std::uint16_t peer = 1; peer <= 3; ++peer) (void)one.connect(peer, peer);
  constexpr peer_number without_seat = 9;
  public_key unknown{};
  unknown[0] = 7;
  (void)one.step(peer_connected{without_seat, unknown});
  const auto first = one.certified(vote_kind::skip, {1});
  for (const peer_number shows : {2u, 3u}) {
    const auto heard = one.hear(shows, peer::certified{first});
    CAPTURE(shows);
    CHECK(told_in(heard, 4) ==
          (shows == 2 ? std::vector<std::size_t>{1, 3} : std::vector<std::size_t>{}));
    CHECK(messages_in<peer::certified>(heard, without_seat).size() == (shows == 2 ? 1 : 0));
  }
  // The same statement with the votes of another quorum is nothing new.
  auto second = first;
  second.signers = {};
  second.signatures.clear();
  for (const std::uint16_t seat : {0, 1, 2}) {
    second.signers.add({seat});
    second.signatures.push_back(one.vote_of(seat, vote_kind::skip, {1}).by_signer);
  }
  CHECK(messages_in<peer::certified>(one.hear(3, peer::certified{second})).empty());
  REQUIRE(one.core().held({1}, vote_kind::skip) != nullptr);
  CHECK(*one.core().held({1}, vote_kind::skip) == first);
}

// By R6 a signature that was counted as a vote is not verified again.
TEST_CASE("a certificate costs the signatures that were not counted as votes") {
  lone_core one;
  (void)one.start();
  (void)one.connect(1, 1);
  (void)one.hear(1, peer::vote{one.vote_of(1, vote_kind::skip, {9})});
  (void)one.hear(1, peer::vote{one.vote_of(2, vote_kind::skip, {9})});
  const auto before = one.checker.checks;
  REQUIRE(before == 2);
  (void)one.skip({9});
  CHECK(one.checker.checks == before + 1);
  // A certificate that is held already costs nothing.
  (void)one.skip({9});
  CHECK(one.checker.checks == before + 1);
}

// By R5 and R6 the votes of a quorum become a certificate, and those of less power do not.
TEST_CASE("the last vote of a quorum makes the certificate") {
  lone_core one;
  (void)one.start();
  (void)one.connect(1, 1);
  (void)one.connect(2, 2);
  const auto certified = [&](std::uint16_t member) {
    const auto heard =
        one.hear(1, peer::vote{one.vote_of(member, vote_kind::finalize, {9}, block_number(1))});
    return messages_in<peer::certified>(heard, 2);
  };
  CHECK(certified(1).empty());
  CHECK(certified(2).empty());
  const auto made = certified(3);
  REQUIRE(made.size() == 1);
  CHECK(made.front().certificate.signers.count() == 3);
  CHECK(one.core().view() == view_number{10});
}

}  // namespace soma::consensus::testing
