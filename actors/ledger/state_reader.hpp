// The ledger's rows as they were before a block. The caller provides them, so that the rules depend
// on no database.
#pragma once

#include <functional>
#include <optional>

#include "messages/values/rows.hpp"

namespace soma::ledger {

struct state_reader {
  virtual ~state_reader() = default;
  [[nodiscard]] virtual std::optional<bytes> find(const row_key& key) const = 0;
  /// Calls `visit` for each row whose key begins with `prefix`, in any order: no rule depends on
  /// it. A prefix is never empty: it begins with the byte of a table.
  virtual void scan(byte_view prefix,
                    const std::function<void(byte_view key, byte_view value)>& visit) const = 0;
};

}  // namespace soma::ledger
