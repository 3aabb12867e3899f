// Takes the ledger over from peers as a snapshot, instead of executing all blocks since the genesis
// (security §8.6). It decides which peer is asked for what and which answers are believed. Its
// caller has the connections and the clock. What must hold:
//   - Only what quorums have signed is believed, committee after committee from the genesis on. The
//     chunks of a snapshot are checked against a header that is proven in this way.
//   - One honest peer that stays is enough. Other peers may lie, stall, leave or send without end:
//     each of them costs a bounded time, and a message that no honest validator sends ends its
//     connection.
//   - All peers that have failed least give chunks at the same time, and each chunk is held against
//     the one peer that sent it. Honest peers cut a ledger into the same chunks. A peer whose chunk
//     does not go on where the one before it has ended has other cuts; that alone is no lie.
//   - When nobody goes on behind a chunk and others have other cuts, all chunks are dropped. The
//     peer that sent this last chunk is asked only when no other peer gives chunks, and not at all
//     after the third time. An honest peer that stays never sends the last one, so its chunks are
//     dropped once for each dishonest peer at most.
//   - What a peer proves counts for this peer alone. Old keys, whose holders have nothing to lose
//     any more, may sign another history; it never makes an honest peer look like a liar. When two
//     histories are proven, neither is taken, unless a person has named a block of one of them.
//   - After a kill it goes on after the last chunk that it has.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>

#include "actors/consensus/light_client.hpp"
#include "actors/state_sync/chunk_window.hpp"
#include "actors/state_sync/snapshot.hpp"

namespace soma::state_sync {

struct state_sync_options {
  std::uint64_t gather_ms = 2'000;     // the wait for more peers after the first one
  std::uint64_t answer_ms = 10'000;    // a question without an answer has failed after this time
  std::uint64_t walk_ms = 60'000;      // the wait for slower peers after the first offer
  std::uint64_t later_ms = 250;        // the pause after a peer has answered "later"
  std::uint64_t refresh_ms = 2'000;    // how often a peer is asked whether it has anything new
  std::uint64_t nothing_ms = 10'000;   // it gives up when no peer has a snapshot for so long
  std::uint64_t stalled_ms = 300'000;  // it gives up when no snapshot makes progress for so long
  window_limits window;
  /// A person knows the block that closed this epoch. A history with another one is refused.
  struct known_end {
    epoch_number epoch;
    block_id block;
  };
  std::optional<known_end> trusted;
};

class state_sync {
 public:
  using peer_number = std::uint32_t;

  struct peer_connected {
    peer_number peer;
    public_key key;
  };
  struct peer_gone {
    peer_number peer;
  };
  struct received {
    peer_number peer;
    const peer_message& message;
  };
  struct time_passed {};  // ten times a second
  using event = std::variant<peer_connected, peer_gone, received, time_passed>;

  struct send {
    peer_number to;
    peer_message message;
  };
  struct blame {  // the connection of this peer is to end, and its messages are ignored
    peer_number peer;
    std::string why;
  };
  struct note {  // a line for the operator
    std::string line;
  };
  using effect = std::variant<send, blame, note>;

  enum class outcome : std::uint8_t {
    running,
    complete,       // finish() is next
    no_snapshot,    // no peer has one or gives it
    contradiction,  // two histories are proven
  };

  /// `staging` holds the chunks so far, which an earlier process may have taken; `checker` outlives
  /// this object.
  state_sync(const soma::genesis& genesis, std::filesystem::path staging,
             consensus::signature_checker& checker, state_sync_options options = {});
  ~state_sync();

  /// `now_ms` never goes back. Throws std::exception when the disk fails.
  [[nodiscard]] std::vector<effect> step(const event& next, std::uint64_t now_ms);
  [[nodiscard]] outcome state() const { return outcome_; }

  struct progress {
    std::size_t peers = 0;          // that are connected and not blamed
    std::uint64_t epochs = 0;       // that the longest history proves
    block_height height;            // of the snapshot that is taken; 0: none yet
    std::uint32_t chunks_here = 0;  // of this snapshot
    std::uint32_t chunks = 0;       // of this snapshot in all, as a peer says
  };
  [[nodiscard]] progress where() const;
  /// The header of the snapshot that is taken; nullopt before one is chosen.
  [[nodiscard]] std::optional<block_header> header() const;

  /// As snapshot_receiver::finish. Asserts that the outcome is `complete`.
  [[nodiscard]] expected<state_tree::tree, std::string> finish(
      const std::filesystem::path& ledger, tables::ledger_options options = {}) const;

 private:
  /// The end of an epoch that a peer has proven, in a tree whose root stands for the genesis.
  struct history {
    history* before = nullptr;
    consensus::light_client after;  // knows the committee of the next epoch
    std::optional<epoch_proof> end;
    std::vector<std::unique_ptr<history>> next;  // more than one when quorums have lied
  };
  struct question {
    peer::ask_state request;
    std::uint64_t until_ms = 0;
  };
  struct whom {
    public_key key{};
    history* at = nullptr;      // the last end of an epoch that it has proven
    bool has_told_all = false;  // it knows no later end of an epoch
    block_height snapshot;      // the height of its snapshot
    std::uint32_t chunks = 0;
    std::optional<question> open;
    std::uint64_t not_before_ms = 0;       // it is asked nothing before
    std::uint64_t ends_not_before_ms = 0;  // it is not asked for the end of an epoch before
    unsigned misses = 0;                   // questions in a row that failed
    unsigned fruitless = 0;                // times that it should have given chunks and gave none
    unsigned put_off = 0;                  // pauses in a row after it has answered "later"
    bool cuts_else = false;                // its chunks have other ranges than those that are here
  };
  using peers = std::map<peer_number, whom>;

  void on(const peer_connected& e);
  void on(const peer_gone& e);
  void on(const received& e);
  void on(const time_passed&) {}
  void took(peer_number number, whom& from, const peer::state_part& part);
  void took_later(peer_number number, whom& from);
  void took_end(whom& from, const peer::state_part& part);
  void took_piece(peer_number number, whom& from, const peer::state_part& part);
  void take_chunks();
  void refused(const public_key& giver, chunk_refusal why);
  [[nodiscard]] expected<history*, std::string> follow(history& at, const epoch_proof& end);
  void settle();
  void miss(peer_number number, whom& who);
  void ask_ends();
  void ask_pieces();
  void choose();
  void begin(history& target);
  void begin_again_for_cuts();
  /// What speaks against asking a peer for chunks. Those with the lowest are asked.
  using demerits = std::pair<unsigned, unsigned>;
  [[nodiscard]] demerits demerits_of(const whom& who) const;
  [[nodiscard]] std::optional<demerits> fewest_demerits(bool of_other_cuts) const;
  [[nodiscard]] history* offered_by(const whom& who) const;
  [[nodiscard]] bool is_fork_below(const history& target) const;
  [[nodiscard]] bool may_choose() const;
  [[nodiscard]] bool can_give(const whom& who) const;
  [[nodiscard]] unsigned dead_ends_of(const whom& who) const;
  [[nodiscard]] whom* holder_of(const public_key& key);
  void liar(public_key key, std::string why);
  void tell(std::string line) { effects_.push_back(note{std::move(line)}); }

  soma::genesis genesis_;
  std::filesystem::path staging_;
  consensus::signature_checker& checker_;
  state_sync_options options_;
  std::unique_ptr<history> first_;
  std::set<public_key> liars_;
  peers peers_;
  /// The height of the snapshot of which an earlier process has taken chunks.
  std::optional<block_height> kept_;

  history* target_ = nullptr;
  std::optional<snapshot_receiver> receiver_;
  chunk_window window_;
  std::optional<public_key> last_giver_;      // of the last chunk, if this process has taken it
  std::map<public_key, unsigned> dead_ends_;  // how often nobody went on behind a peer's chunk

  outcome outcome_ = outcome::running;
  std::uint64_t now_ms_ = 0;
  std::optional<std::uint64_t> first_peer_ms_, first_offer_ms_, nothing_since_ms_;
  std::uint64_t moved_ms_ = 0;  // when the chunks last reached further than ever before
  std::uint64_t furthest_ = 0;  // how far they reached, see snapshot_receiver::passed
  std::vector<effect> effects_;
};

}  // namespace soma::state_sync
