#include "actors/gateway/upload_book.hpp"

#include <doctest/doctest.h>

#include "actors/gateway_client/blob_push.hpp"
#include "messages/codec/model_entry.hpp"
#include "tests/actors/replay/honest_proposer.hpp"

using namespace soma;
using namespace soma::gateway;
using test::key_of;

namespace {

constexpr std::uint64_t soma_bytes = 1'000'000;
constexpr upload_limits limits{.bytes_per_soma = soma_bytes,
                               .most_bytes = 50 * soma_bytes,
                               .all_bytes = 100 * soma_bytes,
                               .per_account = 3,
                               .all = 5,
                               .open = 2,
                               .idle_ms = 1'000};
constexpr chain_id chain{{1}};
constexpr std::uint64_t now = 1'000'000'000;

reservation of(std::uint64_t key, std::uint8_t blob, std::uint64_t size,
               std::uint64_t expiry_ms = now + 1'000) {
  const auto text = gateway_client::make_reservation(key_of(key), chain, {{blob}}, size, expiry_ms);
  return read_reservation(text).value();
}

std::string outcome(const expected<void, upload_refusal>& of) {
  return of ? "ok" : std::string(code_of(of.error()));
}

std::string taken(upload_book& book, const reservation& one, std::uint64_t allowance,
                  std::uint64_t ms = 0) {
  const auto checked = book.check(one, allowance, ms);
  if (checked) book.take(one, ms);
  return outcome(checked);
}

}  // namespace

TEST_CASE("a reservation is read as it was signed, and every other text is refused by name") {
  const auto text = gateway_client::make_reservation(key_of(1), chain, {{7}}, 99, now);
  const auto read = read_reservation(text);
  REQUIRE(read.has_value());
  CHECK(read->chain == chain);
  CHECK(read->blob == blob_id{{7}});
  CHECK(read->size_bytes == 99);
  CHECK(read->expiry_ms == now);
  CHECK(read->account() == test::address_of(1));
  CHECK(read_reservation("0x" + text).has_value());
  const auto code = [](std::optional<std::string_view> header) {
    const auto got = read_reservation(header);
    return got ? std::string("ok") : std::string(code_of(got.error()));
  };
  CHECK(code(std::nullopt) == "no_reservation");
  CHECK(code("") == "bad_reservation");
  CHECK(code("zz") == "bad_reservation");
  CHECK(code(std::string(4'096, '0')) == "bad_reservation");
  for (std::size_t i = 0; i < text.size(); i += 2) {
    CAPTURE(i);
    CHECK(code(text.substr(0, i)) == "bad_reservation");
    auto other = text;
    other[i] = other[i] == 'f' ? '0' : 'f';
    const auto got = read_reservation(other);  // other bytes are another reservation, or none
    if (got)
      CHECK((got->by_key != read->by_key || got->key != read->key || got->chain != read->chain ||
             got->blob != read->blob || got->size_bytes != read->size_bytes ||
             got->expiry_ms != read->expiry_ms));
  }
}

TEST_CASE("a reservation is for one chain, one blob and a time that is near") {
  const auto one = of(1, 7, 10);
  const auto code = [&](const chain_id& c, const blob_id& b, std::uint64_t ms) {
    return outcome(check_terms(one, c, b, ms));
  };
  CHECK(code(chain, {{7}}, now) == "ok");
  CHECK(code({{2}}, {{7}}, now) == "other_chain");
  CHECK(code(chain, {{8}}, now) == "other_blob");
  CHECK(code(chain, {{7}}, now + 999) == "ok");
  CHECK(code(chain, {{7}}, now + 1'000) == "reservation_expired");
  CHECK(code(chain, {{7}}, UINT64_MAX) == "reservation_expired");
  CHECK(outcome(check_terms(of(1, 7, 10, now + longest_reservation_ms), chain, {{7}}, now)) ==
        "ok");
  CHECK(outcome(check_terms(of(1, 7, 10, now + longest_reservation_ms + 1), chain, {{7}}, now)) ==
        "expiry_too_far");
  CHECK(outcome(check_terms(of(1, 7, 10, UINT64_MAX), chain, {{7}}, now)) == "expiry_too_far");
}

TEST_CASE("an allowance grows with money up to the most, and never overflows") {
  const upload_book book(limits);
  CHECK(book.allowance({0}) == 0);
  CHECK(book.allowance({shannons_per_soma / 2}) == soma_bytes / 2);
  CHECK(book.allowance({shannons_per_soma}) == soma_bytes);
  CHECK(book.allowance({7 * shannons_per_soma}) == 7 * soma_bytes);
  CHECK(book.allowance({1'000 * shannons_per_soma}) == limits.most_bytes);
  CHECK(book.allowance({UINT64_MAX}) == limits.most_bytes);
  CHECK(upload_book({.bytes_per_soma = 0}).allowance({UINT64_MAX}) == 0);
  CHECK(upload_book({.bytes_per_soma = UINT64_MAX, .most_bytes = UINT64_MAX})
            .allowance({UINT64_MAX}) == UINT64_MAX);
  std::uint64_t last = 0;
  for (std::uint64_t money = 0; money < 60 * shannons_per_soma; money += 77'777'777) {
    CHECK(book.allowance({money}) >= last);
    last = book.allowance({money});
  }
}

TEST_CASE("an account gets its allowance once in 24 hours, however it cuts it") {
  upload_book book(limits);
  CHECK(taken(book, of(1, 1, 6'000), 5'000) == "blob_too_large");
  CHECK(taken(book, of(1, 1, 0), 5'000) == "blob_too_large");
  CHECK(taken(book, of(1, 1, 3'000), 5'000) == "ok");
  CHECK(taken(book, of(1, 2, 2'001), 5'000) == "allowance_used");
  CHECK(taken(book, of(1, 2, 2'000), 5'000) == "ok");
  CHECK(taken(book, of(1, 3, 1), 5'000) == "allowance_used");
  CHECK(taken(book, of(2, 3, 5'000), 5'000) == "ok");  // of another account
  CHECK(book.reserved_bytes() == 10'000);
  // It counts for a day, also if its reservation was for a second.
  CHECK(taken(book, of(1, 3, 5'000), 5'000, unnamed_kept_ms - 1) == "allowance_used");
  CHECK(taken(book, of(1, 3, 5'000), 5'000, unnamed_kept_ms + 1'000) == "ok");
  CHECK(book.reserved_bytes() == 5'000);
}

TEST_CASE("a reservation that is replayed counts once, and so does the same blob") {
  upload_book book(limits);
  const auto one = of(1, 1, 4'000);
  CHECK_FALSE(book.has(one, 0));
  for (int i = 0; i < 100; ++i) {
    CHECK(taken(book, one, 5'000) == "ok");
    CHECK(book.has(one, 0));
    CHECK(book.size() == 1);
    CHECK(book.reserved_bytes() == 4'000);
  }
  CHECK(taken(book, of(1, 1, 4'500, now + 2'000), 5'000) == "ok");
  CHECK(book.size() == 1);
  CHECK(book.reserved_bytes() == 4'500);
  CHECK_FALSE(book.has(one, 0));
  auto forged = of(1, 1, 4'500, now + 2'000);
  forged.by_key[5] ^= 1;
  CHECK_FALSE(book.has(forged, 0));  // so that its signature is looked at
}

TEST_CASE("the number of reservations is bounded, of an account and of all, and all bytes are") {
  upload_book book(limits);
  for (std::uint8_t i = 1; i <= 3; ++i) CHECK(taken(book, of(1, i, 1), 10) == "ok");
  CHECK(taken(book, of(1, 4, 1), 10) == "too_many_reservations");
  CHECK(taken(book, of(1, 3, 2), 10) == "ok");  // the same blob
  CHECK(taken(book, of(2, 1, 1), 10) == "ok");
  CHECK(taken(book, of(3, 1, 1), 10) == "ok");
  CHECK(taken(book, of(4, 1, 1), 10) == "uploads_full");
  CHECK(book.size() == 5);
  upload_book bytes_of_all(limits);
  const auto half = limits.all_bytes / 2;
  CHECK(taken(bytes_of_all, of(1, 1, half), UINT64_MAX) == "ok");
  CHECK(taken(bytes_of_all, of(2, 1, half), UINT64_MAX) == "ok");
  CHECK(taken(bytes_of_all, of(3, 1, 1), UINT64_MAX) == "uploads_full");
  CHECK(taken(bytes_of_all, of(3, 1, UINT64_MAX), UINT64_MAX) == "uploads_full");
}

TEST_CASE("uploads that rest make room, and those that go on do not") {
  upload_book book(limits);
  CHECK(book.open({{1}}, 0));
  CHECK(book.open({{2}}, 0));
  CHECK_FALSE(book.open({{3}}, 100));
  CHECK(book.open({{1}}, 900));  // it goes on
  CHECK(book.open({{3}}, 1'500));
  CHECK_FALSE(book.open({{2}}, 1'500));
  book.close({{3}});
  CHECK(book.open({{2}}, 1'500));
}

TEST_CASE("every refusal has a name, a sentence and a status of its kind") {
  for (int i = 1; i <= static_cast<int>(upload_refusal::bad_signature); ++i) {
    const auto reason = static_cast<upload_refusal>(i);
    CHECK(to_text(reason) != "unknown");
    CHECK(code_of(reason) != "refused");
    CHECK(status_of(reason) >= 400);
  }
  CHECK(status_of(upload_refusal::none_given) == 401);
  CHECK(status_of(upload_refusal::no_account) == 403);
  CHECK(status_of(upload_refusal::too_large) == 413);
  CHECK(status_of(upload_refusal::allowance_used) == 429);
}
