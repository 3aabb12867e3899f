// The ledger's rows as they stood before a block. The caller provides them, so that rules know no
// database.
#pragma once

#include <functional>
#include <optional>

#include "messages/values/rows.hpp"

namespace soma::ledger {

struct state_reader {
  virtual ~state_reader() = default;
  [[nodiscard]] virtual std::optional<bytes> find(const row_key& key) const = 0;
  /// Calls `visit` for each row whose key begins with `prefix`; the order is of no importance to
  /// any rule. A prefix is never empty: it begins with the byte of a table.
  virtual void scan(byte_view prefix,
                    const std::function<void(byte_view key, byte_view value)>& visit) const = 0;
};

}  // namespace soma::ledger
