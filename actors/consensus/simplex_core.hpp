// The inside of the agreement core: what it knows and the decisions it takes, one file a topic.
// Each event changes what is known; settle() then takes every decision that has become possible.
// What must hold:
//   - What was decided counts from the decision on (view.hpp), so that nothing conflicting is
//     decided while the write is under way; it is said only when the write is durable.
//   - One batch holds the decisions of a step and every certificate and block they rest on.
#pragma once

#include <deque>
#include <functional>
#include <set>

#include "actors/consensus/signing.hpp"
#include "actors/consensus/simplex.hpp"
#include "actors/consensus/view.hpp"
#include "messages/values/splitmix64.hpp"

namespace soma::consensus {

inline constexpr std::uint64_t view_window = 64;
inline constexpr std::size_t max_early_messages = 2'048;
inline constexpr std::size_t max_early_bytes = std::size_t{4} << 20;
inline constexpr std::size_t max_requests_per_s = 20;

/// A block above the base.
struct tree_block {
  block_ptr block;
  enum class stage : std::uint8_t { waiting, running, done, wrong } execution = stage::waiting;
  execution_result result;
  bool durable = false;
};

struct simplex::core {
  core(const chain_position& from, recalled past, ports access, simplex_options options);

  // ---- simplex.cpp: events, views, timers
  void step(const event& e);
  void on_started();
  void on_timer(timer_kind kind);
  void on_connected(peer_number peer, const public_key& key);
  void on_gone(peer_number peer);
  [[nodiscard]] bool hears_quorum() const;
  void send_its_votes(peer_number to, const public_key& key);
  void on_received(const received& e);
  void keep_early(const received& e);
  void enter(std::uint64_t view);
  void forget_old_votes();
  void settle();
  void arm(timer_kind kind, std::uint64_t after_ms);
  [[nodiscard]] std::uint64_t timeout_of(std::uint64_t view) const;
  void raise_alarm(std::string why);
  void tell(std::vector<peer_number> to, peer_message message);
  void recall(recalled past);

  // ---- simplex_votes.cpp
  void decide(vote_kind kind, std::uint64_t view, const block_id& block);
  void on_vote(peer_number from, const member_vote& vote);
  void count(const member_vote& vote);
  /// What a member has signed, as evidence carries it.
  struct signed_bytes {
    bytes statement;
    signature by_member{};
  };
  void accuse(view_state& state, std::uint16_t member, offence committed, signed_bytes first,
              signed_bytes second);
  void on_own_vote_elsewhere(const member_vote& vote);
  void twin_seen();
  void save_fence();
  void lift_fence();
  void try_skip();
  void try_finalize();
  [[nodiscard]] bool is_mine(const member_vote& vote) const;
  [[nodiscard]] member_vote said(const vote_statement& statement) const;

  // ---- simplex_certificates.cpp
  void look_for_twin(const certificate& c);
  bool take_certificate(peer_number from, const certificate& c);
  void on_certificate(const certificate& c, std::optional<peer_number> from);
  [[nodiscard]] bool holds(const certificate& c);
  [[nodiscard]] certificate made_of(const vote_statement& statement, const vote_tally& tally) const;
  [[nodiscard]] const certificate* held(std::uint64_t view, vote_kind kind) const;

  // ---- simplex_writes.cpp
  void flush();
  void on_stored(const stored& e);
  void send_decisions(const record_batch& batch);
  void on_store_failed(const store_failed& e);
  void save_path(const block_id& tip);

  // ---- simplex_blocks.cpp
  void on_proposal(peer_number from, const peer::proposal& p);
  void try_propose();
  void propose_filler(const block_id& parent);
  void finish_proposal(const execution_result& result);
  void take_own_proposal(block candidate, std::optional<certificate> parent);
  void wait_for_idle(std::uint64_t most_ms);
  void send_proposal(std::uint64_t view, const std::vector<peer_number>& to);
  void try_notarize();
  [[nodiscard]] bool is_sound(const block& candidate) const;
  [[nodiscard]] bool fits_parent(const block_header& h) const;
  [[nodiscard]] bool is_justified(const block_header& h) const;
  /// Of the parent that a leader of the present view would build on.
  struct footing {
    block_id parent;
    std::uint64_t view = 0;
  };
  [[nodiscard]] std::optional<footing> highest_footing() const;
  [[nodiscard]] std::optional<certificate> parent_certificate(const block_header& h) const;
  [[nodiscard]] std::optional<certificate> shown_again(const block& candidate) const;

  // ---- simplex_execution.cpp
  enum class readiness : std::uint8_t { ready, waiting, missing, wrong };
  readiness prepare(const block_id& id);
  void fill_in(tree_block& filler, const block_header& parent, const execution_result& result);
  void on_executed(const executed& e);
  void on_execution_failed(const execution_failed& e);
  [[nodiscard]] const tree_block* known(const block_id& id) const;
  [[nodiscard]] std::optional<block_id> first_missing(const block_id& id) const;
  tree_block& keep(const block_ptr& block);
  /// Header and result of a block that is ready, or of the base.
  [[nodiscard]] bool ends_epoch(const block_id& id) const;  // closing block or filler

  // ---- simplex_commit.cpp
  /// A final block, what proves it, and its ancestors up from the base; the block itself is last.
  struct final_chain {
    const certificate* proof = nullptr;
    std::vector<const tree_block*> path;
  };
  [[nodiscard]] std::optional<final_chain> highest_final_chain();
  [[nodiscard]] chain_position position_after(const final_block& last) const;
  void try_commit();
  void on_committed(const committed& e);
  void move_base();
  void begin_epoch();
  [[nodiscard]] std::vector<final_block> final_path(const std::vector<const tree_block*>& path,
                                                    const certificate& c);

  // ---- simplex_sync.cpp
  void on_hello(peer_number from, const peer::hello& h);
  void on_standstill(peer_number from, const peer::standstill& s);
  void on_request(peer_number from, const peer::request& r);
  void on_response(peer_number from, const peer::response& r);
  void on_epoch_over(peer_number from, const peer::epoch_over& e);
  bool take_run(peer_number from, const peer::response& r);
  bool take_epoch_end(peer_number from, const epoch_proof& proof);
  void send_standstill();
  void send_hello(const std::vector<peer_number>& to);
  [[nodiscard]] epoch_number latest_epoch() const;
  void answer_older_epoch(peer_number peer, epoch_number theirs);
  void want_from(peer_number peer);
  [[nodiscard]] bool may_ask(peer_number who);
  void look_for_missing();
  [[nodiscard]] bool something_missing() const;
  [[nodiscard]] std::uint64_t first_uncertain_view() const;
  void fetch();
  [[nodiscard]] std::optional<block_id> wanted_block() const;

  // ---- what it is
  ports access_;
  simplex_options options;
  bool begun = false;
  std::uint64_t now_ms = 0;
  std::vector<effect> out;

  // ---- what it knows
  chain_position base;
  committee members;
  std::optional<std::uint16_t> seat;
  std::uint64_t cur = 0;
  std::map<std::uint64_t, view_state> views;
  /// Those of them in which a block is certified: few, even when a week of views was skipped.
  std::set<std::uint64_t> block_views;
  std::map<block_id, tree_block> blocks;
  std::vector<peer_number> peers;
  std::map<peer_number, public_key> keys;  // of those
  std::vector<received> early;             // of the next epoch
  std::size_t early_bytes = 0;

  // ---- signing
  signing_rights signing;
  /// Of members of this epoch's committee, while the record is lost: the power of those that have
  /// not let the next epoch begin.
  std::set<std::uint16_t> still_here;
  std::uint64_t first_own_view = 0;  // from here on all that the key has said is known
  bool view_over = false;

  // ---- writes
  struct write {
    std::uint64_t ticket = 0;
    record_batch batch;
  };
  std::deque<write> writes;
  record_batch unsaved;  // goes with the next decision
  record_batch failed;   // goes before it, when there is room again
  bool decided = false;  // unsaved holds something that must not wait
  std::uint64_t next_ticket = 1;
  std::map<voting_record::view_and_kind, member_vote> durable_votes;  // own, above the base

  // ---- proposing
  struct draft {
    std::uint64_t view = 0;
    std::uint64_t ticket = 0;
    soma::block block;
    std::optional<certificate> parent;
  };
  std::optional<draft> drafting;
  bool pace_over = false;
  bool idle_over = false;
  bool idle_armed = false;

  // ---- executing and committing
  std::map<std::uint64_t, block_id> running;  // by ticket
  bool execution_stalled = false;
  struct commitment {
    std::uint64_t ticket = 0;
    chain_position next;  // the base once it is done
    std::optional<epoch_proof> epoch_end;
  };
  std::optional<commitment> committing;

  // ---- asking and answering
  std::optional<peer_number> hint;  // seems to be ahead
  std::set<peer_number> asked;
  bool fetch_armed = false;
  std::uint64_t standstill_wait_ms = 0;
  std::optional<std::pair<epoch_number, epoch_proof>> last_proof;
  std::map<peer_number, std::pair<std::uint64_t, std::uint32_t>> served;  // second, how many
  std::map<peer_number, std::uint64_t> answered_second;
  splitmix64 random;  // which peer is asked need not be unpredictable, only spread and repeatable
};

}  // namespace soma::consensus
