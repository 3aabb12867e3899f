// The stored ledger as the rules read it: one snapshot of the store, held while a block is begun or
// a question is answered.
#pragma once

#include "actors/ledger/state_reader.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::execution {

class ledger_reader final : public ledger::state_reader {
 public:
  explicit ledger_reader(const tables::ledger_store& ledger) : view_(ledger.view()) {}

  [[nodiscard]] std::optional<bytes> find(const row_key& key) const override {
    return view_.find_row(key);
  }
  void scan(byte_view prefix,
            const std::function<void(byte_view, byte_view)>& visit) const override {
    view_.scan_prefix(prefix, [&](byte_view key, byte_view value) {
      visit(key, value);
      return true;
    });
  }

 private:
  tables::ledger_view view_;
};

}  // namespace soma::execution
