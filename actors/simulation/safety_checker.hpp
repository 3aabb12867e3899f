// Checks the invariants S1-S10 of agreement over the whole network. It knows every vote that was
// ever signed and every block that a correct node finalized, which no node can know, and reports a
// violation at once. A vote of a correct node exists from the moment when it is durable; a vote of
// a Byzantine node exists from the moment when it is signed.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/simulation/ledger.hpp"

namespace soma::simulation {

class safety_checker {
 public:
  safety_checker(const fault_plan& p, const keyring& keys, const toy_chain& chain);

  [[nodiscard]] const std::optional<std::string>& violation() const { return violation_; }
  void fail(std::string violation);
  /// Fails, unless the plan gives the Byzantine nodes more power than is tolerated. In such a run
  /// only S1 is a violation, so that it shows whether agreement itself breaks.
  void fail_unless_beyond(std::string violation);

  // ---- votes
  /// A vote exists now. Checks S2 and R7 for correct keys, and S3 for all keys.
  void vote_exists(const public_key& key, const vote_statement& vote, bool correct);
  [[nodiscard]] bool is_known(const public_key& key, const vote_statement& vote) const;
  void proposal_exists(const public_key& key, std::uint64_t epoch, view_number view,
                       const block_id& block);
  /// S4 for what a correct node sends or keeps: its own votes and proposals are durable, and the
  /// votes of others that it shows exist.
  void check_sent_vote(std::uint32_t node_index, const public_key& key, const vote_statement& vote);
  void check_sent_proposal(std::uint32_t node_index, const public_key& key,
                           const identified_block& b);
  void check_certificate(std::uint32_t node_index, const certificate& c);
  /// The highest epoch in which the key has voted, for S10; nullopt when it never has.
  [[nodiscard]] std::optional<std::uint64_t> last_epoch_of(const public_key& key) const;

  // ---- blocks
  /// A correct node appended this block. Checks S1, S7 and S8.
  void finalized(std::uint32_t node_index, std::uint64_t height, const consensus::final_block& b,
                 const executed_ptr& executed);
  [[nodiscard]] std::uint64_t height() const { return chain_.size(); }
  [[nodiscard]] const block_ptr& at(std::uint64_t height) const { return chain_[height - 1]; }
  [[nodiscard]] std::uint64_t epochs_closed() const { return committees_.size() - 1; }
  [[nodiscard]] const state_ptr& tip_state() const { return tip_state_; }
  [[nodiscard]] const consensus::committee* members(std::uint64_t epoch) const {
    return epoch < committees_.size() ? &committees_[epoch] : nullptr;
  }
  [[nodiscard]] std::uint64_t views_skipped() const { return views_skipped_; }

 private:
  struct tally {
    vote_statement statement;
    voting_power power;
    signer_set signers;
  };
  struct said {
    public_key key{};
    vote_statement statement;
    friend bool operator==(const said&, const said&) = default;
  };
  struct view_votes {
    std::vector<tally> tallies;
    std::vector<said> votes;
  };
  using epoch_and_view = std::pair<std::uint64_t, view_number>;

  [[nodiscard]] const view_votes* find(const epoch_and_view& where) const;
  [[nodiscard]] const tally* tally_of(const vote_statement& statement) const;
  [[nodiscard]] bool has_quorum(vote_kind kind, std::uint64_t epoch, view_number view,
                                const block_id& block) const;
  void check_own(const said& vote, const view_votes& all);
  void count(const said& vote, view_votes& all);
  void check_quorum(const tally& full, const view_votes& all);
  void check_first_seen(const consensus::final_block& b);
  void check_proof(std::uint32_t node_index, const consensus::final_block& b);

  const keyring& keys_;
  bool beyond_;
  std::optional<std::string> violation_;
  std::map<epoch_and_view, view_votes> views_;
  std::map<std::pair<public_key, epoch_and_view>, block_id> proposals_;
  std::map<public_key, std::uint64_t> last_epochs_;
  std::vector<block_ptr> chain_;
  std::vector<consensus::committee> committees_;  // by epoch
  state_ptr tip_state_;
  std::uint64_t views_skipped_ = 0;
};

[[nodiscard]] std::string to_text(const vote_statement& vote);

}  // namespace soma::simulation
