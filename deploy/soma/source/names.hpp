// What people type for an account, a model, a target or a pool, and how these are shown: keys of
// the home by their name, models of a local network by theirs, ids whole or by their first digits.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "deploy/soma/source/ledger_source.hpp"

namespace soma::cli {

/// The account of a key's name in the home or of a key file; nothing for anything else.
[[nodiscard]] std::optional<address> key_named(const run_context& context, const std::string& text);
/// A key's name in the home, a key file, a whole address, or the first digits of an account's.
[[nodiscard]] expected<address, failure> account_named(const run_context& context,
                                                       ledger_source& source,
                                                       const std::string& text);
[[nodiscard]] expected<model_id, failure> model_named(ledger_source& source,
                                                      const std::string& text);
[[nodiscard]] expected<target_id, failure> target_named(ledger_source& source,
                                                        const std::string& text);
/// "model:…" or "validator:…", or without the word where it is clear. The pool exists.
[[nodiscard]] expected<pool_owner, failure> pool_named(const run_context& context,
                                                       ledger_source& source,
                                                       const std::string& text);

/// Names for those that have one.
class name_book {
 public:
  name_book(const run_context& context, const ledger_source& source);
  /// "alice 0x12345678", or the digits alone.
  [[nodiscard]] std::string shown(const address& id) const;
  [[nodiscard]] std::string shown(const model_id& id) const;
  /// "model 0x12345678" or "validator 0x12345678".
  [[nodiscard]] std::string shown(const pool_owner& pool) const;
  /// The name, or null.
  [[nodiscard]] json name(const address& id) const;
  [[nodiscard]] json name(const model_id& id) const;
  [[nodiscard]] const std::map<address, std::string>& keys() const { return keys_; }

 private:
  std::map<address, std::string> keys_;
  std::map<model_id, std::string> models_;
};

/// {"kind": "model", "id": "0x…", "name": …}
[[nodiscard]] json pool_json(const pool_owner& pool, const name_book& names);

}  // namespace soma::cli
