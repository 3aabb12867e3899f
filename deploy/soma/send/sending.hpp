// How a verb sends a transaction: it tries it out on the present ledger, signs it with the next
// nonce of the account, offers it to a validator, waits until a block has it, and says what became
// of it. What must hold: a transaction that would be refused now is not sent, since a refusal in a
// block costs the base fee. With --dry-run nothing is sent at all, and the secret key is not used.
#pragma once

#include "actors/wallet/wallet.hpp"
#include "deploy/soma/network/network_connection.hpp"
#include "deploy/soma/source/keys_home.hpp"
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

/// What a transaction would do if a block executed it now.
struct foreseen {
  rules::refused refusal;
  std::string why;  // the reason for the refusal, for a person
  shannons fee;
  std::vector<event> events;
  account_row after;  // the sender's account
};

/// What became of a transaction that was sent, or would become of it in a dry run.
struct sent {
  bool dry_run = false;
  transaction_id id;  // zero in a dry run
  transaction_state state;
  account_row after;  // the sender's account afterwards
};

class sender {
 public:
  [[nodiscard]] static expected<sender, failure> open(const run_context& context,
                                                      const sender_options& options);

  [[nodiscard]] ledger_source& ledger() const { return *ledger_; }
  /// The connection to a running network; nullptr in a dry run.
  [[nodiscard]] network_connection* network() const { return network_; }
  [[nodiscard]] const address& who() const { return who_; }
  [[nodiscard]] const home_key& key() const { return key_; }
  [[nodiscard]] bool is_dry_run() const { return options_.dry_run; }
  /// The secret key. The passphrase is asked for at most once.
  [[nodiscard]] expected<crypto::key_pair, failure> secret();

  /// Tries a transaction out on the present ledger.
  [[nodiscard]] foreseen foresee(const transaction_kind& kind) const;
  /// Signs a transaction with the account's next nonce. Blocks can take it until the next epoch
  /// ends.
  [[nodiscard]] expected<wallet::own_transaction, failure> sign(transaction_kind kind);
  /// Offers a transaction and waits until a block has it. It fails if the validator does not take
  /// the transaction, if the block refuses it, if it expires, if the validator does not answer any
  /// more, or if a stop is asked for; the last two say that the transaction may still count.
  /// `expiry` and `nonce` are those of the transaction. A gateway that says that a block has it is
  /// believed only once the proven row of the account shows that the nonce is used.
  [[nodiscard]] expected<sent, failure> deliver(const signed_transaction& transaction,
                                                epoch_number expiry, std::uint64_t nonce);
  /// Does all steps: tries the transaction out, signs it and delivers it. A refusal begins with
  /// `doing`, such as "cannot send 5 SOMA".
  [[nodiscard]] expected<sent, failure> send(const transaction_kind& kind,
                                             const std::string& doing);

 private:
  [[nodiscard]] expected<sent, failure> offer_and_wait(const signed_transaction& transaction,
                                                       epoch_number expiry, std::uint64_t nonce);

  sender_options options_;
  std::unique_ptr<ledger_source> ledger_;
  network_connection* network_ = nullptr;
  home_key key_;
  address who_;
  std::optional<crypto::key_pair> secret_;
};

/// Reads an amount as people type it.
[[nodiscard]] expected<shannons, failure> amount_of(const std::string& text);

/// The facts about the transaction that every sending verb prints after its own facts: as JSON, and
/// as lines on stdout.
void add_receipt(json& facts, const sent& done);
void print_receipt(const sent& done);

}  // namespace soma::cli
