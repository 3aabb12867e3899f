#include "storage/tables/ledger_loader.hpp"

#include "messages/types/assert.hpp"
#include "messages/types/codec.hpp"

namespace soma::storage {
namespace {

constexpr std::size_t bytes_at_once = std::size_t{64} << 20;

}  // namespace

ledger_loader::ledger_loader(ledger_store& empty) : store_(empty) {
  SOMA_ASSERT(!store_.initialised(), "a ledger is filled once");
  filling_.emplace(store_.environment_);
}

void ledger_loader::add(byte_view key, byte_view value) {
  store_.tables_.rows.append(*filling_, key, value);
  bytes_ += key.size() + value.size();
  if (bytes_ < bytes_at_once) return;
  filling_->commit();
  filling_.reset();
  filling_.emplace(store_.environment_);
  bytes_ = 0;
}

void ledger_loader::finish(byte_view genesis, byte_view chain_row) {
  store_.tables_.genesis.put(*filling_, genesis);
  const row_change chain{chain_key(), bytes(chain_row.begin(), chain_row.end())};
  store_.apply(*filling_, block_height{}, {&chain, 1}, {});
  filling_->commit();
  filling_.reset();
}

}  // namespace soma::storage
