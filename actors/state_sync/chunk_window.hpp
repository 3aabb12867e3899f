// Which chunks of one snapshot are asked of which peer, and what of them has come. All peers that
// give the snapshot are asked at the same time, each for several pieces, so that neither a long
// round trip nor one slow peer sets the pace. The chunks are taken out in their order. It judges
// nothing: its caller says which peers may be asked, and finds out which chunks are true. What must
// hold:
//   - All pieces of a chunk come from one peer, so that this peer alone answers for the chunk.
//   - At most `pieces` questions of a peer wait for an answer, and only chunks less than `chunks`
//     beyond the front are asked for.
//   - What is held, with the answers that are awaited, stays below held_bytes and two chunks of the
//     largest size. Two, since the front is asked for even when the rest has used up all room:
//     otherwise chunks without an end could keep the front away.
//   - A chunk of which nothing has come for hedge_ms is asked of a second peer when that one has
//     nothing else to do. The chunk that is whole first counts.
//   - An answer to what was not asked, or not any more, changes nothing.
#pragma once

#include <map>
#include <optional>

#include "actors/state_sync/snapshot_chunk.hpp"
#include "messages/values/ids.hpp"
#include "messages/values/votes.hpp"

namespace soma::state_sync {

struct window_limits {
  std::uint32_t chunks = 32;
  /// The answers to so many questions, and a block besides, fit in the write queue that a validator
  /// keeps for a stranger (security §5.3). A peer that lets it run over would lose its connection.
  std::size_t pieces = 3;
  std::size_t held_bytes = std::size_t{32} << 20;
  std::uint64_t hedge_ms = 500;
};

class chunk_window {
 public:
  using peer_number = std::uint32_t;
  struct piece {
    std::uint32_t chunk = 0;
    std::uint32_t from = 0;  // first byte of the piece in its chunk
    friend auto operator<=>(const piece&, const piece&) = default;
  };
  struct whole_chunk {
    public_key giver{};  // a peer that has left may have come back under another number
    bytes data;
  };
  enum class arrival : std::uint8_t {
    unasked,    // or of no use any more
    kept,       // its chunk is not whole yet
    completed,  // its chunk is whole
    empty,      // the peer does not give the chunk
    malformed,  // no honest peer sends such a piece
  };

  explicit chunk_window(window_limits limits = {}) : limits_(limits) {}

  /// Forgets everything. The front is the first chunk that is needed.
  void begin(std::uint32_t front);
  [[nodiscard]] std::uint32_t front() const { return front_; }

  /// The next piece to ask this peer for, which counts as asked from now on; nullopt when there is
  /// none now. `chunks` says how many chunks the peer claims to have: beyond them it is asked for
  /// the front alone. `now_ms` never goes back.
  [[nodiscard]] std::optional<piece> ask(peer_number peer, std::uint32_t chunks,
                                         std::uint64_t now_ms);
  [[nodiscard]] bool is_asked(peer_number peer, const piece& which) const;
  /// Whether the peer owes an answer or the rest of a chunk.
  [[nodiscard]] bool is_busy(peer_number peer) const;
  /// Whether a question to this peer has failed. The peer has `answer_ms` after each answer, since
  /// it may have a slow link and gives one answer after the other; but no question waits for more
  /// than `pieces` times as long.
  [[nodiscard]] bool is_silent(peer_number peer, std::uint64_t answer_ms,
                               std::uint64_t now_ms) const;

  /// The peer has answered that it gives the piece later. It is to be asked for it again.
  void put_off(peer_number peer, const piece& which, std::uint64_t now_ms);
  /// The peer, whose key is `giver`, has answered with these bytes of a chunk of `chunk_bytes`.
  [[nodiscard]] arrival take(peer_number peer, const public_key& giver, const piece& which,
                             byte_view data, std::uint32_t chunk_bytes, std::uint64_t now_ms);

  /// The chunk at the front; nullptr until it is whole.
  [[nodiscard]] const whole_chunk* first() const;
  /// The chunk at the front is not needed any more: the next one is the front.
  void pop();

  /// The peer is not asked any more. The chunks that it has given as a whole stay.
  void forget(peer_number peer);
  /// Drops the whole chunks that came from the holder of this key.
  void drop_chunks_of(const public_key& giver);

  /// The bytes that are held, and as many as the answers that are awaited may bring.
  [[nodiscard]] std::size_t held_bytes() const;

 private:
  struct slot {
    std::map<peer_number, bytes> parts;  // what has come, by the peer that is asked for the chunk
    std::optional<whole_chunk> whole;
    std::uint64_t moved_ms = 0;  // when a peer was asked for it, or when a piece of it came last
  };
  struct asking {
    std::map<piece, std::uint64_t> open;  // the questions without an answer, and when each was put
    std::uint64_t heard_ms = 0;           // when an answer came last
  };
  [[nodiscard]] std::optional<piece> begun(peer_number peer, const asking& mine) const;
  [[nodiscard]] std::optional<piece> unbegun(peer_number peer, const asking& mine,
                                             std::uint32_t chunks, std::uint64_t now_ms) const;
  [[nodiscard]] bool has_room_for(std::uint32_t chunk) const;
  [[nodiscard]] bool has_answered(peer_number peer, const piece& which, std::uint64_t now_ms);

  window_limits limits_;
  std::uint32_t front_ = 0;
  std::map<std::uint32_t, slot> slots_;  // by the number of the chunk, from the front on
  std::map<peer_number, asking> askings_;
};

}  // namespace soma::state_sync
