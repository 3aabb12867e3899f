// Which members keep a copy of a blob that not all of them need (security §9.4). Rendezvous
// hashing: each member has a weight for each blob, and the members with the largest weights keep
// it. So when a member leaves, only the blobs that it kept get a new keeper, and the new keepers
// are spread over all others.
#pragma once

#include <span>
#include <vector>

#include "messages/values/ids.hpp"

namespace soma::blob_exchange {

/// So many members keep a copy. All do, if there are fewer of them.
inline constexpr std::size_t copies_kept = 3;

/// The keys of the members that keep the blob, by weight H("soma.blob-keeper", blob, key), the
/// largest first. The order of `members` does not matter.
[[nodiscard]] std::vector<public_key> keepers_of(const blob_id& blob,
                                                 std::span<const public_key> members,
                                                 std::size_t copies = copies_kept);
/// Whether `own` is one of keepers_of.
[[nodiscard]] bool keeps(const public_key& own, const blob_id& blob,
                         std::span<const public_key> members, std::size_t copies = copies_kept);

}  // namespace soma::blob_exchange
