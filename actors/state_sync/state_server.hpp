// The answers of a validator to peers that want its ledger: proofs of how epochs ended, and pieces
// of its snapshot. It uses no actors. What must hold:
//   - By security §8.5 the bytes and questions a second of each peer, strangers included, and of
//     all peers together are limited. A peer above its limit is told to ask later; a peer far above
//     it gets no answer.
//   - A snapshot is offered only if this ledger can prove all epochs from the genesis to it.
//   - At most most_read chunks are in memory, whatever is asked for.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "actors/state_sync/snapshot.hpp"

namespace soma::state_sync {

/// So many chunks are kept in memory, each about chunk_row_bytes long: enough for some peers that
/// ask for several chunks each.
inline constexpr std::size_t most_read = 12;

struct state_server_options {
  std::size_t peer_bytes_per_s = std::size_t{8} << 20;
  std::size_t all_bytes_per_s = std::size_t{32} << 20;
  std::uint32_t peer_questions_per_s = 1'000;
  /// While a peer is taking a snapshot, no newer one replaces it: until no peer has asked for it
  /// for keep_asked_ms, but at most for keep_most_ms in all.
  std::uint64_t keep_asked_ms = 30'000;
  std::uint64_t keep_most_ms = 3'600'000;
};

class state_server {
 public:
  using peer_number = std::uint32_t;

  /// An empty `folder` means that it has no snapshots. The ledger outlives it. Throws when the disk
  /// fails.
  state_server(const tables::ledger_store& ledger, const std::filesystem::path& folder,
               state_server_options options = {});

  /// The answer; nullopt when the peer is so far above its limits that it gets none.
  [[nodiscard]] std::optional<peer::state_part> answer(peer_number peer,
                                                       const peer::ask_state& asked,
                                                       std::uint64_t now_ms);
  void peer_gone(peer_number peer) { spent_.erase(peer); }
  /// How often a chunk was read from the disk.
  [[nodiscard]] std::uint64_t reads() const { return reads_; }

  /// Whether a snapshot should be made of the present ledger, which is at the base of an epoch.
  [[nodiscard]] bool wants_snapshot(std::uint64_t now_ms) const;
  /// The folder holds a new snapshot now.
  void snapshot_made(std::uint64_t now_ms);

 private:
  struct second {
    std::uint64_t number = 0;
    std::size_t bytes = 0;
    std::uint32_t questions = 0;
  };
  [[nodiscard]] peer::state_part end_of(const peer::ask_state& asked);
  [[nodiscard]] peer::state_part piece(const peer::ask_state& asked, std::uint64_t now_ms);
  [[nodiscard]] const bytes* chunk(std::uint32_t number);
  void look();

  const tables::ledger_store& ledger_;
  state_server_options options_;
  std::optional<snapshot_folder> folder_;
  bool is_provable_ = false;  // whether the snapshot may be offered
  std::uint64_t made_ms_ = 0;
  std::optional<std::uint64_t> asked_ms_;  // when a peer asked for a piece of it last
  struct cached {
    std::uint32_t number = 0;
    bytes data;
  };
  /// The chunks that were asked for last, the latest first. A peer asks for several chunks at a
  /// time, each in pieces, and other peers ask for the same ones.
  std::deque<cached> read_;
  std::uint64_t reads_ = 0;
  std::map<peer_number, second> spent_;
  second all_;
};

}  // namespace soma::state_sync
