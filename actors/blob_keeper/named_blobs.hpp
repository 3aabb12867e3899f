// The blobs that the ledger names: weights of model versions and revealed data (security §9.4).
#pragma once

#include <map>

#include "messages/values/blocks.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::blob_keeper {

struct named_blob {
  std::uint64_t size_bytes = 0;  // as the ledger says
  /// Every member needs it, to judge it or to score with it. Of other blobs a few copies are kept.
  bool is_for_all = false;
  friend bool operator==(const named_blob&, const named_blob&) = default;
};
using named_blobs = std::map<blob_id, named_blob>;

/// Data that has won stays named for so many epochs after its claim.
inline constexpr std::uint64_t data_kept_epochs = 30;

/// Every blob that the ledger names at present. It reads three tables, in pieces.
[[nodiscard]] named_blobs named_in(const tables::ledger_store& ledger);
/// Adds what an event of the last block names.
void add_named(const tables::ledger_view& ledger, const event& what, named_blobs& all);

}  // namespace soma::blob_keeper
