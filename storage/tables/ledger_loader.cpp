#include "storage/tables/ledger_loader.hpp"

#include "messages/codec/codec.hpp"
#include "messages/values/assert.hpp"

namespace soma::tables {
namespace {

constexpr std::size_t bytes_at_once = std::size_t{64} << 20;

}  // namespace

ledger_loader::ledger_loader(ledger_store& empty) : store_(empty) {
  SOMA_ASSERT(!store_.initialised(), "a ledger is filled once");
  filling_.emplace(store_.environment_, lmdb::write_target::tables);
}

void ledger_loader::add(byte_view key, byte_view value) {
  store_.tables_.rows.append(*filling_, key, value);
  filled(key.size() + value.size());
}

void ledger_loader::put(byte_view key, byte_view value) {
  store_.tables_.rows.apply(*filling_,
                            {bytes(key.begin(), key.end()), bytes(value.begin(), value.end())});
  filled(key.size() + value.size());
}

void ledger_loader::filled(std::size_t more_bytes) {
  bytes_ += more_bytes;
  if (bytes_ < bytes_at_once) return;
  filling_->commit();
  filling_.reset();
  filling_.emplace(store_.environment_, lmdb::write_target::tables);
  bytes_ = 0;
}

void ledger_loader::finish(byte_view genesis, byte_view chain,
                           const std::map<epoch_number, epoch_proof>& ends) {
  const auto stands = decode_own<chain_row>(chain).value();
  SOMA_ASSERT(stands.height.value == 0 || ends.contains({stands.epoch.value - 1}),
              "a ledger without its blocks knows how the last epoch ended");
  store_.tables_.genesis.put(*filling_, genesis);
  for (const auto& [epoch, end] : ends) store_.tables_.proofs.put(*filling_, epoch, end);
  const row_change row{chain_key(), bytes(chain.begin(), chain.end())};
  store_.apply(*filling_, stands.height, {&row, 1}, {});
  filling_->commit();
  filling_.reset();
}

}  // namespace soma::tables
