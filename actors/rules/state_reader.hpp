// The ledger's rows as they stood before a block, wherever they are kept. Injected: rules know no
// database.
#pragma once

#include <functional>
#include <optional>

#include "messages/types/ledger_rows.hpp"

namespace soma::rules {

struct state_reader {
  virtual ~state_reader() = default;
  [[nodiscard]] virtual std::optional<bytes> find(const row_key& key) const = 0;
  /// Calls `visit` for each row of the table; the order is of no importance to any rule.
  virtual void scan(ledger_table table,
                    const std::function<void(const row_key&, byte_view)>& visit) const = 0;
};

}  // namespace soma::rules
