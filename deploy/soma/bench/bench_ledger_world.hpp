// A ledger of any size and the traffic for it, which `soma bench ledger` runs. Accounts and active
// models are written into the store as rows. Stakes, targets and claims come from blocks that the
// rules have executed. No model is run: a distance is a hash, since only the rules are measured.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "actors/rules/execution.hpp"
#include "actors/state_tree/state_tree.hpp"
#include "messages/crypto/ed25519.hpp"
#include "messages/values/splitmix64.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::cli {

struct ledger_world_options {
  std::filesystem::path folder;  // the new ledger is made in it
  std::uint64_t accounts = 1'000'000;
  std::uint64_t models = 100'000;
  std::uint32_t dim = 64;  // the number of values of an embedding and of a target's point
  std::uint64_t seed = 0;
  bool sync = true;
};

/// Is called with every row of height 0 in the order of the keys, except the chain row.
using row_taker = std::function<void(byte_view key, byte_view value)>;

/// How long each part of the work for one block took.
struct block_times {
  double decode_seconds = 0;  // and verifying, if the block is signed
  double rules_seconds = 0;
  double root_seconds = 0;
  double commit_seconds = 0;
};

class ledger_world {
 public:
  /// Fills the store with the rows of height 0. `also` is called with the same rows.
  explicit ledger_world(const ledger_world_options& options, const row_taker& also = {});

  /// Gives the ledger a history: so many blocks, each with a few transfers, a claim, the reveal and
  /// the audit of the claims before it, deposits and new models, in epochs of 100 blocks. The same
  /// seed gives the same chain. It is not synced until it is whole. `each` is called after every
  /// block.
  void live_through(std::uint64_t blocks, const std::function<void()>& each = {});

  /// Runs blocks of stakes and of model commitments and ends their epoch. Afterwards targets are
  /// open, stakes can be withdrawn, and models wait for their reveal.
  void prepare(std::size_t reveals_wanted);

  enum class traffic : std::uint8_t {
    signed_blocks,  // the senders are the accounts that have keys
    unsigned_blocks,
    history,  // unsigned, and with a few transactions only
    empty,
  };
  /// Makes a block that fits the present state: 1,000 mixed transactions, or none if `kind` is
  /// `empty`.
  [[nodiscard]] block next_block(traffic kind, bool closes_epoch = false);

  struct outcome {
    block_times times;
    std::size_t rows = 0;     // that the block changed
    std::size_t refused = 0;  // transactions that the rules refused
    std::string first_refusal;
  };
  /// Executes the block and commits it to the store.
  outcome run(block made, traffic kind);
  [[nodiscard]] tables::ledger_store& store() { return *store_; }

  [[nodiscard]] std::uint64_t accounts() const { return options_.accounts; }
  /// Public keys of the senders of a signed block, in the order of its transactions.
  [[nodiscard]] std::vector<public_key> senders_of(const block& made) const;

 private:
  class first_rows;
  struct committed_model {
    std::uint64_t owner = 0;
    model_id id;
    hash256 salt;
  };
  struct claimed {
    target_id target;
    std::uint64_t sender = 0;
    data_hash data;
    hash256 salt;
  };

  [[nodiscard]] public_key public_of(std::uint64_t account) const;
  [[nodiscard]] std::uint64_t next_keyed() { return keyed_turn_++ % keys_.size(); }
  [[nodiscard]] std::uint64_t next_plain();
  [[nodiscard]] std::uint64_t random() { return random_.next(); }
  [[nodiscard]] hash256 made_up(std::string_view label, std::uint64_t number) const;
  void open_store(bool sync);
  [[nodiscard]] rules::drawn_targets draw(const rules::execution& begun) const;

  [[nodiscard]] weights_manifest some_manifest(const hash256& root) const;
  [[nodiscard]] std::vector<float> some_embedding(std::uint64_t number) const;
  void send(block& into, std::uint64_t account, transaction_kind kind, traffic how);
  void send_votes(block& into, traffic how);
  void send_claims(block& into, std::size_t claims, traffic how);
  void send_models(block& into, traffic how);
  void send_stakes(block& into, traffic how);
  void send_history(block& into);
  void commit_models(block& into, std::size_t count, traffic how);
  [[nodiscard]] transaction_kind transfer();

  ledger_world_options options_;
  splitmix64 random_;
  soma::genesis genesis_;
  chain_id chain_;
  // Senders are numbered: first the accounts, then the validators. Only the first keys_.size()
  // accounts have keys.
  std::vector<crypto::key_pair> keys_;
  std::vector<crypto::key_pair> validators_;
  std::vector<std::uint32_t> nonces_;  // by the sender's number
  std::vector<model_id> models_;       // the first models, which belong to accounts with keys
  std::unique_ptr<tables::ledger_store> store_;
  state_tree::tree tree_;
  rules::active_models active_;
  chain_row tip_;
  block_id last_;
  std::uint64_t keyed_turn_ = 0, plain_turn_ = 0;
  std::vector<committed_model> committed_;  // models that wait for their reveal
  std::vector<claimed> claims_;             // claims of the previous block
  std::vector<target_id> revealed_;         // targets whose claims the previous block revealed
  std::vector<model_id> models_revealed_;   // models that the previous block revealed
};

}  // namespace soma::cli
