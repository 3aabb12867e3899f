// A snapshot is a ledger at the base of an epoch. A node takes it over when it comes too late to
// execute all blocks. The serving side keeps it as chunks in a folder. The receiving side checks
// each chunk against the state root of a header that it has proven (consensus::light_client), and
// makes a ledger of all chunks. What must hold:
//   - A folder under its final name is whole: it is written under another name, synced and renamed.
//   - The receiver keeps nothing that does not belong to the ledger with that root. A receiver that
//     was killed goes on after the last chunk that it has.
//   - The ledger that the receiver makes has the root of the header, computed anew from its rows.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "actors/state_sync/snapshot_chunk.hpp"
#include "actors/state_tree/state_tree.hpp"
#include "messages/values/genesis.hpp"
#include "messages/values/votes.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::state_sync {

/// The proofs of how the earlier epochs ended, by epoch. The last two are needed, as far as there
/// are so many: the closing header of the last one has the state root of the snapshot, and the one
/// before decides which validators lead.
using epoch_ends = std::map<epoch_number, epoch_proof>;

/// The folder of the serving side. `<folder>/<height>/` holds chunk-0, chunk-1, … of one snapshot;
/// the snapshot with the highest height counts.
class snapshot_folder {
 public:
  /// Removes leftovers. It does not when it only reads, because another process may be writing
  /// there.
  explicit snapshot_folder(std::filesystem::path folder, bool only_reads = false);
  /// Reads again which snapshot the folder holds.
  void look();

  /// The height of the snapshot; nullopt while there is none.
  [[nodiscard]] std::optional<block_height> height() const { return height_; }
  [[nodiscard]] std::uint32_t chunks() const { return chunks_; }
  /// The bytes of a chunk; nullopt for a number that is not below chunks(), or if its file is gone.
  [[nodiscard]] std::optional<bytes> chunk(std::uint32_t number) const;

  /// Writes a snapshot of the ledger that `view` shows, of which `tree` is the state tree, and then
  /// removes the snapshot before it. It takes as long as several scans of the rows, and the pages
  /// of the view stay in use meanwhile. It may run on another thread than the ledger's, with a copy
  /// of the tree. Throws std::exception when the disk fails.
  void write(const tables::ledger_view& view, const state_tree::tree& tree,
             std::uint64_t most_row_bytes = chunk_row_bytes);

 private:
  void tidy();
  std::filesystem::path folder_;
  std::optional<block_height> height_;
  std::uint32_t chunks_ = 0;
};

/// The receiving side. When it is opened, it checks all chunks in `staging` again.
class snapshot_receiver {
 public:
  /// Receives the ledger after the block of this header, which closes an epoch and has been proven.
  snapshot_receiver(std::filesystem::path staging, block_header closing);

  /// The number of the chunk to ask for next, which is also the number of chunks that are here.
  [[nodiscard]] std::uint32_t next() const { return next_; }
  [[nodiscard]] bool complete() const { return position_.complete(); }
  /// How far the chunks reach that are here: the first 63 bits of the key hash at which they end.
  [[nodiscard]] std::uint64_t passed() const { return position_.passed(); }
  /// The totals of the whole ledger, which each chunk proves; nullopt before the first chunk.
  [[nodiscard]] const std::optional<state_totals>& totals() const { return position_.totals(); }
  /// Takes the next chunk in, or says why it does not; then its sender is to be blamed.
  [[nodiscard]] expected<void, chunk_refusal> take(byte_view chunk);

  /// Makes a ledger of the chunks and puts it in the place of the folder `ledger`, which no store
  /// has open, in one step. The old content of that folder and of staging is removed. `ends` have
  /// been proven. Returns the state tree of this ledger, so that it need not be built again.
  /// Asserts that all chunks are here. An error when the rows don't fit the header or the genesis,
  /// which only happens if a quorum has signed it. Throws when the disk fails; then it can be
  /// called again.
  [[nodiscard]] expected<state_tree::tree, std::string> finish(
      const std::filesystem::path& ledger, const soma::genesis& genesis, const epoch_ends& ends,
      tables::ledger_options options = {}) const;

 private:
  [[nodiscard]] std::filesystem::path path_of(std::uint32_t number) const;
  std::filesystem::path staging_;
  block_header closing_;
  chunk_position position_;
  std::uint32_t next_ = 0;
};

}  // namespace soma::state_sync
