// What people type for an account, a model, a target or a pool, and how these are shown. Keys of
// the home, and models and accounts of a local network, have names; everything else has an id,
// which is typed with all its digits or with the first ones.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "deploy/soma/source/ledger_source.hpp"

namespace soma::cli {

/// The ids in that table that begin with these digits (ids.hpp), at most most_listed_candidates of
/// them. The key of the table must be an id.
[[nodiscard]] std::vector<hash256> ids_in(ledger_source& source, ledger_table table,
                                          std::string_view digits);

/// The account whose key has that name in the home or lies in that file; nullopt for other texts.
[[nodiscard]] std::optional<address> key_named(const run_context& context, const std::string& text);
/// The account to which a local network gave that name, such as "submitter-1"; nullopt for other
/// texts.
[[nodiscard]] std::optional<address> account_of_localnet(const localnet_names& names,
                                                         const std::string& text);
/// The accounts that a verb means if none is named: those of the home's keys. In a home without a
/// key that can be shown they are those of the local network, if `source` is one. Refuses for
/// `verb_name` if there is none.
[[nodiscard]] expected<std::vector<address>, failure> own_accounts(const run_context& context,
                                                                   const ledger_source& source,
                                                                   const std::string& verb_name);
/// The account that `text` names: by the name of a key in the home, by a key file, by the name that
/// a local network gave it, by a whole address, or by the first digits of an account's address.
[[nodiscard]] expected<address, failure> account_named(const run_context& context,
                                                       ledger_source& source,
                                                       const std::string& text);
/// Refuses the address of zeros as the owner of money: nobody has a key for it, and scripts write
/// it where they have nothing else. The refusal begins with `where`.
[[nodiscard]] outcome check_owner(const address& owner, const std::string& where);
[[nodiscard]] expected<model_id, failure> model_named(ledger_source& source,
                                                      const std::string& text);
[[nodiscard]] expected<target_id, failure> target_named(ledger_source& source,
                                                        const std::string& text);
/// The pool that `text` names: "model:…" or "validator:…", or the id alone if only one of them has
/// it. The pool that is returned exists.
[[nodiscard]] expected<pool_owner, failure> pool_named(const run_context& context,
                                                       ledger_source& source,
                                                       const std::string& text);

/// The names of the accounts and models that have one.
class name_book {
 public:
  name_book(const run_context& context, const ledger_source& source);
  /// "alice 0x12345678", or the first digits of the id alone if there is no name.
  [[nodiscard]] std::string shown(const address& id) const;
  [[nodiscard]] std::string shown(const model_id& id) const;
  /// "model 0x12345678" or "validator 0x12345678".
  [[nodiscard]] std::string shown(const pool_owner& pool) const;
  /// The name as a JSON string, or null.
  [[nodiscard]] json name(const address& id) const;
  [[nodiscard]] json name(const model_id& id) const;

 private:
  std::map<address, std::string> accounts_;
  std::map<model_id, std::string> models_;
};

/// The pool as JSON: {"kind": "model", "id": "0x…", "name": …}.
[[nodiscard]] json pool_json(const pool_owner& pool, const name_book& names);

}  // namespace soma::cli
