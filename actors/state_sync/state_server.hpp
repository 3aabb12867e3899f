// What a validator answers to those who want its ledger: how epochs ended, and its snapshot. No
// actor in it. What must hold:
//   - By security §8.5 whoever asks, a stranger too, costs so many bytes and questions a second,
//     and all of them together so many; beyond that they are told to come later, and beyond that
//     nothing.
//   - A snapshot is offered only if the way to it from the genesis can be proven from here.
#pragma once

#include <map>
#include <optional>

#include "actors/state_sync/snapshot.hpp"

namespace soma::state_sync {

struct state_server_options {
  std::size_t peer_bytes_per_s = std::size_t{8} << 20;
  std::size_t all_bytes_per_s = std::size_t{32} << 20;
  std::uint32_t peer_questions_per_s = 1'000;
  /// A snapshot that somebody is taking is kept instead of the next one: until nobody has asked for
  /// this long, and for so long in all.
  std::uint64_t keep_asked_ms = 30'000;
  std::uint64_t keep_most_ms = 3'600'000;
};

class state_server {
 public:
  using peer_number = std::uint32_t;

  /// `folder` empty: it has no snapshots. The ledger outlives it. Throws when the disk fails.
  state_server(const tables::ledger_store& ledger, const std::filesystem::path& folder,
               state_server_options options = {});

  /// nullopt: it has asked for so much that it is not even told so.
  [[nodiscard]] std::optional<peer::state_part> answer(peer_number peer,
                                                       const peer::ask_state& asked,
                                                       std::uint64_t now_ms);
  void peer_gone(peer_number peer) { spent_.erase(peer); }

  /// Whether one shall be made of the ledger as it stands, which is at the base of an epoch.
  [[nodiscard]] bool wants_snapshot(std::uint64_t now_ms) const;
  /// Another one lies in the folder.
  void snapshot_made(std::uint64_t now_ms);

 private:
  struct second {
    std::uint64_t number = 0;
    std::size_t bytes = 0;
    std::uint32_t questions = 0;
  };
  [[nodiscard]] peer::state_part end_of(const peer::ask_state& asked);
  [[nodiscard]] peer::state_part piece(const peer::ask_state& asked, std::uint64_t now_ms);
  void look();

  const tables::ledger_store& ledger_;
  state_server_options options_;
  std::optional<snapshot_folder> folder_;
  bool is_provable_ = false;  // the snapshot
  std::uint64_t made_ms_ = 0;
  std::optional<std::uint64_t> asked_ms_;  // for a piece of it
  struct cached {
    std::uint32_t number = 0;
    bytes data;
  };
  std::optional<cached> last_;  // chunks are asked for in pieces
  std::map<peer_number, second> spent_;
  second all_;
};

}  // namespace soma::state_sync
