#include "storage/tables/ledger_store.hpp"

#include <algorithm>

#include "messages/codec/codec.hpp"
#include "messages/signing/signing.hpp"
#include "messages/values/assert.hpp"

namespace soma::tables {
namespace {

constexpr std::uint64_t blocks_between_reader_checks = 256;

std::vector<std::string> table_names() {
  auto names = row_table::names();
  for (const char* const name :
       {block_table::name, block_table::heights_name, transaction_index::name, epoch_table::name,
        event_table::name, event_table::by_target_name, event_table::by_model_name,
        event_table::by_account_name, genesis_table::name, proof_table::finals_name,
        proof_table::epoch_ends_name}) {
    names.emplace_back(name);
  }
  return names;
}

lmdb::environment_options environment_options_of(const ledger_options& options) {
  return {.map_bytes = options.map_bytes,
          .format = "soma-ledger 7",
          .other_format_advice =
              "up to 3 it holds a network of the first edition of the rules: use "
              "the soma that wrote it, or begin the network anew in an empty home",
          .tables = table_names(),
          .read_only = options.read_only,
          .sync = options.sync,
          .journal = options.journal};
}

std::size_t payload_bytes(const block& b) {
  std::size_t size = 0;
  for (const auto& sent : b.payload) size += sent.body.size() + sent.by_sender.size();
  return size;
}

std::optional<bytes> copied(std::optional<byte_view> view) {
  if (!view) return std::nullopt;
  return bytes(view->begin(), view->end());
}

}  // namespace

std::optional<bytes> ledger_view::find_row(byte_view key) const {
  return copied(tables_->rows.find(txn_, key));
}
void ledger_view::scan(ledger_table table, const row_visitor& visit) const {
  tables_->rows.scan(txn_, table_prefix(table), visit);
}
void ledger_view::scan(const row_visitor& visit) const {
  tables_->rows.scan(txn_, {}, visit);
}
void ledger_view::scan_prefix(byte_view prefix, const row_visitor& visit) const {
  SOMA_ASSERT(!prefix.empty(), "a prefix names a table at least");
  tables_->rows.scan(txn_, prefix, visit);
}
std::vector<row_key> ledger_view::keys_from(ledger_table table, byte_view first,
                                            std::size_t limit) const {
  row_key start = table_prefix(table);
  start.insert(start.end(), first.begin(), first.end());
  std::vector<row_key> found;
  if (limit == 0) return found;
  tables_->rows.scan_from(txn_, start, [&](byte_view key, byte_view) {
    if (key[0] != start[0]) return false;
    found.emplace_back(key.begin(), key.end());
    return found.size() < limit;
  });
  return found;
}

std::optional<chain_row> ledger_view::chain() const {
  return tables_->rows.chain(txn_);
}
std::optional<account_row> ledger_view::account(const address& id) const {
  return tables_->rows.account(txn_, id);
}
std::optional<validator_row> ledger_view::validator(const address& id) const {
  return tables_->rows.validator(txn_, id);
}
std::optional<model_row> ledger_view::model(const model_id& id) const {
  return tables_->rows.model(txn_, id);
}
std::optional<model_version_row> ledger_view::model_version(const model_version_ref& id) const {
  return tables_->rows.model_version(txn_, id);
}
std::optional<target_row> ledger_view::target(const target_id& id) const {
  return tables_->rows.target(txn_, id);
}
std::optional<submission_row> ledger_view::submission(const target_id& id) const {
  return tables_->rows.submission(txn_, id);
}
std::optional<used_data_row> ledger_view::used_data(const data_hash& id) const {
  return tables_->rows.used_data(txn_, id);
}
std::vector<target_id> ledger_view::open_targets(epoch_number epoch) const {
  return tables_->rows.open_targets(txn_, epoch);
}
void ledger_view::scan_from(byte_view first, const row_visitor& visit) const {
  tables_->rows.scan_from(txn_, first, visit);
}
void ledger_view::scan_index(row_index index, byte_view first, const row_visitor& visit) const {
  tables_->rows.scan_index(txn_, index, first, visit);
}
std::vector<listed_status> ledger_view::targets_of(epoch_number first, epoch_number last) const {
  return tables_->rows.targets_of(txn_, first, last);
}
std::vector<listed_status> ledger_view::undecided_targets() const {
  return tables_->rows.undecided_targets(txn_);
}
std::map<target_status, std::uint64_t> ledger_view::target_counts() const {
  return tables_->rows.target_counts(txn_);
}
std::map<model_status, std::uint64_t> ledger_view::model_counts() const {
  return tables_->rows.model_counts(txn_);
}

block_height ledger_view::height() const {
  const auto last = tables_->blocks.last(txn_);
  if (last.value > 0) return last;
  // The blocks may be missing because a snapshot stands for them; the chain row then knows the
  // height.
  const auto now = chain();
  return now ? now->height : block_height{};
}
std::optional<block> ledger_view::block_at(block_height height) const {
  return tables_->blocks.at(txn_, height);
}
std::optional<bytes> ledger_view::block_bytes_at(block_height height) const {
  return tables_->blocks.bytes_at(txn_, height);
}
std::optional<block> ledger_view::find_block(const block_id& id) const {
  const auto height = tables_->blocks.height_of(txn_, id);
  return height ? tables_->blocks.at(txn_, *height) : std::nullopt;
}
std::optional<transaction_place> ledger_view::find_transaction(const transaction_id& id) const {
  return tables_->blocks.place_of(txn_, id);
}
std::optional<block_height> ledger_view::first_block() const {
  return tables_->blocks.first(txn_);
}
std::optional<block_height> ledger_view::next_final(block_height from) const {
  return tables_->proofs.next_final(txn_, from);
}
std::optional<certificate> ledger_view::final_at(block_height height) const {
  return tables_->proofs.final_at(txn_, height);
}
std::optional<epoch_proof> ledger_view::epoch_end(epoch_number epoch) const {
  return tables_->proofs.epoch_end(txn_, epoch);
}

final_run ledger_view::blocks_after(block_height height, std::size_t max_bytes,
                                    std::size_t max_count) const {
  final_run run;
  const auto first = height.next();
  const auto first_block = block_at(first);
  if (!first_block) return run;
  run.epoch = first_block->header.epoch;
  const auto closing = closing_height(run.epoch);
  const bool closing_is_proven = closing && epoch_end(run.epoch).has_value();
  // The run ends at the last block that a proof reaches.
  const auto next_proven = [&](block_height from) -> std::optional<block_height> {
    auto found = tables_->proofs.next_final(txn_, from);
    if (found && closing && *found > *closing) found.reset();
    if (!found && closing_is_proven && from <= *closing) found = closing;
    return found;
  };
  std::size_t size = 0;
  auto at = first;
  for (auto end = next_proven(first); end; end = next_proven(end->next())) {
    const auto proven = run.blocks.size();
    bool fits = end->value - height.value <= max_count;
    for (; at <= *end && (fits || proven == 0); at = at.next()) {
      run.blocks.push_back(at == first ? *first_block : block_at(at).value());
      size += payload_bytes(run.blocks.back());
      fits = fits && size <= max_bytes;
    }
    if (!fits) {
      if (proven > 0) run.blocks.resize(proven);
      break;
    }
  }
  if (run.blocks.empty()) return run;
  const auto last = run.blocks.back().header.height;
  run.final = final_at(last);
  if (closing == last) run.epoch_end = epoch_end(run.epoch);
  return run;
}

std::vector<event> ledger_view::events_at(block_height height) const {
  return tables_->events.at(txn_, height);
}
void ledger_view::visit_events_from(const event_position& first,
                                    const placed_event_visitor& visit) const {
  tables_->events.visit_from(txn_, first, visit);
}
std::optional<block_height> ledger_view::first_height(epoch_number epoch) const {
  return tables_->epochs.first_block(txn_, epoch);
}
std::optional<block_height> ledger_view::closing_height(epoch_number epoch) const {
  if (const auto next = first_height(epoch.next())) return block_height{next->value - 1};
  const auto now = chain();
  // While the next epoch has no block, the block that closed this one is the last block.
  if (now && now->epoch == epoch.next() && now->height.value > 0) return now->height;
  return std::nullopt;
}
void ledger_view::events_in(epoch_number epoch, const event_visitor& visit) const {
  // The block that closes an epoch opens the targets of the next one.
  block_height first;
  if (epoch.value > 0) {
    const auto opened = closing_height({epoch.value - 1});
    if (!opened) return;
    first = *opened;
  }
  const auto last = closing_height(epoch).value_or(height());
  tables_->events.visit(txn_, first, last, [&](const event& happened) {
    return happened.epoch != epoch || visit(happened);
  });
}
std::optional<bytes> ledger_view::genesis() const {
  return copied(tables_->genesis.find(txn_));
}

ledger_store::ledger_store(const std::filesystem::path& directory, ledger_options options)
    : environment_(directory, environment_options_of(options)), tables_(environment_) {}

void ledger_store::apply(lmdb::write_txn& txn, block_height height,
                         std::span<const row_change> changes, std::span<const event> events) {
  for (const auto& change : changes) tables_.rows.apply(txn, change);
  tables_.events.append(txn, height, events);
  const auto chain = tables_.rows.chain(txn);
  SOMA_ASSERT(chain && chain->height == height, "the chain row stands at the committed height");
}

void ledger_store::init(byte_view genesis, std::span<const row_change> rows,
                        std::span<const event> events) {
  lmdb::write_txn txn(environment_);
  tables_.genesis.put(txn, genesis);
  apply(txn, block_height{}, rows, events);
  txn.commit();
}

void ledger_store::commit_block(const block& committed, std::span<const row_change> changes,
                                std::span<const event> events,
                                const std::optional<certificate>& final,
                                const std::optional<epoch_proof>& epoch_end) {
  const block_height height = committed.header.height;
  lmdb::write_txn txn(environment_);
  SOMA_ASSERT(tables_.genesis.find(txn).has_value(), "a ledger begins with its genesis");
  SOMA_ASSERT(tables_.rows.chain(txn)->height.next() == height,
              "a block is committed at the next height");
  tables_.blocks.append(txn, committed);
  tables_.epochs.note_block(txn, committed.header.epoch, height);
  apply(txn, height, changes, events);
  if (final) {
    SOMA_ASSERT(final->statement.kind == vote_kind::finalize &&
                    final->statement.block == signing::id_of(committed.header),
                "a block is stored with its own certificate");
    tables_.proofs.put(txn, height, *final);
  }
  if (epoch_end) {
    SOMA_ASSERT(!epoch_end->headers.empty() && epoch_end->headers.front() == committed.header,
                "an epoch is over with the block that closed it");
    tables_.proofs.put(txn, committed.header.epoch, *epoch_end);
  }
  txn.commit();
  if (height.value % blocks_between_reader_checks == 0) environment_.reap_dead_readers();
}

}  // namespace soma::tables
