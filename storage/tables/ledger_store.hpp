// The ledger on disk, in one LMDB directory: rows, blocks, events, the genesis and the proofs that
// blocks are final. What must hold:
//  - A block, all its effects and its proofs are one transaction: a reader sees all of a height or
//    nothing of it.
//  - When init or commit_block returns, what it wrote survives a kill and a power cut.
//  - Heights follow each other without a gap; the chain row's height is that of the last block.
// One thread commits at a time; any thread may read. A failing disk throws lmdb::failure.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "messages/values/blocks.hpp"
#include "messages/values/rows.hpp"
#include "storage/lmdb/environment.hpp"
#include "storage/lmdb/transaction.hpp"
#include "storage/tables/block_table.hpp"
#include "storage/tables/epoch_table.hpp"
#include "storage/tables/event_table.hpp"
#include "storage/tables/genesis_table.hpp"
#include "storage/tables/proof_table.hpp"
#include "storage/tables/row_table.hpp"

namespace soma::tables {

struct ledger_options {
  std::size_t map_bytes = std::size_t{64} << 30;  // address space, not disk space
  bool read_only = false;                         // beside another process that writes
  // If false, commits survive a kill but not a power cut; only for simulated networks.
  bool sync = true;
  // The changes of blocks are in a journal before they are in the tables.
  lmdb::write_ahead_options journal{};
};

struct ledger_tables {
  explicit ledger_tables(const lmdb::environment& env)
      : rows(env), blocks(env), epochs(env), events(env), genesis(env), proofs(env) {}
  row_table rows;
  block_table blocks;
  epoch_table epochs;
  event_table events;
  genesis_table genesis;
  proof_table proofs;
};

/// Final blocks in order, all of one epoch. The last of them is proven final: by a certificate of
/// its own, or by the proof that it closed the epoch.
struct final_run {
  epoch_number epoch;
  std::vector<block> blocks;
  std::optional<certificate> final;
  std::optional<epoch_proof> epoch_end;
};

/// The ledger as one commit left it, whatever is committed meanwhile. A view pins that state's
/// pages: keep it for less than a second, and never longer than its store.
class ledger_view {
 public:
  [[nodiscard]] std::optional<bytes> find_row(byte_view key) const;
  /// Visits the rows of one table in the order of keys until visit returns false.
  void scan(ledger_table table, const row_visitor& visit) const;
  /// Visits all rows in the order of keys until visit returns false.
  void scan(const row_visitor& visit) const;
  /// Visits the rows whose key begins with `prefix`, which is not empty, in the order of keys until
  /// visit returns false.
  void scan_prefix(byte_view prefix, const row_visitor& visit) const;
  /// The keys of one table's rows in order, at most `limit` of them, from the first that is not
  /// below the table's byte followed by `first`. It costs time for the keys that it returns, not
  /// for the table.
  [[nodiscard]] std::vector<row_key> keys_from(ledger_table table, byte_view first,
                                               std::size_t limit) const;

  /// Visits rows in the order of keys, from the first that is not below `first`, until visit
  /// returns false.
  void scan_from(byte_view first, const row_visitor& visit) const;
  /// Visits the records of an index of targets or models in the order of keys, from the first that
  /// is not below `first`, until visit returns false.
  void scan_index(row_index index, byte_view first, const row_visitor& visit) const;

  /// nullopt before init.
  [[nodiscard]] std::optional<chain_row> chain() const;
  [[nodiscard]] std::optional<account_row> account(const address& id) const;
  [[nodiscard]] std::optional<validator_row> validator(const address& id) const;
  [[nodiscard]] std::optional<model_row> model(const model_id& id) const;
  [[nodiscard]] std::optional<model_version_row> model_version(const model_version_ref& id) const;
  [[nodiscard]] std::optional<target_row> target(const target_id& id) const;
  [[nodiscard]] std::optional<submission_row> submission(const target_id& id) const;
  [[nodiscard]] std::optional<used_data_row> used_data(const data_hash& id) const;
  [[nodiscard]] std::vector<target_id> open_targets(epoch_number epoch) const;
  /// The targets that were opened in epochs `first` to `last`, both included; the undecided ones of
  /// all epochs; and how many have each status. They cost time for what they return.
  [[nodiscard]] std::vector<listed_status> targets_of(epoch_number first, epoch_number last) const;
  [[nodiscard]] std::vector<listed_status> undecided_targets() const;
  [[nodiscard]] std::map<target_status, std::uint64_t> target_counts() const;
  /// How many models have each status.
  [[nodiscard]] std::map<model_status, std::uint64_t> model_counts() const;

  /// The height of the last block, also when a snapshot stands for that block; 0 after the genesis
  /// and before it.
  [[nodiscard]] block_height height() const;
  [[nodiscard]] std::optional<block> block_at(block_height height) const;
  /// The canonical bytes of the block, as they are stored.
  [[nodiscard]] std::optional<bytes> block_bytes_at(block_height height) const;
  [[nodiscard]] std::optional<block> find_block(const block_id& id) const;
  [[nodiscard]] std::optional<transaction_place> find_transaction(const transaction_id& id) const;
  /// The height of the first block that is here: 1, or a higher one in a ledger that began from a
  /// snapshot; nullopt when there is no block.
  [[nodiscard]] std::optional<block_height> first_block() const;
  /// nullopt for a height that has no certificate of its own.
  [[nodiscard]] std::optional<certificate> final_at(block_height height) const;
  /// The first height, from `from` on, that has a certificate of its own.
  [[nodiscard]] std::optional<block_height> next_final(block_height from) const;
  [[nodiscard]] std::optional<epoch_proof> epoch_end(epoch_number epoch) const;
  /// The blocks after this height: as many as fit both limits, but at least up to the first block
  /// that can be proven. Empty when there is no such block. The size of a block is the size of its
  /// payload.
  [[nodiscard]] final_run blocks_after(block_height height, std::size_t max_bytes,
                                       std::size_t max_count) const;

  [[nodiscard]] std::vector<event> events_at(block_height height) const;
  /// Visits an epoch's events in the order in which they happened, until visit returns false: from
  /// those of the block that opened the epoch to those of the block that closed it. There may be
  /// millions.
  void events_in(epoch_number epoch, const event_visitor& visit) const;
  /// Visits the events from this place on, in the order in which they happened, until visit returns
  /// false.
  void visit_events_from(const event_position& first, const placed_event_visitor& visit) const;
  /// Visits the events of one id with their places, the latest first, until visit returns false. Id
  /// is target_id, model_id or address.
  template <class Id>
  void visit_events_back(const Id& id, const placed_event_visitor& visit) const {
    tables_->events.visit_back(txn_, id, visit);
  }
  /// The height of an epoch's first block; nullopt while the epoch has no block.
  [[nodiscard]] std::optional<block_height> first_height(epoch_number epoch) const;
  /// The height of the block that closed an epoch; nullopt while the epoch is not over.
  [[nodiscard]] std::optional<block_height> closing_height(epoch_number epoch) const;
  /// Visits the events of one id, the latest first, until visit returns false. Id is target_id,
  /// model_id or address.
  template <class Id>
  void visit_events_of(const Id& id, const event_visitor& visit) const {
    tables_->events.visit(txn_, id, visit);
  }
  /// The latest events of one id, at most `limit` of them, the latest first. Id is target_id,
  /// model_id or address.
  template <class Id>
  [[nodiscard]] std::vector<event> events_of(const Id& id, std::size_t limit) const {
    return tables_->events.of(txn_, id, limit);
  }

  /// The canonical bytes of the genesis; nullopt before init.
  [[nodiscard]] std::optional<bytes> genesis() const;

 private:
  friend class ledger_store;
  ledger_view(const lmdb::environment& env, const ledger_tables& tables)
      : txn_(env), tables_(&tables) {}
  lmdb::read_txn txn_;
  const ledger_tables* tables_;
};

class ledger_store {
 public:
  explicit ledger_store(const std::filesystem::path& directory, ledger_options options = {});

  /// Writes the genesis and the rows of height 0 in one transaction. Asserts that there is no
  /// genesis yet and that the rows hold a chain row of height 0.
  void init(byte_view genesis, std::span<const row_change> rows,
            std::span<const event> events = {});
  /// Writes a block, everything its execution did and what proves it, in one transaction that is
  /// durable when it returns. Asserts that the block's height is the next, that the changes move
  /// the chain row to it and that the proofs belong to this very block.
  void commit_block(const block& committed, std::span<const row_change> changes,
                    std::span<const event> events, const std::optional<certificate>& final = {},
                    const std::optional<epoch_proof>& epoch_end = {});

  /// A view that answers several questions about one state.
  [[nodiscard]] ledger_view view() const { return {environment_, tables_}; }

  // Each of these answers one question about the latest state.
  [[nodiscard]] bool initialised() const { return chain().has_value(); }
  [[nodiscard]] std::optional<bytes> find_row(byte_view key) const { return view().find_row(key); }
  void scan(ledger_table table, const row_visitor& visit) const { view().scan(table, visit); }
  void scan(const row_visitor& visit) const { view().scan(visit); }
  [[nodiscard]] std::optional<chain_row> chain() const { return view().chain(); }
  [[nodiscard]] std::optional<block> block_at(block_height height) const {
    return view().block_at(height);
  }
  [[nodiscard]] std::optional<block> find_block(const block_id& id) const {
    return view().find_block(id);
  }
  [[nodiscard]] std::optional<bytes> genesis() const { return view().genesis(); }

  /// For its usage, for stopped writing and for dead readers.
  [[nodiscard]] lmdb::environment& environment() { return environment_; }

 private:
  friend class ledger_loader;
  void apply(lmdb::write_txn& txn, block_height height, std::span<const row_change> changes,
             std::span<const event> events);

  lmdb::environment environment_;
  ledger_tables tables_;
};

}  // namespace soma::tables
