// Whose uploads a gateway takes, and how much: reservations of accounts. What must hold:
//   - Nothing is written for somebody who has no account, and for an account never more than its
//     allowance, which grows with its money. Who has no money fills no disk.
//   - The same reservation counts once, however often it comes, and so does the same blob of the
//     same account.
//   - What was taken counts for 24 hours, the time for which a home keeps content that the ledger
//     does not name, also when the reservation ends before.
//   - What is remembered is bounded. When there is no room, nothing is taken, so that nobody can
//     force it to forget.
// All of it is in memory: a gateway that starts anew has forgotten what it took.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "messages/values/amounts.hpp"
#include "messages/values/bytes.hpp"
#include "messages/values/expected.hpp"
#include "messages/values/ids.hpp"

namespace soma::gateway {

/// An UploadReservation of public_answers.capnp, read.
struct reservation {
  chain_id chain;
  blob_id blob;
  std::uint64_t size_bytes = 0;
  std::uint64_t expiry_ms = 0;  // Unix time
  public_key key{};
  signature by_key{};

  [[nodiscard]] address account() const;
};

enum class upload_refusal : std::uint8_t {
  none_given = 1,  // there is no header
  malformed,       // the header is no reservation, or is too long
  other_chain,
  other_blob,  // the reservation is of another blob, or of another size
  expired,
  expiry_too_far,  // more than longest_reservation_ms ahead
  no_account,      // the ledger has no account of this key
  too_large,       // larger than the whole allowance of the account
  allowance_used,  // with what the account has reserved already it would be more than its allowance
  too_many,        // the account has as many reservations as it may
  full,            // the gateway has as many as it may, or as many bytes, or as many open uploads
  bad_signature,
};
[[nodiscard]] std::string_view to_text(upload_refusal reason);
/// The name for programs: "reservation_expired".
[[nodiscard]] std::string_view code_of(upload_refusal reason);
[[nodiscard]] unsigned status_of(upload_refusal reason);

inline constexpr std::size_t max_reservation_bytes = 512;  // of the message; twice that in hex
inline constexpr std::uint64_t longest_reservation_ms = 24 * 3'600'000;
inline constexpr std::uint64_t unnamed_kept_ms = 24 * 3'600'000;

/// Reads the header. Refusals: none_given and malformed.
[[nodiscard]] expected<reservation, upload_refusal> read_reservation(
    std::optional<std::string_view> header);
/// Whether it is for this chain, this blob and this time. The signature is checked later, since it
/// costs most. Refusals: other_chain, other_blob, expired and expiry_too_far.
[[nodiscard]] expected<void, upload_refusal> check_terms(const reservation& one,
                                                         const chain_id& chain, const blob_id& blob,
                                                         std::uint64_t unix_ms);

struct upload_limits {
  std::uint64_t bytes_per_soma = std::uint64_t{64}
                                 << 20U;                // of balance and own stake; 0: no uploads
  std::uint64_t most_bytes = std::uint64_t{16} << 30U;  // of one account, however rich
  std::uint64_t all_bytes = std::uint64_t{32} << 30U;   // of all accounts
  std::size_t per_account = 16;                         // reservations
  std::size_t all = 4'096;                              // reservations
  std::size_t open = 32;                                // uploads under way
  std::uint64_t idle_ms = 60'000;  // an upload that rests so long is not under way
};

class upload_book {
 public:
  explicit upload_book(upload_limits limits) : limits_(limits) {}

  /// What an account with this money may have uploaded in 24 hours.
  [[nodiscard]] std::uint64_t allowance(shannons money) const;
  /// Whether this reservation was taken, and its blob still counts. It need not be checked again.
  [[nodiscard]] bool has(const reservation& one, std::uint64_t now_ms);
  /// Whether it may be taken. Refusals: too_large, allowance_used, too_many and full.
  [[nodiscard]] expected<void, upload_refusal> check(const reservation& one,
                                                     std::uint64_t allowance_bytes,
                                                     std::uint64_t now_ms);
  /// Takes a reservation that check() has let through and whose signature is good.
  void take(const reservation& one, std::uint64_t now_ms);

  /// Notes that somebody goes on with an upload. False when as many others are under way as may.
  [[nodiscard]] bool open(const blob_id& blob, std::uint64_t now_ms);
  void close(const blob_id& blob) { open_.erase(blob); }

  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] std::uint64_t reserved_bytes() const { return bytes_; }

 private:
  struct entry {
    reservation of;
    std::uint64_t until_ms = 0;  // it counts so long
  };
  void forget_old(std::uint64_t now_ms);
  [[nodiscard]] entry* find(const reservation& one);

  upload_limits limits_;
  std::map<address, std::vector<entry>> entries_;
  std::size_t count_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t looked_ms_ = 0;            // when the old ones were forgotten last
  std::map<blob_id, std::uint64_t> open_;  // and when they were gone on with last
};

}  // namespace soma::gateway
