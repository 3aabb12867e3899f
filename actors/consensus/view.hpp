// One view of the consensus, as one process knows it: the votes of members, the certificates, the
// proposals of the leader, and the decisions of this process itself. The rules by which a process
// votes within one view are here. The core has the rules that look at several views, at blocks or
// at the right to sign. What must hold, in every view and over every restart:
//   - This process notarizes at most one block.
//   - It never skips a view that it has finalized, and never finalizes a view that it has skipped.
//   - A decision counts from the moment it is taken. It is sent later, when it is durable.
#pragma once

#include <set>

#include "actors/consensus/agreement.hpp"

namespace soma::consensus {

/// How two signed statements of one member exclude each other. Each kind is reported once for a
/// member and a view.
enum class offence : std::uint8_t { two_notarize, two_finalize, skip_and_finalize, two_headers };

/// The votes for one statement.
struct vote_tally {
  signer_set signers;
  voting_power power;
  std::map<seat_index, signature> signatures;
};

/// A vote of a member that counts.
struct heard_vote {
  vote_kind kind{};
  block_id block;  // zero for a skip
  signature by_signer{};
};

/// A block that the leader of the view proposed.
struct seen_proposal {
  block_ptr block;
  bool refused = false;  // its execution or its header is wrong
};

/// The result of counting a vote.
struct counted_vote {
  const vote_tally* tally = nullptr;  // the tally that holds the vote; null when it does not count
  std::optional<offence> offence_of_signer;
  /// With an offence: the earlier vote, which counts and which this one contradicts.
  vote_statement earlier;
  signature earlier_signature{};
};

/// The proposal of this process, when it leads the view.
struct own_proposal {
  block_id id;
  bool durable = false;
  /// Shows which members are paid for the parent. Absent after a restart.
  std::optional<certificate> parent;
};

/// An estimate of what a block takes in memory.
[[nodiscard]] inline std::size_t held_bytes_of(const block& b) {
  return sizeof(block) + b.header.payload_bytes;
}

class view_state {
 public:
  // ---- decisions of this process

  /// By R4 a process may notarize once in a view: the first block that it has seen of the leader,
  /// unless that block was refused. A second block of the leader is only evidence. Having skipped
  /// the view does not forbid it.
  [[nodiscard]] bool may_notarize(const block_id& block) const;
  /// By R8 a process may skip a view once, unless it has finalized in it.
  [[nodiscard]] bool may_skip() const;
  /// By R7 a process may finalize the block that a quorum has notarized, if the process itself has
  /// notarized this block and has not skipped the view.
  [[nodiscard]] bool may_finalize() const;
  /// Each of these takes one decision, and asserts that the process may take it.
  void notarize(const block_id& block);
  void skip();
  void finalize();

  /// By R2 a process proposes at most once in a view.
  void propose(const block_ptr& block, std::optional<certificate> parent);
  void set_proposal_durable();

  /// Restores a decision of an earlier process from the record, by R0.
  void recall(vote_kind kind, const block_id& block);
  /// Restores a proposal in the same way; `block` is null when the record does not hold it.
  void recall_proposal(const block_id& id, const block_ptr& block);

  [[nodiscard]] bool has_said(vote_kind kind, const block_id& block) const;
  [[nodiscard]] const std::optional<block_id>& own_notarize() const { return own_notarize_; }
  [[nodiscard]] const std::optional<block_id>& own_finalize() const { return own_finalize_; }
  [[nodiscard]] const std::optional<own_proposal>& proposed() const { return proposed_; }

  // ---- votes of members

  /// Takes a vote with a valid signature, of a member with this power. By R5 the first vote of a
  /// kind counts. A later one that contradicts it does not count; the two together are evidence.
  [[nodiscard]] counted_vote count(const member_vote& vote, voting_power power);
  /// Whether exactly this vote was counted before.
  [[nodiscard]] bool has_counted(const member_vote& vote) const;
  [[nodiscard]] bool has_notarized(seat_index member) const;
  /// All votes of a member that count.
  [[nodiscard]] std::vector<heard_vote> votes_of(seat_index member) const;
  /// Null when no vote for this statement counts.
  [[nodiscard]] const vote_tally* tally(vote_kind kind, const block_id& block) const;
  /// Notes an offence of a member. True when it is noted for the first time in this view.
  [[nodiscard]] bool accuse(seat_index member, offence what);

  // ---- certificates

  /// Null when the process holds no certificate of this kind.
  [[nodiscard]] const certificate* held(vote_kind kind) const;
  [[nodiscard]] const std::map<vote_kind, certificate>& certificates() const {
    return certificates_;
  }
  /// Keeps a certificate. By R6 one of each kind is kept.
  void keep(const certificate& c);
  /// Notes that a peer has the certificate of this kind.
  void note_shown(vote_kind kind, peer_number to) { shown_[kind].insert(to); }
  [[nodiscard]] bool has_shown(vote_kind kind, peer_number who) const {
    const auto found = shown_.find(kind);
    return found != shown_.end() && found->second.contains(who);
  }

  // ---- proposals of the leader

  [[nodiscard]] const std::vector<seen_proposal>& proposals() const { return proposals_; }
  [[nodiscard]] bool has_seen(const block_id& proposal) const;
  void add_proposal(const block_ptr& block, bool refused);
  void refuse(const block_id& proposal);

  // ---- memory, bounded by S11

  /// For a view that was skipped long ago: keeps its certificates and the block that this process
  /// notarized, because a quorum may still prove that it notarized that block, too. Forgets the
  /// rest, and returns the blocks that are of no more use.
  [[nodiscard]] std::vector<block_id> forget_votes();
  /// An estimate of the memory that the view takes.
  [[nodiscard]] std::size_t held_bytes() const;

 private:
  /// The first vote of one kind that a member cast.
  struct first_vote {
    block_id block;
    signature by_signer{};
  };
  using first_votes = std::map<seat_index, first_vote>;

  [[nodiscard]] static counted_vote count_in(vote_tally& tally, const member_vote& vote,
                                             voting_power power);

  std::optional<block_id> own_notarize_, own_finalize_;
  bool own_skip_ = false;
  std::optional<own_proposal> proposed_;

  std::map<block_id, vote_tally> notarize_, finalize_;
  vote_tally skip_;
  first_votes first_notarize_, first_finalize_;
  std::set<std::pair<seat_index, offence>> accused_;

  std::map<vote_kind, certificate> certificates_;
  std::map<vote_kind, std::set<peer_number>> shown_;  // the peers that have the certificate
  std::vector<seen_proposal> proposals_;
};

}  // namespace soma::consensus
