// The inside of the consensus core: its state and its decisions, with one source file per topic.
// Each event changes the state; settle() then takes every decision that has become possible. What
// must hold:
//   - A decision counts from the moment it is taken (view.hpp), so that the core decides nothing
//     against it while the write is under way. It is sent only when the write is durable.
//   - One batch holds the decisions of a step and every certificate and block that they rest on.
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
/// The members to which a process passes on a new certificate (R6).
inline constexpr std::size_t relayed_to = 2;

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
  void enter(view_number view);
  void forget_old_votes();
  void settle();
  void arm(timer_kind kind, std::uint64_t after_ms);
  [[nodiscard]] std::uint64_t timeout_of(view_number view) const;
  [[nodiscard]] std::uint64_t rest_of_interval(view_number view) const;
  void raise_alarm(std::string why);
  void tell(std::vector<peer_number> to, peer_message message);
  void recall(recalled past);

  // ---- simplex_votes.cpp
  void decide(vote_kind kind, view_number view, const block_id& block);
  void on_vote(peer_number from, const member_vote& vote);
  void count(const member_vote& vote);
  /// A signed statement of a member, as evidence carries it.
  struct signed_bytes {
    bytes statement;
    signature by_member{};
  };
  void accuse(view_state& state, seat_index member, offence committed, signed_bytes first,
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
  void pass_on(const certificate& c, view_state& state);
  [[nodiscard]] bool holds(const certificate& c);
  [[nodiscard]] certificate made_of(const vote_statement& statement, const vote_tally& tally) const;
  [[nodiscard]] const certificate* held(view_number view, vote_kind kind) const;

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
  void send_proposal(view_number view, const std::vector<peer_number>& to);
  void try_notarize();
  [[nodiscard]] bool is_sound(const block& candidate) const;
  [[nodiscard]] bool fits_parent(const block_header& h) const;
  [[nodiscard]] bool is_justified(const block_header& h) const;
  /// The parent that a leader of the present view would build on, and the parent's view.
  struct footing {
    block_id parent;
    view_number view;
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
  [[nodiscard]] bool ends_epoch(const block_id& id) const;

  // ---- simplex_commit.cpp
  /// A final block, the certificate that proves it, and the path to it from the base: its ancestors
  /// above the base in order, then the block itself.
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
  void note_view_of(peer_number peer, const member_vote& vote);
  [[nodiscard]] bool may_ask(peer_number who);
  void look_for_missing();
  [[nodiscard]] bool something_missing() const;
  [[nodiscard]] view_number first_uncertain_view() const;
  void fetch();
  [[nodiscard]] std::optional<block_id> wanted_block() const;

  // ---- settings and the present event
  ports access_;
  simplex_options options;
  bool begun = false;
  std::uint64_t now_ms = 0;
  std::vector<effect> out;

  // ---- the chain and the peers
  chain_position base;
  committee members;
  std::optional<seat_index> seat;
  view_number cur;
  std::map<view_number, view_state> views;
  /// The views in which a block is certified. They are few, even when a week of views was skipped.
  std::set<view_number> block_views;
  std::map<block_id, tree_block> blocks;
  std::vector<peer_number> peers;
  std::map<peer_number, public_key> keys;  // the keys of `peers`
  std::vector<received> early;             // messages of the next epoch
  std::size_t early_bytes = 0;

  // ---- signing
  signing_rights signing;
  /// Used while the record is lost: the members of this epoch's committee that have said that they
  /// have not yet voted for the end of this epoch.
  std::set<seat_index> still_here;
  view_number first_own_view;  // from this view on the core knows everything that its key signed
  bool view_over = false;

  // ---- writes
  struct write {
    std::uint64_t ticket = 0;
    record_batch batch;
  };
  std::deque<write> writes;
  record_batch unsaved;  // is written with the next decision
  record_batch failed;   // is written before `unsaved`, when there is room again
  bool decided = false;  // `unsaved` or `failed` holds a decision that has to be written
  std::uint64_t next_ticket = 1;
  std::map<voting_record::view_and_kind, member_vote> durable_votes;  // own votes above the base

  // ---- proposing
  struct draft {
    view_number view;
    std::uint64_t ticket = 0;
    soma::block block;
    std::optional<certificate> parent;
  };
  std::optional<draft> drafting;
  bool pace_over = false;
  bool idle_over = false;
  bool idle_armed = false;

  // ---- executing and committing
  std::map<std::uint64_t, block_id> running;  // executions under way, by ticket
  bool execution_stalled = false;
  struct commitment {
    std::uint64_t ticket = 0;
    chain_position next;  // the base once the commit is done
    std::optional<epoch_proof> epoch_end;
  };
  std::optional<commitment> committing;

  // ---- asking and answering
  std::optional<peer_number> hint;  // a peer that seems to be ahead
  /// The peers whose own votes say that they are in a later view, and that view. A peer that was
  /// asked is left out until it votes again.
  std::map<peer_number, view_number> ahead;
  std::set<peer_number> asked;
  bool fetch_armed = false;
  std::uint64_t standstill_wait_ms = 0;
  std::optional<std::pair<epoch_number, epoch_proof>> last_proof;
  /// Per peer: the second of its last request, and its number of requests in that second.
  std::map<peer_number, std::pair<std::uint64_t, std::uint32_t>> served;
  std::map<peer_number, std::uint64_t> answered_second;
  splitmix64 random;  // the choice of a peer has to be spread and repeatable, not unpredictable
};

}  // namespace soma::consensus
