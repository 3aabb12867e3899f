#include "storage/tables/ledger_store.hpp"

#include "messages/types/assert.hpp"
#include "messages/types/codec.hpp"

namespace soma::storage {
namespace {

constexpr std::uint64_t blocks_between_reader_checks = 256;

lmdb::environment_options environment_options_of(const ledger_options& options) {
  return {.map_bytes = options.map_bytes,
          .format = "soma-ledger 1",
          .tables = {row_table::name, row_table::index_name, block_table::name,
                     block_table::heights_name, block_table::transactions_name, event_table::name,
                     event_table::by_target_name, event_table::by_model_name,
                     event_table::by_account_name, genesis_table::name},
          .read_only = options.read_only};
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

block_height ledger_view::height() const {
  return tables_->blocks.last(txn_);
}
std::optional<block> ledger_view::block_at(block_height height) const {
  return tables_->blocks.at(txn_, height);
}
std::optional<block> ledger_view::find_block(const block_id& id) const {
  const auto height = tables_->blocks.height_of(txn_, id);
  return height ? tables_->blocks.at(txn_, *height) : std::nullopt;
}
std::optional<transaction_place> ledger_view::find_transaction(const transaction_id& id) const {
  return tables_->blocks.place_of(txn_, id);
}
std::vector<event> ledger_view::events_at(block_height height) const {
  return tables_->events.at(txn_, height);
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
                                std::span<const event> events) {
  const block_height height = committed.header.height;
  lmdb::write_txn txn(environment_);
  SOMA_ASSERT(tables_.genesis.find(txn).has_value(), "a ledger begins with its genesis");
  tables_.blocks.append(txn, committed);
  apply(txn, height, changes, events);
  txn.commit();
  if (height.value % blocks_between_reader_checks == 0) environment_.reap_dead_readers();
}

}  // namespace soma::storage
