#include "actors/gateway_client/kept_trust.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "messages/crypto/hash.hpp"

using namespace soma;
using namespace soma::gateway_client;

namespace {

constexpr chain_id here{{1}};

kept_trust some_trust() {
  kept_trust trust;
  trust.chain = here;
  trust.trust_period_ms = 120'000;
  trust.since_ms = 77;
  trust.epoch = {5};
  for (std::uint8_t i = 0; i < 4; ++i) {
    committee_seat seat;
    seat.member.value.fill(i);
    seat.consensus_key.fill(i);
    seat.power = {2'500};
    trust.seats.push_back(seat);
  }
  block_header header;
  header.chain = here;
  header.epoch = {5};
  header.height = {99};
  trust.proven = header;
  return trust;
}

std::optional<distrust> refusal_of(byte_view kept) {
  const auto read = decode_kept(kept, here);
  return read ? std::nullopt : std::optional(read.error().reason);
}

/// The bytes of a trust that does not fit together, with a right checksum.
std::optional<distrust> refusal_of(const std::function<void(kept_trust&)>& change) {
  auto trust = some_trust();
  change(trust);
  return refusal_of(encode_kept(trust));
}

}  // namespace

TEST_CASE("what was kept is read again") {
  auto trust = some_trust();
  CHECK(decode_kept(encode_kept(trust), here) == trust);
  trust.proven->flags = block_closes_epoch;
  trust.proven->epoch = {4};
  CHECK(decode_kept(encode_kept(trust), here) == trust);
  trust.proven.reset();
  trust.epoch = {};
  CHECK(decode_kept(encode_kept(trust), here) == trust);
}

TEST_CASE("kept bytes that are damaged anywhere or cut anywhere are refused") {
  const auto whole = encode_kept(some_trust());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    auto damaged = whole;
    damaged[i] ^= static_cast<std::uint8_t>(1U << i % 8);
    CHECK(refusal_of(damaged) == distrust::kept_damaged);
    CHECK(refusal_of(byte_view(whole).first(i)) == distrust::kept_damaged);
  }
  auto longer = whole;
  longer.push_back(0);
  CHECK(refusal_of(longer) == distrust::kept_damaged);
  CHECK(refusal_of(bytes((64 << 10) + 1)) == distrust::kept_damaged);
}

TEST_CASE("whole bytes of another network, or whose parts do not fit, are refused by name") {
  CHECK(refusal_of([](kept_trust&) {}) == std::nullopt);
  CHECK(refusal_of([](kept_trust& t) { t.chain = chain_id{{2}}; }) == distrust::other_network);
  for (const auto& change : std::vector<std::function<void(kept_trust&)>>{
           [](kept_trust& t) { t.seats.clear(); }, [](kept_trust& t) { t.seats[0].power = {}; },
           [](kept_trust& t) { t.seats[0].power = {2'501}; },
           [](kept_trust& t) { t.proven.reset(); },
           [](kept_trust& t) { t.proven->chain = chain_id{{2}}; },
           [](kept_trust& t) { t.proven->epoch = {4}; },
           [](kept_trust& t) { t.proven->flags = block_closes_epoch, t.proven->epoch = {3}; }}) {
    CHECK(refusal_of(change) == distrust::kept_damaged);
  }
  // Another version, and a number that is no boolean.
  for (const std::size_t at : {0, 57}) {
    auto changed = encode_kept(some_trust());
    changed.resize(changed.size() - 32);
    changed[at] = 2;
    const auto checksum = crypto::hash("soma.kept-trust", changed);
    changed.insert(changed.end(), checksum.value.begin(), checksum.value.end());
    CHECK(refusal_of(changed) == distrust::kept_damaged);
  }
}
