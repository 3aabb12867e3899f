// How a verb sends a transaction: try it out on the ledger as it stands, sign it with the account's
// next nonce, offer it, wait until a block has it, say what became of it. What must hold: a
// transaction that would be refused now is not sent, since a refusal in a block costs the base fee;
// with --dry-run nothing is sent at all, and no secret key is touched.
#pragma once

#include "actors/wallet/wallet.hpp"
#include "deploy/soma/source/keys_home.hpp"
#include "deploy/soma/source/ledger_connection.hpp"
#include "deploy/soma/source/names.hpp"
#include "messages/values/blocks.hpp"

namespace soma::cli {

struct sender_options {
  ledger_place place;
  std::string from;
  std::filesystem::path passphrase_file;
  bool dry_run = false;

  void declare(option_set& options);
};

/// What a transaction would do now.
struct foreseen {
  rules::refused refusal;
  std::string why;  // of the refusal, for a person
  shannons fee;
  std::vector<event> events;
  account_row after;  // the sender's account
};

struct sent {
  bool dry_run = false;
  transaction_id id;  // zero in a dry run
  transaction_state state;
  account_row after;
};

class sender {
 public:
  [[nodiscard]] static expected<sender, failure> open(const run_context& context,
                                                      const sender_options& options);

  [[nodiscard]] ledger_source& ledger() const { return *ledger_; }
  /// Of a network that runs; nullptr in a dry run on a stored ledger.
  [[nodiscard]] ledger_connection* network() const { return network_; }
  [[nodiscard]] const address& who() const { return who_; }
  [[nodiscard]] const home_key& key() const { return key_; }
  [[nodiscard]] bool is_dry_run() const { return options_.dry_run; }
  /// The secret; asked for once.
  [[nodiscard]] expected<crypto::key_pair, failure> secret();

  [[nodiscard]] foreseen foresee(const transaction_kind& kind) const;
  /// A transaction with the account's next nonce, which a block can take until the next epoch ends.
  [[nodiscard]] expected<wallet::own_transaction, failure> sign(transaction_kind kind);
  /// Offers it and waits until it is in a block; a refusal is what the block says.
  [[nodiscard]] expected<sent, failure> deliver(const signed_transaction& transaction,
                                                epoch_number expiry);
  /// All of it. `doing` is what the refusal begins with: "cannot send 5 SOMA".
  [[nodiscard]] expected<sent, failure> send(const transaction_kind& kind,
                                             const std::string& doing);

 private:
  sender_options options_;
  std::unique_ptr<ledger_source> ledger_;
  ledger_connection* network_ = nullptr;
  home_key key_;
  address who_;
  std::optional<crypto::key_pair> secret_;
};

/// An amount as it was typed.
[[nodiscard]] expected<shannons, failure> amount_of(const std::string& text);

/// What every verb that sends prints behind its own facts.
void add_receipt(json& facts, const sent& done);
void print_receipt(const sent& done);

}  // namespace soma::cli
