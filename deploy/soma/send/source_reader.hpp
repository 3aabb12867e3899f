// Lets the rules read rows from a ledger source, for a block that is tried out. The network goes on
// meanwhile, so each row may be of a later block than the one before. What must hold: the row of
// the chain stays what it was at the first look, so that the block that is tried follows it.
#pragma once

#include "actors/ledger/overlay.hpp"
#include "deploy/soma/source/ledger_source.hpp"

namespace soma::cli {

class source_reader final : public ledger::state_reader {
 public:
  /// `source` outlives the reader.
  source_reader(ledger_source& source, const chain_row& chain)
      : source_(source), chain_(encode(chain)) {}
  std::optional<bytes> find(const row_key& key) const override {
    if (key == chain_key()) return chain_;
    return source_.find(key);
  }
  void scan(byte_view prefix,
            const std::function<void(byte_view, byte_view)>& visit) const override {
    source_.scan(prefix, [&](byte_view key, byte_view value) {
      visit(key, value);
      return true;
    });
  }

 private:
  ledger_source& source_;
  bytes chain_;
};

}  // namespace soma::cli
