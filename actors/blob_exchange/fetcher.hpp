// Fetches blobs from peers (security §9.3). It decides which peer is asked for which part and
// which answers are believed; its caller has the connections, the clock and the disk. What must
// hold:
//   - Nothing is believed. The list of a blob's chunks is proven by the blob's id, and each chunk
//     by the list. A peer whose bytes are wrong is blamed and not heard any more.
//   - One honest peer that has the blob is enough. Others may lie, stall, leave or say that they
//     have what they don't: each question costs a bounded time and is then asked elsewhere.
//   - Memory is bounded: at most all_in_flight parts are under way, and the lists of most_begun
//     blobs. No blob is ever in memory as a whole.
//   - It is fair. No peer is asked for more than peer_in_flight parts at a time. The blob with the
//     fewest parts under way is next; of equal ones those with a deadline, and then the one that
//     has waited longest. Blobs without a deadline leave half of the places to those that have one,
//     and a blob of which nothing comes gives its place up.
//   - Chunks that are here are not fetched again, also after a restart.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <variant>

#include "actors/blob_exchange/shelf.hpp"

namespace soma::blob_exchange {

using peer_number = std::uint32_t;

inline constexpr std::uint64_t no_deadline = UINT64_MAX;

struct fetcher_options {
  std::size_t most_wants = std::size_t{1} << 20U;  // further ones are not taken
  std::size_t most_begun = 8;                      // blobs that are fetched at the same time
  /// One, so that parts never fill what may wait to be sent to a peer (security §5.3): the messages
  /// of the agreement travel on the same connection.
  std::size_t peer_in_flight = 1;
  std::size_t all_in_flight = 16;
  std::uint32_t peer_questions_per_s = 192;  // with seeks fewer than a server answers
  std::size_t most_seeks = 4;                // messages to each peer in one step
  std::uint64_t answer_ms = 30'000;     // a question without an answer has failed after this time
  std::uint64_t hedge_ms = 2'000;       // after so long another peer is asked for the list, too
  std::uint64_t later_ms = 250;         // the pause after a peer has answered "later"
  std::uint64_t seek_ms = 1'000;        // the first pause before a blob is sought again; it doubles
  std::uint64_t most_seek_ms = 30'000;  // the longest such pause
  std::uint64_t stalled_ms = 60'000;    // after so long without a part a blob gives its place up
  std::uint64_t disk_ms = 10'000;       // the pause after a failure of the disk
  unsigned most_misses = 3;             // questions about a blob that a peer may fail in a row
};

enum class fetch_end : std::uint8_t {
  here,        // the blob is whole
  other_size,  // it is proven that the blob does not have the size that was wanted
};

class fetcher {
 public:
  struct peer_connected {
    peer_number peer = 0;
  };
  struct peer_gone {
    peer_number peer = 0;
  };
  struct received {
    peer_number peer = 0;
    const peer_message& message;
  };
  /// A blob of this size is wanted, if possible before `until_ms`. Said again, the earlier time
  /// counts. It stays wanted until it is done or not wanted any more.
  struct wanted {
    blob_id blob;
    std::uint64_t size_bytes = 0;
    std::uint64_t until_ms = no_deadline;
  };
  struct not_wanted {
    blob_id blob;
  };
  struct time_passed {};  // ten times a second
  using event = std::variant<peer_connected, peer_gone, received, wanted, not_wanted, time_passed>;

  struct send {
    std::vector<peer_number> to;
    peer_message message;
  };
  struct blame {  // the connection of this peer is to end
    peer_number peer = 0;
    std::string why;
  };
  struct done {
    blob_id blob;
    fetch_end end{};
  };
  struct not_kept {  // a peer gives the blob, but the disk here does not take it
    blob_id blob;
  };
  using effect = std::variant<send, blame, done, not_kept>;

  /// `blobs` outlives the fetcher.
  explicit fetcher(shelf& blobs, fetcher_options options = {});

  /// `now_ms` never goes back.
  [[nodiscard]] std::vector<effect> step(const event& next, std::uint64_t now_ms);

  [[nodiscard]] bool wants(const blob_id& blob) const { return wants_.contains(blob); }
  [[nodiscard]] std::size_t wants() const { return wants_.size(); }
  [[nodiscard]] std::size_t begun() const { return begun_.size(); }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }

 private:
  struct holder {
    std::uint64_t size_bytes = 0;  // of the blob, as the peer says
    unsigned misses = 0;           // questions in a row that failed
    std::uint64_t not_before_ms = 0;
  };
  enum class stage : std::uint8_t { sought, listing, open };
  struct want {
    std::uint64_t size_bytes = 0;
    std::uint64_t until_ms = no_deadline;
    std::map<peer_number, holder> holders;
    stage at = stage::sought;
    std::uint64_t seek_at_ms = 0;  // its place in seeks_
    std::uint64_t seek_pause_ms = 0;
    // From here on only while it is begun.
    std::uint64_t listed_bytes = 0;        // the size that the list has to prove
    std::optional<peer_number> list_from;  // the one peer that gives the list
    std::uint64_t list_asked_ms = 0;       // when it was last asked for a page
    std::vector<hash256> list;
    std::deque<std::uint32_t> missing;  // chunks that are neither here nor under way
    std::size_t in_flight = 0;
    std::uint64_t turn = 0;      // when a part of it was last asked for, in questions of all blobs
    std::uint64_t moved_ms = 0;  // when something of it came last
  };
  struct question {
    peer::blob_part about;
    std::uint64_t until_ms = 0;
  };
  struct source {
    std::vector<question> open;
    std::uint64_t not_before_ms = 0;
    std::uint64_t given_parts = 0;
    unsigned put_off = 0;         // answers "later" in a row
    unsigned silent = 0;          // questions in a row without an answer
    std::uint64_t second = 0;     // to which the next one belongs
    std::uint32_t questions = 0;  // asked in this second
  };
  using wants_map = std::map<blob_id, want>;

  void on(const peer_connected& e);
  void on(const peer_gone& e);
  void on(const received& e);
  void on(const wanted& e);
  void on(const not_wanted& e);
  void on(const time_passed&) { seeks_left_ = options_.most_seeks; }

  // Which blobs are sought and begun: fetcher.cpp.
  void plan_seek(const blob_id& blob, want& w, std::uint64_t at_ms);
  void remove_plans(const blob_id& blob, const want& w);
  void seek_due();
  void heard_of(peer_number from, const peer::have& said);
  void begin_ready();
  void give_places_up();
  void put_back(const blob_id& blob, want& w, std::uint64_t seek_at_ms);
  void disk_failed(const blob_id& blob, want& w);
  void leave(const blob_id& blob, want& w);
  void finish(wants_map::iterator at, fetch_end how);
  [[nodiscard]] std::size_t begun_without_deadline() const;

  // Who is asked for what: fetcher_questions.cpp.
  void expire();
  [[nodiscard]] bool ask_next();
  [[nodiscard]] bool may_ask(const source& from) const;
  [[nodiscard]] std::optional<peer_number> source_for(const want& w) const;
  void ask(peer_number number, const peer::blob_part& about, want& w);
  void took(peer_number from, const peer::part& part);
  void took_page(peer_number from, wants_map::iterator at, const bytes& page);
  void took_chunk(peer_number from, wants_map::iterator at, const peer::part& part);
  void end_blob(wants_map::iterator at);
  void end_question(const question& ended, bool is_answered);
  void drop_questions(const blob_id& blob);
  void miss(peer_number from, const blob_id& blob);
  void lose_holder(peer_number from, const blob_id& blob, want& w);
  void drop_peer(peer_number number);
  void liar(peer_number number, std::string why);

  shelf& blobs_;
  fetcher_options options_;
  wants_map wants_;
  std::map<peer_number, source> peers_;
  /// Blobs that are to be sought, with a deadline and without: when, and which.
  using moment = std::pair<std::uint64_t, blob_id>;
  std::array<std::set<moment>, 2> seeks_;
  /// Blobs that a peer has and that are not begun, with a deadline and without: by deadline.
  std::array<std::set<moment>, 2> ready_;
  std::vector<blob_id> begun_;
  std::size_t in_flight_ = 0;
  std::uint64_t turns_ = 0;     // questions ever asked
  std::size_t seeks_left_ = 0;  // messages that may still be sent before time passes
  std::uint64_t now_ms_ = 0;
  std::vector<effect> effects_;
};

}  // namespace soma::blob_exchange
