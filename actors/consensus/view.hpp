// One view of agreement, as one process knows it: what members have said in it, what is certified
// in it, what its leader proposed, and what this process itself has decided to say. The rules by
// which a process votes within a view are here; the rules that look at several views, at blocks or
// at the right to sign are the core's. What must hold, in every view and over every restart:
//   - At most one block is notarized.
//   - A view that is finalized is not skipped, and a view that is skipped is not finalized.
//   - A decision counts from the moment in which it is taken. It is said later, when it is durable.
#pragma once

#include <set>

#include "actors/consensus/agreement.hpp"

namespace soma::consensus {

/// Two signed statements of one member that exclude each other. Each class is reported once for a
/// member and a view.
enum class offence : std::uint8_t { two_notarize, two_finalize, skip_and_finalize, two_headers };

/// The votes for one statement.
struct vote_tally {
  signer_set signers;
  std::uint32_t power = 0;
  std::map<std::uint16_t, signature> signatures;
};

/// What a member said with one kind of vote.
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

/// What becomes of a vote.
struct counted_vote {
  const vote_tally* tally = nullptr;  // where it counts now; null: it does not count
  std::optional<offence> offence_of_signer;
  vote_statement earlier;  // with an offence: the vote that counts, and that this one contradicts
  signature earlier_signature{};
};

/// The proposal of this process, when it leads the view.
struct own_proposal {
  block_id id;
  bool durable = false;
  /// What shows who is paid for the parent. Absent after a restart.
  std::optional<certificate> parent;
};

/// An estimate of what a block takes in memory.
[[nodiscard]] inline std::size_t held_bytes_of(const block& b) {
  return sizeof(block) + b.header.payload_bytes;
}

class view_state {
 public:
  // ---- what this process says

  /// By R4 the first block that the leader was seen to propose may be notarized, once, unless it
  /// was refused. A second block of the leader is evidence alone. A skip does not forbid it.
  [[nodiscard]] bool may_notarize(const block_id& block) const;
  /// By R8 a view in which this process has finalized is never skipped.
  [[nodiscard]] bool may_skip() const;
  /// By R7 a block that a quorum notarized may be finalized by those that notarized it, too, and
  /// have not skipped the view.
  [[nodiscard]] bool may_finalize() const;
  /// Each takes the decision that may be taken, and asserts that it may be.
  void notarize(const block_id& block);
  void skip();
  void finalize();

  /// By R2 there is one proposal a view.
  void propose(const block_ptr& block, std::optional<certificate> parent);
  void set_proposal_durable();

  /// A decision of an earlier life, which R0 takes from the record.
  void recall(vote_kind kind, const block_id& block);
  /// The same for a proposal; `block` is null when the record does not hold it.
  void recall_proposal(const block_id& id, const block_ptr& block);

  [[nodiscard]] bool has_said(vote_kind kind, const block_id& block) const;
  [[nodiscard]] const std::optional<block_id>& own_notarize() const { return own_notarize_; }
  [[nodiscard]] const std::optional<block_id>& own_finalize() const { return own_finalize_; }
  [[nodiscard]] const std::optional<own_proposal>& proposed() const { return proposed_; }

  // ---- what members say

  /// Takes a vote whose signature holds, of a member with this power. By R5 the first vote of a
  /// kind counts. A later one that contradicts it does not: the two together are evidence.
  [[nodiscard]] counted_vote count(const member_vote& vote, std::uint32_t power);
  /// Whether exactly this vote was counted before.
  [[nodiscard]] bool has_counted(const member_vote& vote) const;
  [[nodiscard]] bool has_notarized(std::uint16_t member) const;
  /// Everything that counts of a member.
  [[nodiscard]] std::vector<heard_vote> votes_of(std::uint16_t member) const;
  /// Null without a vote.
  [[nodiscard]] const vote_tally* tally(vote_kind kind, const block_id& block) const;
  /// Whether this offence of this member is seen for the first time in the view.
  [[nodiscard]] bool accuse(std::uint16_t member, offence what);

  // ---- what is certified

  /// Null when there is none of this kind.
  [[nodiscard]] const certificate* held(vote_kind kind) const;
  [[nodiscard]] const std::map<vote_kind, certificate>& certificates() const {
    return certificates_;
  }
  /// By R6 one of each kind is kept.
  void keep(const certificate& c);
  /// Notes that a peer has the certificate of this kind. False: it was noted before.
  bool note_shown(vote_kind kind, peer_number to) { return shown_[kind].insert(to).second; }

  // ---- what its leader proposes

  [[nodiscard]] const std::vector<seen_proposal>& proposals() const { return proposals_; }
  [[nodiscard]] bool has_seen(const block_id& proposal) const;
  void add_proposal(const block_ptr& block, bool refused);
  void refuse(const block_id& proposal);

  // ---- memory, bounded by S11

  /// Of a view that was skipped long ago the certificate suffices, and of its blocks the one that
  /// was notarized here, because a quorum may still show that it notarized it, too. Forgets the
  /// rest, and returns the blocks that are of no more use.
  [[nodiscard]] std::vector<block_id> forget_votes();
  /// An estimate.
  [[nodiscard]] std::size_t held_bytes() const;

 private:
  /// What a member said first with one kind of vote.
  struct first_vote {
    block_id block;
    signature by_signer{};
  };
  using first_votes = std::map<std::uint16_t, first_vote>;

  [[nodiscard]] static counted_vote count_in(vote_tally& tally, const member_vote& vote,
                                             std::uint32_t power);

  std::optional<block_id> own_notarize_, own_finalize_;
  bool own_skip_ = false;
  std::optional<own_proposal> proposed_;

  std::map<block_id, vote_tally> notarize_, finalize_;
  vote_tally skip_;
  first_votes first_notarize_, first_finalize_;
  std::set<std::pair<std::uint16_t, offence>> accused_;

  std::map<vote_kind, certificate> certificates_;
  std::map<vote_kind, std::set<peer_number>> shown_;  // to whom
  std::vector<seen_proposal> proposals_;
};

}  // namespace soma::consensus
