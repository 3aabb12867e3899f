#include "actors/blob_exchange/placement.hpp"

#include <algorithm>
#include <utility>

#include "messages/crypto/hash.hpp"

namespace soma::blob_exchange {

std::vector<public_key> keepers_of(const blob_id& blob, std::span<const public_key> members,
                                   std::size_t copies) {
  std::vector<std::pair<hash256, public_key>> weighed;
  for (const auto& key : members) {
    weighed.emplace_back(
        crypto::tagged_hash("soma.blob-keeper").add(blob.view()).add(byte_view(key)).finish(), key);
  }
  const auto first = std::min(copies, weighed.size());
  std::ranges::partial_sort(weighed, weighed.begin() + static_cast<std::ptrdiff_t>(first),
                            std::ranges::greater{});
  std::vector<public_key> keepers;
  for (std::size_t i = 0; i < first; ++i) keepers.push_back(weighed[i].second);
  return keepers;
}

bool keeps(const public_key& own, const blob_id& blob, std::span<const public_key> members,
           std::size_t copies) {
  const auto keepers = keepers_of(blob, members, copies);
  return std::ranges::find(keepers, own) != keepers.end();
}

}  // namespace soma::blob_exchange
