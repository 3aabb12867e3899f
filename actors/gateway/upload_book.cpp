#include "actors/gateway/upload_book.hpp"

#include <algorithm>

#include "messages/codec/model_entry.hpp"
#include "messages/crypto/ed25519.hpp"
#include "messages/values/assert.hpp"

namespace soma::gateway {
namespace {

/// The book is looked through for what is over so often.
constexpr std::uint64_t look_ms = 1'000;

bool is_same(const reservation& a, const reservation& b) {
  return a.chain == b.chain && a.blob == b.blob && a.size_bytes == b.size_bytes &&
         a.expiry_ms == b.expiry_ms && a.key == b.key && a.by_key == b.by_key;
}

}  // namespace

address reservation::account() const {
  return crypto::address_of(key);
}

std::string_view to_text(upload_refusal reason) {
  switch (reason) {
    case upload_refusal::none_given:
      return "an upload needs a reservation that an account has signed, in Soma-Reservation";
    case upload_refusal::malformed:
      return "the header Soma-Reservation is not an UploadReservation in hex";
    case upload_refusal::other_chain:
      return "the reservation is for another network";
    case upload_refusal::other_blob:
      return "the reservation is for another blob, or for another size";
    case upload_refusal::expired:
      return "the reservation has expired; sign a new one";
    case upload_refusal::expiry_too_far:
      return "a reservation ends at most 24 hours ahead";
    case upload_refusal::no_account:
      return "the ledger has no account of the key that reserves";
    case upload_refusal::too_large:
      return "the blob is larger than what an account with this balance and stake may upload";
    case upload_refusal::allowance_used:
      return "the account has uploaded as much as it may in 24 hours; its allowance grows with its "
             "balance and stake";
    case upload_refusal::too_many:
      return "the account has as many reservations as it may";
    case upload_refusal::full:
      return "this gateway takes no more uploads now; ask again later, or ask another gateway";
    case upload_refusal::bad_signature:
      return "the signature of the reservation is wrong";
  }
  return "unknown";
}

std::string_view code_of(upload_refusal reason) {
  switch (reason) {
    case upload_refusal::none_given:
      return "no_reservation";
    case upload_refusal::malformed:
      return "bad_reservation";
    case upload_refusal::other_chain:
      return "other_chain";
    case upload_refusal::other_blob:
      return "other_blob";
    case upload_refusal::expired:
      return "reservation_expired";
    case upload_refusal::expiry_too_far:
      return "expiry_too_far";
    case upload_refusal::no_account:
      return "no_account";
    case upload_refusal::too_large:
      return "blob_too_large";
    case upload_refusal::allowance_used:
      return "allowance_used";
    case upload_refusal::too_many:
      return "too_many_reservations";
    case upload_refusal::full:
      return "uploads_full";
    case upload_refusal::bad_signature:
      return "bad_signature";
  }
  return "refused";
}

unsigned status_of(upload_refusal reason) {
  switch (reason) {
    case upload_refusal::none_given:
    case upload_refusal::bad_signature:
      return 401;
    case upload_refusal::malformed:
      return 400;
    case upload_refusal::too_large:
      return 413;
    case upload_refusal::allowance_used:
    case upload_refusal::too_many:
      return 429;
    case upload_refusal::full:
      return 503;
    default:
      return 403;
  }
}

expected<reservation, upload_refusal> read_reservation(std::optional<std::string_view> header) {
  if (!header) return make_unexpected(upload_refusal::none_given);
  // 0x may stand before the digits.
  if (header->size() > 2 * max_reservation_bytes + 2) {
    return make_unexpected(upload_refusal::malformed);
  }
  const auto data = from_hex(*header);
  if (!data) return make_unexpected(upload_refusal::malformed);
  const auto read = message<schema::UploadReservation>::parse(*data, max_reservation_bytes);
  if (!read) return make_unexpected(upload_refusal::malformed);
  const auto root = read->root();
  const auto chain = array_of<32>(root.getChain()), blob = array_of<32>(root.getBlob()),
             key = array_of<32>(root.getKey());
  const auto by_key = array_of<64>(root.getSignature());
  if (!chain || !blob || !key || !by_key) return make_unexpected(upload_refusal::malformed);
  reservation out;
  out.chain.value = *chain;
  out.blob.value = *blob;
  out.size_bytes = root.getSizeBytes();
  out.expiry_ms = root.getExpiryMs();
  out.key = *key;
  out.by_key = *by_key;
  return out;
}

expected<void, upload_refusal> check_terms(const reservation& one, const chain_id& chain,
                                           const blob_id& blob, std::uint64_t unix_ms) {
  if (one.chain != chain) return make_unexpected(upload_refusal::other_chain);
  if (one.blob != blob) return make_unexpected(upload_refusal::other_blob);
  if (one.expiry_ms <= unix_ms) return make_unexpected(upload_refusal::expired);
  if (one.expiry_ms - unix_ms > longest_reservation_ms) {
    return make_unexpected(upload_refusal::expiry_too_far);
  }
  return {};
}

std::uint64_t upload_book::allowance(shannons money) const {
  const auto per_soma = limits_.bytes_per_soma;
  const auto whole = money.value / shannons_per_soma, rest = money.value % shannons_per_soma;
  if (per_soma == 0) return 0;
  if (whole >= limits_.most_bytes / per_soma) return limits_.most_bytes;
  // The part of a SOMA is counted in bytes for a thousandth of it, so that nothing overflows.
  const auto part = per_soma / 1'000 * (rest / (shannons_per_soma / 1'000));
  return std::min(whole * per_soma + part, limits_.most_bytes);
}

void upload_book::forget_old(std::uint64_t now_ms) {
  if (now_ms < looked_ms_ + look_ms) return;
  looked_ms_ = now_ms;
  for (auto& [account, all] : entries_) {
    std::erase_if(all, [&](const entry& one) {
      if (one.until_ms > now_ms) return false;
      bytes_ -= one.of.size_bytes;
      --count_;
      return true;
    });
  }
  std::erase_if(entries_, [](const auto& one) { return one.second.empty(); });
  std::erase_if(open_, [&](const auto& one) { return now_ms >= one.second + limits_.idle_ms; });
}

upload_book::entry* upload_book::find(const reservation& one) {
  const auto account = entries_.find(one.account());
  if (account == entries_.end()) return nullptr;
  const auto found =
      std::ranges::find(account->second, one.blob, [](const entry& e) { return e.of.blob; });
  return found == account->second.end() ? nullptr : &*found;
}

bool upload_book::has(const reservation& one, std::uint64_t now_ms) {
  forget_old(now_ms);
  const auto* known = find(one);
  return known != nullptr && is_same(known->of, one);
}

expected<void, upload_refusal> upload_book::check(const reservation& one,
                                                  std::uint64_t allowance_bytes,
                                                  std::uint64_t now_ms) {
  forget_old(now_ms);
  if (one.size_bytes == 0 || one.size_bytes > allowance_bytes) {
    return make_unexpected(upload_refusal::too_large);
  }
  const auto* known = find(one);
  const auto counted = known == nullptr ? 0 : known->of.size_bytes;
  std::uint64_t used = 0;
  std::size_t number = 0;
  if (const auto account = entries_.find(one.account()); account != entries_.end()) {
    number = account->second.size();
    for (const auto& e : account->second) used += e.of.size_bytes;
  }
  if (known == nullptr && number >= limits_.per_account) {
    return make_unexpected(upload_refusal::too_many);
  }
  if (used - counted > allowance_bytes - one.size_bytes) {
    return make_unexpected(upload_refusal::allowance_used);
  }
  const bool has_no_room =
      one.size_bytes > limits_.all_bytes || bytes_ - counted > limits_.all_bytes - one.size_bytes;
  if (has_no_room || (known == nullptr && count_ >= limits_.all)) {
    return make_unexpected(upload_refusal::full);
  }
  return {};
}

void upload_book::take(const reservation& one, std::uint64_t now_ms) {
  if (auto* known = find(one)) {
    bytes_ += one.size_bytes - known->of.size_bytes;
    *known = {one, now_ms + unnamed_kept_ms};
    return;
  }
  SOMA_ASSERT(count_ < limits_.all, "check() has let it through");
  entries_[one.account()].push_back({one, now_ms + unnamed_kept_ms});
  bytes_ += one.size_bytes;
  ++count_;
}

bool upload_book::open(const blob_id& blob, std::uint64_t now_ms) {
  forget_old(now_ms);
  if (!open_.contains(blob) && open_.size() >= limits_.open) return false;
  open_[blob] = now_ms;
  return true;
}

}  // namespace soma::gateway
