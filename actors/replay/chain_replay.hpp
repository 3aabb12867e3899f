// A chain executed once more by someone who trusts nobody: from its genesis and its blocks alone.
// Every header, signature and transaction is checked, every block is run through the rules, targets
// are drawn anew, and the state root that the block claims is held against the one that comes out.
// What must hold:
//   - A block is taken in whole or not at all: after a difference the state is that of the block
//     before, and another block may be tried in its place.
//   - Nothing a block says can end the program.
//   - The same blocks give the same verdicts, whatever holds the rows and with every number of
//     threads.
#pragma once

#include <memory>
#include <string>

#include "actors/replay/rows.hpp"
#include "actors/replay/target_drawing.hpp"
#include "actors/rules/state_tree.hpp"
#include "messages/types/expected.hpp"
#include "messages/types/genesis.hpp"

namespace soma::replay {

/// What about a block is not as it has to be; checked in this order.
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
  wrong_parent_signers,  // of nobody's seat, or for a parent of another epoch
  bad_transaction,
  cannot_follow,  // the rules take no such block here: its time, or its size
  wrong_flags,
  wrong_next_committee,
  wrong_state_root,
};
[[nodiscard]] std::string_view to_text(fault what);

struct difference {
  fault what{};
  std::string expected;  // what an honest proposer would have written
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
  chain_replay(const genesis& born, std::unique_ptr<row_store> rows, unsigned threads = 1);

  /// Takes in the next block or says what is wrong with it.
  [[nodiscard]] expected<replayed_block, difference> next(const block& whole);

  /// As it is after the last block that was taken in.
  [[nodiscard]] const chain_row& chain() const { return chain_; }
  [[nodiscard]] const state_root& root() const { return tree_.root(); }
  [[nodiscard]] const rules::state_reader& rows() const { return *rows_; }

 private:
  [[nodiscard]] std::optional<difference> check_header(const block_header& header) const;
  [[nodiscard]] std::optional<difference> check_proposer(const block& whole,
                                                         const block_id& id) const;
  [[nodiscard]] static std::optional<difference> check_payload(const block& whole);
  /// The input of the rules; signers without a seat and transactions whose signatures do not hold
  /// are a difference.
  [[nodiscard]] expected<rules::block_input, difference> input_of(const block& whole) const;
  [[nodiscard]] static std::optional<difference> check_outcome(
      const block_header& header, const rules::effects& result,
      const rules::state_tree::prepared& tree);

  genesis born_;
  chain_id id_;
  std::unique_ptr<row_store> rows_;
  rules::state_tree tree_;
  rules::active_models active_;
  target_drawing drawing_;
  chain_row chain_;
  block_id last_;
  std::uint64_t last_view_ = 0;  // 0 when an epoch begins: each counts its views anew
};

}  // namespace soma::replay
