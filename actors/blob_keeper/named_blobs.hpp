// The blobs that the ledger names: weights of model versions and revealed data (security §9.4).
#pragma once

#include <compare>
#include <map>
#include <ranges>

#include "messages/values/blocks.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::blob_keeper {

/// Two rows may name one blob with two sizes, and anyone can write such a row about the blob of
/// another. So each size counts as a name of its own, and none hides another.
struct named_blob {
  blob_id blob;
  std::uint64_t size_bytes = 0;  // as the ledger says
  friend auto operator<=>(const named_blob&, const named_blob&) = default;
};
/// Whether every member needs the blob, to judge it or to score with it. Of other blobs a few
/// copies are kept.
using named_blobs = std::map<named_blob, bool>;

/// The names of one blob.
[[nodiscard]] inline auto names_of(const named_blobs& all, const blob_id& blob) {
  return std::ranges::subrange(all.lower_bound({blob, 0}), all.upper_bound({blob, UINT64_MAX}));
}

/// Data that has won stays named for so many epochs after its claim.
inline constexpr std::uint64_t data_kept_epochs = 30;
/// Weights that were replaced, or whose model has retired, stay named for so many epochs after
/// their last use.
inline constexpr std::uint64_t weights_kept_epochs = 6;

/// Every blob that the ledger names at present. It reads the tables in pieces.
[[nodiscard]] named_blobs named_in(const tables::ledger_store& ledger);
/// Adds what an event of the last block names.
void add_named(const tables::ledger_view& ledger, const event& what, named_blobs& all);

}  // namespace soma::blob_keeper
