// Takes the ledger over from those who have it, as a snapshot, instead of executing all blocks
// since the genesis (security §8.6). Decides whom to ask for what and whom to believe; whoever
// drives it has the connections and the clock. What must hold:
//   - Nothing is believed that a quorum has not signed, committee after committee from the genesis
//     on; a snapshot is taken for a header that is proven so, chunk by chunk.
//   - One honest peer that stays is enough. Others can lie, stall, leave or send endlessly: each
//     costs a bounded time, and what no honest validator sends costs them the connection.
//   - What one peer proves is held against that peer alone: a history signed by keys that have
//     nothing to lose any more never makes an honest peer look like a liar. Where two histories are
//     proven, neither is taken, unless a person has named a block of one of them.
//   - After a kill it goes on behind the last chunk that it has.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>

#include "actors/consensus/light_client.hpp"
#include "actors/state_sync/snapshot.hpp"

namespace soma::state_sync {

struct state_sync_options {
  std::uint64_t gather_ms = 2'000;     // after the first peer: others may come
  std::uint64_t answer_ms = 10'000;    // an answer that takes longer does not come
  std::uint64_t walk_ms = 60'000;      // once there is a snapshot: for what slower peers may prove
  std::uint64_t later_ms = 250;        // before a peer is asked again that has said: later
  std::uint64_t refresh_ms = 2'000;    // how often is asked what is new
  std::uint64_t nothing_ms = 10'000;   // nobody has a snapshot: this long, and it ends
  std::uint64_t stalled_ms = 300'000;  // nothing comes of any snapshot: this long, and it ends
  /// The block that closed this epoch, as a person knows it: another history is none.
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
  struct blame {  // its connection ends; it is not heard any more
    peer_number peer;
    std::string why;
  };
  struct note {  // for a person
    std::string line;
  };
  using effect = std::variant<send, blame, note>;

  enum class outcome : std::uint8_t {
    running,
    complete,       // finish() is next
    no_snapshot,    // nobody has one, or nobody gives it
    contradiction,  // two histories are proven
  };

  /// `staging` holds what was taken so far, of this run or one before; `checker` outlives this.
  state_sync(const soma::genesis& genesis, std::filesystem::path staging,
             consensus::signature_checker& checker, state_sync_options options = {});
  ~state_sync();

  /// `now_ms` never goes back. Throws std::exception when the disk fails.
  [[nodiscard]] std::vector<effect> step(const event& next, std::uint64_t now_ms);
  [[nodiscard]] outcome state() const { return outcome_; }

  struct progress {
    std::size_t peers = 0;          // that are heard
    std::uint64_t epochs = 0;       // proven, of the longest history
    block_height height;            // of the snapshot that is taken; 0: none yet
    std::uint32_t chunks_here = 0;  // of it
    std::uint32_t chunks = 0;       // as a peer says
  };
  [[nodiscard]] progress where() const;
  /// The header of the snapshot that is taken: none before one is chosen.
  [[nodiscard]] std::optional<block_header> header() const;

  /// All is here (asserted): see snapshot_receiver::finish.
  [[nodiscard]] expected<void, std::string> finish(const std::filesystem::path& ledger,
                                                   tables::ledger_options options = {}) const;

 private:
  /// The end of an epoch as somebody has proven it; the first one stands for the genesis.
  struct history {
    history* before = nullptr;
    consensus::light_client after;  // knows the committee of the next epoch
    std::optional<epoch_proof> end;
    std::vector<std::unique_ptr<history>> next;  // more than one: quorums have lied
  };
  struct question {
    peer::ask_state request;
    std::uint64_t until_ms = 0;
  };
  struct whom {
    public_key key{};
    history* at = nullptr;      // what it has proven so far
    bool has_told_all = false;  // it knows no further end of an epoch
    block_height snapshot;      // that it has
    std::uint32_t chunks = 0;
    std::optional<question> open;
    std::uint64_t not_before_ms = 0;
    unsigned misses = 0;     // questions that came to nothing, one after the other
    unsigned fruitless = 0;  // times that it was to give chunks and gave none
    unsigned put_off = 0;    // answers that said: later, one after the other
    bool cuts_else = false;  // its chunks begin elsewhere than those that are here
  };
  using peers = std::map<peer_number, whom>;

  void on(const peer_connected& e);
  void on(const peer_gone& e);
  void on(const received& e);
  void on(const time_passed&) {}
  void took(peer_number number, whom& from, const peer::state_part& part);
  void took_end(peer_number number, whom& from, const peer::state_part& part);
  void took_piece(peer_number number, whom& from, const peer::state_part& part);
  void took_chunk(peer_number number, whom& from);
  [[nodiscard]] expected<history*, std::string> follow(history& at, const epoch_proof& end);
  void settle();
  void miss(whom& who);
  void ask_ends();
  void ask_pieces();
  void ask(peer_number number, whom& who, const peer::ask_state& request);
  void choose();
  void begin(history& target);
  void begin_again_for_cuts();
  void choose_giver();
  [[nodiscard]] bool others_would_give() const;
  [[nodiscard]] history* offered_by(const whom& who) const;
  [[nodiscard]] bool is_fork_below(const history& target) const;
  [[nodiscard]] bool may_choose() const;
  [[nodiscard]] bool can_give(const whom& who) const;
  void liar(peer_number number, std::string why);
  void tell(std::string line) { effects_.push_back(note{std::move(line)}); }

  soma::genesis genesis_;
  std::filesystem::path staging_;
  consensus::signature_checker& checker_;
  state_sync_options options_;
  std::unique_ptr<history> first_;
  std::set<public_key> liars_;
  peers peers_;
  std::optional<block_height> kept_;  // of the snapshot of which an earlier run has chunks

  history* target_ = nullptr;
  std::optional<snapshot_receiver> receiver_;
  peer_number giver_ = 0;        // that is asked for chunks; 0: none
  bytes chunk_;                  // as far as it has come
  std::set<public_key> givers_;  // of the chunks that are here

  outcome outcome_ = outcome::running;
  std::uint64_t now_ms_ = 0;
  std::optional<std::uint64_t> first_peer_ms_, first_offer_ms_, nothing_since_ms_;
  std::uint64_t moved_ms_ = 0;  // when more came than ever before
  std::uint64_t furthest_ = 0;  // of this snapshot, see snapshot_receiver::passed
  std::vector<effect> effects_;
};

}  // namespace soma::state_sync
