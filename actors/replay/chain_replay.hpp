// Executes a chain again from its genesis and its blocks alone, without trust in any validator.
// Every header, signature and transaction is checked, every block is run through the rules, targets
// are drawn again, and the state root that a block claims is compared with the one that comes out.
// What must hold:
//   - A block is taken in whole or not at all: after a difference the state is that of the block
//     before, and another block may be tried in its place.
//   - Nothing a block says can end the program.
//   - The same blocks give the same verdicts, with every kind of row store and every number of
//     threads.
#pragma once

#include <memory>
#include <string>

#include "actors/replay/rows.hpp"
#include "actors/replay/target_drawing.hpp"
#include "actors/state_tree/state_tree.hpp"
#include "messages/values/expected.hpp"
#include "messages/values/genesis.hpp"

namespace soma::replay {

/// What is wrong with a block; checked in this order.
enum class fault : std::uint8_t {
  wrong_version,
  wrong_chain,
  wrong_height,
  wrong_epoch,
  wrong_parent,
  wrong_view,
  no_such_proposer,
  bad_proposer_signature,
  wrong_transaction_count,
  wrong_payload_size,
  wrong_payload_root,
  wrong_parent_signers,  // a seat that does not exist, or a parent of another epoch
  bad_transaction,
  cannot_follow,  // rules::check_block refuses its time or its size
  wrong_flags,
  wrong_next_committee,
  wrong_state_root,
};
[[nodiscard]] std::string_view to_text(fault kind);

struct difference {
  fault kind{};
  std::string expected;  // what the block would have to say
  std::string found;
};

struct replayed_block {
  block_id id;
  bool closes_epoch = false;
  std::size_t transactions = 0;
  std::size_t refused = 0;  // of the transactions
};

class chain_replay {
 public:
  /// The genesis has passed rules::check_genesis. `rows` are empty and become the replay's.
  chain_replay(const soma::genesis& genesis, std::unique_ptr<row_store> rows, unsigned threads = 1);

  /// Takes in the next block or says what is wrong with it.
  [[nodiscard]] expected<replayed_block, difference> next(const block& candidate);

  /// As it is after the last block that was taken in.
  [[nodiscard]] const chain_row& chain() const { return chain_; }
  [[nodiscard]] const state_root& root() const { return tree_.root(); }
  [[nodiscard]] const ledger::state_reader& rows() const { return *rows_; }

 private:
  [[nodiscard]] std::optional<difference> check_header(const block_header& header) const;
  [[nodiscard]] std::optional<difference> check_proposer(const block& candidate,
                                                         const block_id& id) const;
  [[nodiscard]] static std::optional<difference> check_payload(const block& candidate);
  /// The input of the rules; signers without a seat and transactions whose signatures do not hold
  /// are a difference.
  [[nodiscard]] expected<rules::block_input, difference> input_of(const block& candidate) const;
  [[nodiscard]] static std::optional<difference> check_outcome(
      const block_header& header, const rules::effects& result,
      const state_tree::tree::prepared& tree);

  soma::genesis genesis_;
  chain_id id_;
  std::unique_ptr<row_store> rows_;
  state_tree::tree tree_;
  rules::active_models active_;
  target_drawing drawing_;
  chain_row chain_;
  block_id last_;
  std::uint64_t last_view_ = 0;  // 0 when an epoch begins, since views are counted by epoch
};

}  // namespace soma::replay
