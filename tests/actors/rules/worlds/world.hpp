// A world: a chain without a network. It takes steps, executes blocks and checks every invariant
// after every block. Throws a violation when one does not hold.
#pragma once

#include <memory>
#include <unordered_map>

#include "actors/rules/execution.hpp"
#include "actors/state_tree/state_tree.hpp"
#include "tests/actors/rules/worlds/coverage.hpp"
#include "tests/actors/rules/worlds/invariants.hpp"
#include "tests/actors/rules/worlds/mirror.hpp"
#include "tests/actors/rules/worlds/script.hpp"

namespace soma::test {

/// How often the expensive comparisons are made: after every so many blocks; 0 means never.
struct strictness {
  // the block is executed again with scans reversed and must give the same bytes
  std::uint64_t twin_every = 1;
  // it is executed without a refused transaction and must give the same rows
  std::uint64_t without_every = 1;
  std::uint64_t recount_every = 1;  // counts in epochs: all rows are counted again
  std::uint64_t tree_every = 16;    // the state tree is built anew; 0 means that there is no tree
};

class world {
 public:
  world(std::uint64_t seed, const soma::genesis& genesis, const strictness& how);

  /// Takes one step. A transaction waits for the next block; a block is executed and checked.
  void take(const step& what);

  [[nodiscard]] const mirror& rows() const { return rows_; }
  [[nodiscard]] const soma::genesis& genesis() const { return genesis_; }
  [[nodiscard]] const chain_id& chain() const { return chain_; }
  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  [[nodiscard]] std::size_t waiting() const { return queue_.size(); }
  [[nodiscard]] const coverage& seen() const { return seen_; }
  /// The steps of the protocol's diagrams that were taken.
  [[nodiscard]] std::set<life_step> steps() const { return invariants_.steps(); }
  [[nodiscard]] std::uint64_t samples() const { return invariants_.samples(); }
  [[nodiscard]] const rules::effects& last() const { return last_; }
  /// Counts all rows once more, at the end of a world.
  void recount() const;
  /// Checks what must have come back after all people left and the last audit ended.
  void check_empty() const;

 private:
  void send(const step& what);
  void replay(const step& what);
  void run_block(const step& what);
  [[nodiscard]] rules::block_input next_block(const step& what);
  [[nodiscard]] std::vector<address> signers(const step& what) const;
  void choose_proposer(rules::block_input& block, std::size_t from) const;
  void check_peel(const rules::block_input& block) const;
  [[nodiscard]] rules::effects execute(const rules::block_input& block,
                                       const rules::active_models& active) const;
  void check_twin(const rules::block_input& block, const rules::effects& done);
  void check_without(const rules::block_input& block, const rules::effects& done);
  void check_tree(const rules::effects& done);

  std::uint64_t seed_;
  soma::genesis genesis_;
  strictness how_;
  chain_id chain_;
  mirror rows_;
  rules::active_models active_;
  std::unique_ptr<state_tree::tree> tree_;
  invariants invariants_;
  std::vector<rules::block_transaction> queue_;
  std::unordered_map<address, std::uint64_t> queued_;  // per sender: the nonce that was next
  std::unordered_map<std::uint64_t, rules::block_transaction> sent_;  // by serial
  rules::effects last_;
  coverage seen_;
};

}  // namespace soma::test
