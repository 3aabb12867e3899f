// Executes a chain again from its genesis and its blocks alone, without trust in any validator. It
// checks every header, signature and transaction, executes every block by the rules, draws the
// targets again, and compares the state root in each header with the computed one. What must hold:
//   - A block is taken in as a whole or not at all. After a difference the state is that after the
//     previous block, and another block may be tried in its place.
//   - No content of a block can end the program.
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

/// What is wrong with a block, in the order of the checks.
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
  cannot_follow,  // rules::check_block refuses its time, its size or its peel
  wrong_flags,
  wrong_next_committee,
  wrong_state_root,
};
[[nodiscard]] std::string_view to_text(fault kind);

struct difference {
  fault kind{};
  std::string expected;  // the value that the block should have
  std::string found;
};

struct replayed_block {
  block_id id;
  bool closes_epoch = false;
  std::size_t transactions = 0;
  std::size_t refused = 0;  // how many of the transactions were refused
};

class chain_replay {
 public:
  /// The genesis must have passed rules::check_genesis, and `rows` must be empty.
  chain_replay(const soma::genesis& genesis, std::unique_ptr<row_store> rows, unsigned threads = 1);

  /// Takes the next block in, or returns what is wrong with it.
  [[nodiscard]] expected<replayed_block, difference> next(const block& candidate);

  // The state after the last block that was taken in.
  [[nodiscard]] const chain_row& chain() const { return chain_; }
  [[nodiscard]] const state_root& root() const { return tree_.root(); }
  [[nodiscard]] const ledger::state_reader& rows() const { return *rows_; }

 private:
  [[nodiscard]] std::optional<difference> check_header(const block_header& header) const;
  [[nodiscard]] std::optional<difference> check_proposer(const block& candidate,
                                                         const block_id& id) const;
  [[nodiscard]] static std::optional<difference> check_payload(const block& candidate);
  /// Makes the input for the rules. A signer without a seat or a transaction with a wrong signature
  /// is a difference.
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
  view_number last_view_;  // 0 when an epoch begins, because each epoch counts its views from 1
};

}  // namespace soma::replay
