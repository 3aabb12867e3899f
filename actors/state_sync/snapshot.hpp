// A ledger at the base of an epoch, to be taken over by those who come too late to execute all its
// blocks. One side keeps it as chunks in a folder; the other checks each chunk as it comes against
// the state root of a header that it has proven (consensus::light_client), and makes a ledger of
// them. What must hold:
//   - A folder under its final name is whole: it was written beside it, synced and renamed.
//   - Of what a peer sends nothing is kept that does not belong to the ledger with that root; a
//     receiver that was killed goes on behind the last chunk it has.
//   - The ledger that is made has the root of the header, counted anew from its rows.
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

/// How the epochs before this one ended; by epoch. The last one's closing header has the state root
/// of the snapshot, the one before decides who leads: both are needed (the second one only if there
/// was one).
using epoch_ends = std::map<epoch_number, epoch_proof>;

/// The folder of the one that serves. `<folder>/<height>/` holds chunk-0, chunk-1, …; the highest
/// one counts.
class snapshot_folder {
 public:
  /// Leftovers go, unless it only reads: somebody else may be writing there.
  explicit snapshot_folder(std::filesystem::path folder, bool only_reads = false);
  /// Looks anew for what is there.
  void look();

  /// nullopt while there is none.
  [[nodiscard]] std::optional<block_height> height() const { return height_; }
  [[nodiscard]] std::uint32_t chunks() const { return chunks_; }
  /// nullopt for a number that is not below chunks(), or a file that is gone.
  [[nodiscard]] std::optional<bytes> chunk(std::uint32_t number) const;

  /// Writes the ledger that `view` shows and `tree` is of, then removes the one before. Takes as
  /// long as several scans of the rows and keeps the view's pages; may run on another thread than
  /// the ledger's, on a copy of the tree. Throws std::exception when the disk fails.
  void write(const tables::ledger_view& view, const state_tree::tree& tree,
             std::uint64_t most_row_bytes = chunk_row_bytes);

 private:
  void tidy();
  std::filesystem::path folder_;
  std::optional<block_height> height_;
  std::uint32_t chunks_ = 0;
};

/// The side that receives. Whatever lies in `staging` is checked again when it is opened.
class snapshot_receiver {
 public:
  /// For the ledger after this header, which closes an epoch and has been proven.
  snapshot_receiver(std::filesystem::path staging, block_header closing);

  /// The chunk to ask for; the number of those that are here.
  [[nodiscard]] std::uint32_t next() const { return next_; }
  [[nodiscard]] bool complete() const { return position_.complete(); }
  /// How far the chunks that are here reach: the first 63 bits of the key hash where they end.
  [[nodiscard]] std::uint64_t passed() const { return position_.passed(); }
  /// Of all rows, as the chunks that are here prove it; nullopt before there is one.
  [[nodiscard]] const std::optional<state_totals>& totals() const { return position_.totals(); }
  /// Takes the next chunk in or names why not: then its sender is to be blamed.
  [[nodiscard]] expected<void, chunk_refusal> take(byte_view chunk);

  /// All chunks are here (asserted): makes a ledger of them and puts it in the place of `ledger`, a
  /// folder that no store has open, in one step; what was there goes. Staging goes, too. `ends` are
  /// proven. An error when the rows don't fit the header or the genesis, which a quorum would have
  /// to have signed. Throws when the disk fails; then it can be called again.
  [[nodiscard]] expected<void, std::string> finish(const std::filesystem::path& ledger,
                                                   const soma::genesis& genesis,
                                                   const epoch_ends& ends,
                                                   tables::ledger_options options = {}) const;

 private:
  [[nodiscard]] std::filesystem::path path_of(std::uint32_t number) const;
  std::filesystem::path staging_;
  block_header closing_;
  chunk_position position_;
  std::uint32_t next_ = 0;
};

}  // namespace soma::state_sync
