// What the scenarios of agreement have in common. A scenario is a function of a seed that says what
// it should have shown and did not; run with a core whose rule is broken (tests/mutants) it has to
// say something.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "actors/simulation/simulated_network.hpp"
#include "actors/simulation/toy_chain.hpp"

namespace soma::simulation::testing {

/// Empty: everything is as it should be.
using shortcoming = std::string;
using scenario = std::function<shortcoming(std::uint64_t seed)>;

/// Every seed shows what it should. Reports to doctest. Does nothing with the core of a mutant.
void holds(const scenario& s, std::uint64_t first, std::uint64_t last);
/// Some seed notices the mutant of this name (tests/mutants/agreement.txt). Does nothing unless the
/// program was linked with that mutant's core. Runs in a process of its own, because a broken core
/// may end it, which counts.
void notices(const scenario& s, std::string_view mutant, std::uint64_t first, std::uint64_t last);

/// Says that this program was linked with the core of a mutant, not with the product's.
void set_mutant(std::string name);
/// The calls of `notices` for that mutant, and how many of them noticed it.
struct seen_scenarios {
  std::size_t asked = 0;
  std::size_t noticed = 0;
};
[[nodiscard]] const seen_scenarios& scenarios_seen();

/// 4 to 13, all of them in ten seeds.
[[nodiscard]] inline std::size_t size_of_seed(std::uint64_t seed) {
  return 4 + seed * 3 % 10;
}
/// 4, 7, 10, 13: members of equal power of which the tolerated number may be missing, and then
/// everybody else is needed.
[[nodiscard]] inline std::size_t tight_size(std::uint64_t seed) {
  return 4 + seed % 4 * 3;
}
[[nodiscard]] inline std::size_t most_faulty(std::size_t size) {
  return (size - 1) / 3;
}

/// quiet_plan, which never heals: the scenario does it.
[[nodiscard]] fault_plan story_plan(std::uint64_t seed, std::size_t size, std::size_t spare = 0,
                                    std::uint32_t transactions_per_s = 4);
[[nodiscard]] network begin(fault_plan p);
/// The violation if there is one, else this.
[[nodiscard]] shortcoming fails(const network& net, std::string trouble);
/// Of a scenario that went to its end.
[[nodiscard]] shortcoming ends(const network& net);

/// Nothing harmful by itself: the checkers take the node for Byzantine, and the scenario speaks in
/// its name.
inline constexpr std::uint32_t puppet = std::uint32_t{1} << 20;

[[nodiscard]] std::uint64_t longest(const network& net);
[[nodiscard]] std::uint64_t highest_view(const network& net);
/// Of a view this far above the last final one.
[[nodiscard]] std::uint64_t timeout_ms(std::uint64_t above_base,
                                       const consensus::simplex_options& o = {});
/// Within this a network that is whole again has to have new final blocks everywhere: the longest
/// timeout in force, the longest wait between two standstill messages, and a few views.
[[nodiscard]] std::uint64_t heal_bound_ms(const network& net);

template <class Message>
[[nodiscard]] std::shared_ptr<const peer_message> message(Message m) {
  return std::make_shared<const peer_message>(std::move(m));
}
/// What a message is about; its sender's view where it is about none.
struct about {
  epoch_number epoch;
  std::uint64_t view = 0;
};
[[nodiscard]] std::optional<about> what_about(const peer_message& m);

/// Writes down what everybody says, and drops what it is told to drop.
class listener {
 public:
  explicit listener(network& net);
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;

  using question = std::function<bool(std::uint32_t, std::uint32_t, const peer_message&)>;
  question drops;  // not asked of what is let through
  bool lets_all_through = false;

  /// Of one node; each once.
  std::map<std::uint32_t, std::vector<vote_statement>> votes;
  std::map<std::uint32_t, std::vector<block_ptr>> proposals;  // its own or others'
  [[nodiscard]] bool said(std::uint32_t node_index, const vote_statement& statement) const;
  /// Votes of any kind in this epoch or later.
  [[nodiscard]] std::size_t votes_from(std::uint32_t node_index, epoch_number first) const;
  void forget();

 private:
  void hear(std::uint32_t from, const peer_message& m);
  void hear(std::uint32_t from, const vote_statement& v);
};

/// Makes blocks that are sound, and whatever else a holder of a key can sign. It learns states from
/// the blocks that it is shown.
class forger {
 public:
  explicit forger(const fault_plan& p);
  void see(const block_ptr& b);
  /// A block of the same height and view as this one, with another time, signed by the same leader.
  [[nodiscard]] block_ptr rival(const identified_block& own, std::uint64_t which);
  /// In the same view, on another parent that was seen.
  [[nodiscard]] block_ptr on_parent(const identified_block& own, const identified_block& parent,
                                    std::uint64_t which);
  [[nodiscard]] certificate certified(const vote_statement& statement,
                                      const std::vector<std::uint16_t>& identities) const;
  [[nodiscard]] block_ptr signed_again(block made) const;  // by its proposer, as it is
  [[nodiscard]] const keyring& keys() const { return keys_; }
  [[nodiscard]] block_ptr seen_at(std::uint64_t view) const;  // of epoch 0; null

 private:
  [[nodiscard]] block_ptr finish(block_header draft, const state_ptr& state,
                                 std::vector<signed_transaction> payload,
                                 const signer_set& signers);
  fault_plan plan_;
  keyring keys_;
  toy_chain toy_;
  std::map<block_id, state_ptr> states_;
  std::map<std::uint64_t, block_ptr> by_view_;
};

}  // namespace soma::simulation::testing
