// The common part of the scenarios of agreement. A scenario is a function of a seed. It returns
// what it should have shown and did not show, as a text, or an empty text. With a core in which a
// rule is broken (tests/mutants) it has to return some text.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "actors/simulation/simulated_network.hpp"
#include "actors/simulation/toy_chain.hpp"

namespace soma::simulation::testing {

/// What is wrong; empty when everything is as it should be.
using shortcoming = std::string;
using scenario = std::function<shortcoming(std::uint64_t seed)>;

/// Requires that the scenario holds for each of these seeds. Does nothing with the core of a
/// mutant.
void holds(const scenario& s, std::uint64_t first, std::uint64_t last);
/// Checks that one of these seeds notices the mutant of this name (tests/mutants/agreement.txt).
/// Does nothing unless the program was linked with the core of that mutant. The scenario runs in a
/// process of its own, because a broken core may end it, which also counts as noticed.
void notices(const scenario& s, std::string_view mutant, std::uint64_t first, std::uint64_t last);

/// Declares that this program was linked with the core of a mutant, not with that of the product.
void set_mutant(std::string name);
/// How often `notices` was called for that mutant, and how many of these calls noticed it.
struct seen_scenarios {
  std::size_t asked = 0;
  std::size_t noticed = 0;
};
[[nodiscard]] const seen_scenarios& scenarios_seen();

/// A size from 4 to 13; ten seeds in a row have all sizes.
[[nodiscard]] inline std::size_t size_of_seed(std::uint64_t seed) {
  return 4 + seed * 3 % 10;
}
/// 4, 7, 10 or 13: if the tolerated number of members of equal power is missing, all others are
/// needed for a quorum.
[[nodiscard]] inline std::size_t tight_size(std::uint64_t seed) {
  return 4 + seed % 4 * 3;
}
[[nodiscard]] inline std::size_t most_faulty(std::size_t size) {
  return (size - 1) / 3;
}

/// A quiet_plan that never heals by itself, since the scenario decides when it heals.
[[nodiscard]] fault_plan story_plan(std::uint64_t seed, std::size_t size, std::size_t spare = 0,
                                    std::uint32_t transactions_per_s = 4);
[[nodiscard]] network begin(fault_plan p);
/// The violation of the run if there is one, otherwise `trouble`.
[[nodiscard]] shortcoming fails(const network& net, std::string trouble);
/// The result of a scenario that came to its end: the violation if there is one.
[[nodiscard]] shortcoming ends(const network& net);

/// A behaviour that does nothing by itself. The safety checker takes the node for Byzantine, and
/// the scenario may send messages in its name.
inline constexpr std::uint32_t puppet = std::uint32_t{1} << 20;

[[nodiscard]] std::uint64_t longest(const network& net);
[[nodiscard]] view_number highest_view(const network& net);
/// The timeout of a view that is so many views above the last final one.
[[nodiscard]] std::uint64_t timeout_ms(std::uint64_t above_base,
                                       const consensus::simplex_options& o = {});
/// After a network is whole again, all nodes have to have new final blocks within this time: three
/// of the longest timeouts in force, the longest wait between two standstill messages, and some
/// views.
[[nodiscard]] std::uint64_t heal_bound_ms(const network& net);

template <class Message>
[[nodiscard]] std::shared_ptr<const peer_message> message(Message m) {
  return std::make_shared<const peer_message>(std::move(m));
}
/// The epoch and view that a message is about.
struct about {
  epoch_number epoch;
  view_number view;
};
[[nodiscard]] std::optional<about> what_about(const peer_message& m);

/// Records the votes and proposals of all nodes, and drops the messages that the scenario wants to
/// be lost.
class listener {
 public:
  explicit listener(network& net);
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;

  using question = std::function<bool(std::uint32_t, std::uint32_t, const peer_message&)>;
  question drops;  // true drops a message; not asked while lets_all_through
  bool lets_all_through = false;

  /// What each node has said; each statement once.
  std::map<std::uint32_t, std::vector<vote_statement>> votes;
  /// By sender, which need not be the leader of the block.
  std::map<std::uint32_t, std::vector<block_ptr>> proposals;
  [[nodiscard]] bool said(std::uint32_t node_index, const vote_statement& statement) const;
  /// The number of votes of any kind in the epoch `first` or later.
  [[nodiscard]] std::size_t votes_from(std::uint32_t node_index, epoch_number first) const;
  void forget();

 private:
  void hear(std::uint32_t from, const peer_message& m);
  void hear(std::uint32_t from, const vote_statement& v);
};

/// Makes sound blocks, and everything else that the holder of a key can sign. It learns the states
/// from the blocks that it is shown.
class forger {
 public:
  explicit forger(const fault_plan& p);
  void see(const block_ptr& b);
  /// A block of the same height and view as this one, with another time, signed by the same leader.
  [[nodiscard]] block_ptr rival(const identified_block& own, std::uint64_t which);
  /// A block of the same view on another parent, which `see` was given.
  [[nodiscard]] block_ptr on_parent(const identified_block& own, const identified_block& parent,
                                    std::uint64_t which);
  [[nodiscard]] certificate certified(const vote_statement& statement,
                                      const std::vector<std::uint16_t>& identities) const;
  [[nodiscard]] block_ptr signed_again(block made) const;  // signed by its proposer
  [[nodiscard]] const keyring& keys() const { return keys_; }
  [[nodiscard]] block_ptr seen_at(view_number view) const;  // of epoch 0, or null

 private:
  [[nodiscard]] block_ptr finish(block_header draft, const state_ptr& state,
                                 std::vector<signed_transaction> payload,
                                 const signer_set& signers);
  fault_plan plan_;
  keyring keys_;
  toy_chain toy_;
  std::map<block_id, state_ptr> states_;
  std::map<view_number, block_ptr> by_view_;
};

}  // namespace soma::simulation::testing
