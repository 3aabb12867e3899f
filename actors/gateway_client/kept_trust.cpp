#include "actors/gateway_client/kept_trust.hpp"

#include <algorithm>

#include "messages/codec/codec.hpp"
#include "messages/crypto/hash.hpp"

namespace soma::gateway_client {
namespace {

constexpr std::uint8_t format_version = 1;
constexpr std::size_t head_bytes = 1 + 32 + 8 + 8 + 8 + 1;
constexpr std::size_t max_kept_bytes = std::size_t{64} << 10;

void put(bytes& to, byte_view data) {
  to.insert(to.end(), data.begin(), data.end());
}
void put_u64(bytes& to, std::uint64_t number) {
  for (int i = 0; i < 8; ++i) to.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
}
std::uint64_t take_u64(byte_view& from) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number |= std::uint64_t{from[i]} << (8 * i);
  from = from.subspan(8);
  return number;
}

hash256 checksum_of(byte_view content) {
  return crypto::hash("soma.kept-trust", content);
}

unexpected<refusal> damaged(const char* why) {
  return make_unexpected(refusal{distrust::kept_damaged, why, std::nullopt});
}

/// The proven header and the known committee are of one chain, and fit each other: the header is of
/// the committee's epoch, or closed the epoch before.
bool fits(const kept_trust& trust) {
  if (!consensus::can_be_committee(trust.seats)) return false;
  if (!trust.proven) return trust.epoch.value == 0;
  const auto& header = *trust.proven;
  if (header.chain != trust.chain) return false;
  if ((header.flags & block_closes_epoch) != 0) {
    return header.epoch == trust.epoch || header.epoch.next() == trust.epoch;
  }
  return header.epoch == trust.epoch;
}

}  // namespace

bytes encode_kept(const kept_trust& trust) {
  bytes kept{format_version};
  put(kept, trust.chain.view());
  put_u64(kept, trust.trust_period_ms);
  put_u64(kept, trust.since_ms);
  put_u64(kept, trust.epoch.value);
  kept.push_back(trust.proven ? 1 : 0);
  if (trust.proven) put(kept, header_layout(*trust.proven));
  put(kept, encode(committee_row{trust.seats}));
  const auto checksum = checksum_of(kept);
  put(kept, checksum.view());
  return kept;
}

expected<kept_trust, refusal> decode_kept(byte_view kept, const chain_id& network) {
  if (kept.size() > max_kept_bytes || kept.size() < head_bytes + 32) {
    return damaged("it does not have a possible size");
  }
  const auto content = kept.first(kept.size() - 32);
  if (!std::ranges::equal(checksum_of(content).view(), kept.last(32))) {
    return damaged("its checksum is wrong");
  }
  if (content[0] != format_version) return damaged("another version of the program wrote it");
  kept_trust trust;
  trust.chain = *chain_id::from(content.subspan(1, 32));
  if (trust.chain != network) {
    return make_unexpected(refusal{distrust::other_network, trust.chain.text(), std::nullopt});
  }
  auto rest = content.subspan(33);
  trust.trust_period_ms = take_u64(rest);
  trust.since_ms = take_u64(rest);
  trust.epoch = {take_u64(rest)};
  const auto has_header = rest[0];
  rest = rest.subspan(1);
  if (has_header > 1) return damaged("a field is out of range");
  if (has_header == 1) {
    if (rest.size() < header_layout_bytes) return damaged("its header is cut short");
    const auto header = decode<block_header>(rest.first(header_layout_bytes));
    if (!header) return damaged("its header does not decode");
    trust.proven = *header;
    rest = rest.subspan(header_layout_bytes);
  }
  auto committee = decode<committee_row>(rest);
  if (!committee) return damaged("its committee does not decode");
  trust.seats = std::move(committee->seats);
  if (!fits(trust)) return damaged("its header and its committee do not fit");
  return trust;
}

}  // namespace soma::gateway_client
