// The ledger on disk: rows, blocks, events, the genesis and what proves to others that blocks are
// final, in one LMDB directory. What must hold:
//  - A block, all its effects and its proofs are one transaction: whoever reads sees all of a
//  height or nothing of it.
//  - When init or commit_block returns, what it wrote survives a kill and a power cut.
//  - Heights follow each other; the chain row's height is that of the last block.
// One thread commits at a time; any thread reads. Failing disks throw lmdb::failure.
#pragma once

#include <filesystem>
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
  bool sync = true;  // false: commits survive a kill, not a power cut; for simulated networks alone
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

/// Final blocks in order, all of one epoch, the last of them proven: by a certificate of its own,
/// or as the one that closed the epoch.
struct final_run {
  epoch_number epoch;
  std::vector<block> blocks;
  std::optional<certificate> final;
  std::optional<epoch_proof> epoch_end;
};

/// The ledger as one commit left it, whatever is committed meanwhile. Pins that state's pages: keep
/// it for less than a second, and never longer than its store.
class ledger_view {
 public:
  [[nodiscard]] std::optional<bytes> find_row(byte_view key) const;
  /// Rows of one table in the order of keys, while visit says true.
  void scan(ledger_table table, const row_visitor& visit) const;
  /// All rows in the order of keys, while visit says true.
  void scan(const row_visitor& visit) const;
  /// Rows whose key begins with `prefix`, which is not empty, in the order of keys, while visit
  /// says true.
  void scan_prefix(byte_view prefix, const row_visitor& visit) const;
  /// Keys of one table's rows in their order, from the first that is not below the table's byte and
  /// `first`, at most `limit`. Costs what it returns.
  [[nodiscard]] std::vector<row_key> keys_from(ledger_table table, byte_view first,
                                               std::size_t limit) const;

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

  /// Height of the last block, even of one that a snapshot stands for; 0 after the genesis and
  /// before it.
  [[nodiscard]] block_height height() const;
  [[nodiscard]] std::optional<block> block_at(block_height height) const;
  [[nodiscard]] std::optional<block> find_block(const block_id& id) const;
  [[nodiscard]] std::optional<transaction_place> find_transaction(const transaction_id& id) const;
  /// nullopt for a height without a certificate of its own.
  [[nodiscard]] std::optional<certificate> final_at(block_height height) const;
  [[nodiscard]] std::optional<epoch_proof> epoch_end(epoch_number epoch) const;
  /// What follows this height: as much as fits both limits, but at least up to the first block that
  /// can be proven. Empty when there is none. The size of a block is that of its payload.
  [[nodiscard]] final_run blocks_after(block_height height, std::size_t max_bytes,
                                       std::size_t max_count) const;

  [[nodiscard]] std::vector<event> events_at(block_height height) const;
  /// An epoch's events in the order in which they happened, while visit says true: from those of
  /// the block that opened it to those of the block that closed it. There may be millions.
  void events_in(epoch_number epoch, const event_visitor& visit) const;
  /// The height of an epoch's first block; nullopt while it has none.
  [[nodiscard]] std::optional<block_height> first_height(epoch_number epoch) const;
  /// The height of the block that closed an epoch; nullopt while it is not over.
  [[nodiscard]] std::optional<block_height> closing_height(epoch_number epoch) const;
  /// The events of one id, the latest first, while visit says true. Id: target_id, model_id or
  /// address.
  template <class Id>
  void visit_events_of(const Id& id, const event_visitor& visit) const {
    tables_->events.visit(txn_, id, visit);
  }
  /// The latest events, at most `limit` of them, the latest first. Id: target_id, model_id or
  /// address.
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

  /// The genesis and the rows of height 0, in one transaction. Asserts that there is none yet and
  /// that the rows hold a chain row of height 0.
  void init(byte_view genesis, std::span<const row_change> rows,
            std::span<const event> events = {});
  /// A block, everything its execution did and what proves it, in one transaction, durable when it
  /// returns. Asserts that its height is the next, that the changes take the chain row there and
  /// that the proofs are of this very block.
  void commit_block(const block& committed, std::span<const row_change> changes,
                    std::span<const event> events, const std::optional<certificate>& final = {},
                    const std::optional<epoch_proof>& epoch_end = {});

  /// For several questions about one state.
  [[nodiscard]] ledger_view view() const { return {environment_, tables_}; }

  // One question each, about the state of the moment.
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

  /// Usage, stopped writing, dead readers.
  [[nodiscard]] lmdb::environment& environment() { return environment_; }

 private:
  friend class ledger_loader;
  void apply(lmdb::write_txn& txn, block_height height, std::span<const row_change> changes,
             std::span<const event> events);

  lmdb::environment environment_;
  ledger_tables tables_;
};

}  // namespace soma::tables
