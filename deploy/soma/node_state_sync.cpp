#include "deploy/soma/node_state_sync.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "actors/link/mesh.hpp"
#include "actors/rules/genesis_state.hpp"
#include "actors/validator/checking.hpp"
#include "actors/validator/state_sync.hpp"
#include "deploy/soma/console.hpp"
#include "deploy/soma/stop.hpp"
#include "messages/crypto/codec_agreement.hpp"
#include "messages/crypto/transactions.hpp"
#include "messages/types/codec.hpp"

namespace soma {
namespace {

using actors::state_sync;

constexpr auto tick = std::chrono::milliseconds(100);
constexpr std::uint64_t report_ms = 10'000;

std::uint64_t now_ms() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(
      duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count());
}

template <class Kind>
constexpr std::uint16_t type_of() {
  return static_cast<std::uint16_t>(peer_message(Kind{}).index() + 1);
}

/// What the mesh's thread saw, for the thread that takes the state.
struct seen {
  enum class kind : std::uint8_t { connected, gone, frame } what;
  actors::peer_number peer = 0;
  public_key key{};
  std::uint16_t type = 0;
  bytes body;
};

class inbox {
 public:
  void put(seen what) {
    const std::lock_guard lock(mutex_);
    all_.push_back(std::move(what));
    filled_.notify_one();
  }
  /// What came so far; waits a little when there is nothing.
  [[nodiscard]] std::deque<seen> take() {
    std::unique_lock lock(mutex_);
    filled_.wait_for(lock, tick, [this] { return !all_.empty(); });
    return std::exchange(all_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<seen> all_;
};

class taking {
 public:
  taking(const node_config& config, const genesis& born, const crypto::key_pair& key)
      : config_(config),
        checker_(crypto::chain_id_of(born)),
        sync_(born, config.home / "ledger.taking", checker_, options_of(config)),
        mesh_(key, links_of(config, born), callbacks()) {}

  outcome run() {
    note_line("the ledger is empty: asking the peers for theirs");
    auto reported_ms = now_ms();
    while (sync_.state() == state_sync::outcome::running) {
      if (stop_requested()) {
        return failed("stopped while the ledger was taken over", "a signal asked for it",
                      "start the node again: it goes on where it was");
      }
      for (auto& one : in_.take()) take(std::move(one));
      carry_out(sync_.step(state_sync::time_passed{}, now_ms()));
      if (now_ms() < reported_ms + report_ms) continue;
      reported_ms = now_ms();
      report();
    }
    return end();
  }

 private:
  static actors::state_sync_options options_of(const node_config& config) {
    actors::state_sync_options options;
    options.trusted = config.trusted_end;
    return options;
  }

  /// Whoever is named, and the first validators, may be blamed each by its key: others share an
  /// address. Nothing but answers is taken, and nobody needs to find this node yet.
  static actors::mesh_options links_of(const node_config& config, const genesis& born) {
    actors::mesh_options options;
    options.peers = config.peers;
    for (const auto& peer : config.peers) options.members.push_back(peer.key);
    for (const auto& one : born.validators) options.members.push_back(one.consensus_key);
    options.frame_limit = [](std::uint16_t type, bool) -> std::optional<std::uint32_t> {
      if (type < 1 || type > peer_message_kinds) return std::nullopt;
      return static_cast<std::uint32_t>(max_peer_message_bytes(type - 1U));
    };
    options.seed = now_ms();
    return options;
  }

  actors::mesh_callbacks callbacks() {
    actors::mesh_callbacks calls;
    calls.on_connected = [this](actors::peer_number peer, const public_key& key) {
      in_.put({seen::kind::connected, peer, key, 0, {}});
    };
    calls.on_gone = [this](actors::peer_number peer, actors::link_end) {
      in_.put({seen::kind::gone, peer, {}, 0, {}});
    };
    calls.on_frame = [this](actors::peer_number peer, std::uint16_t type, bytes body) {
      in_.put({seen::kind::frame, peer, {}, type, std::move(body)});
    };
    return calls;
  }

  void take(seen one) {
    switch (one.what) {
      case seen::kind::connected:
        return carry_out(sync_.step(state_sync::peer_connected{one.peer, one.key}, now_ms()));
      case seen::kind::gone:
        return carry_out(sync_.step(state_sync::peer_gone{one.peer}, now_ms()));
      case seen::kind::frame:
        break;
    }
    mesh_.consumed(one.peer, one.body.size());
    // Agreement's own messages come here, too, and are of no use yet.
    if (one.type != type_of<peer::state_part>()) return;
    const auto what = decode<peer_message>(one.body);
    if (!what) return mesh_.blame(one.peer, 100);
    carry_out(sync_.step(state_sync::received{one.peer, *what}, now_ms()));
  }

  void carry_out(std::vector<state_sync::effect> effects) {
    for (auto& effect : effects) {
      if (auto* wanted = std::get_if<state_sync::send>(&effect)) {
        mesh_.send({wanted->to}, static_cast<std::uint16_t>(wanted->what.index() + 1),
                   encode(wanted->what));
      } else if (const auto* liar = std::get_if<state_sync::blame>(&effect)) {
        note_line("a peer is not asked any more: " + liar->why);
        mesh_.blame(liar->peer, 100);
      } else {
        note_line(std::get<state_sync::note>(effect).line);
      }
    }
  }

  void report() const {
    const auto at = sync_.where();
    auto line = "taking the ledger over: peers " + std::to_string(at.peers) + ", epochs proven " +
                std::to_string(at.epochs);
    if (at.height.value != 0) {
      line += ", chunks " + std::to_string(at.chunks_here);
      if (at.chunks != 0) line += " of " + std::to_string(at.chunks);
    }
    note_line(line);
  }

  outcome end() {
    switch (sync_.state()) {
      case state_sync::outcome::running:
        break;
      case state_sync::outcome::complete: {
        const auto made = sync_.finish(config_.home / "ledger");
        if (!made) {
          return failed("the ledger that was taken over is not whole", made.error(),
                        "start the node again, or with sync = \"blocks\"");
        }
        note_line("the ledger is here as it was after block " +
                  std::to_string(sync_.header()->height.value) + "; the rest comes as blocks");
        break;
      }
      case state_sync::outcome::no_snapshot:
        note_line("no peer gives a snapshot of the ledger: all blocks are executed instead");
        break;
      case state_sync::outcome::contradiction:
        return failed("cannot take the ledger over",
                      "the peers prove two histories that exclude each other",
                      "ask somebody you trust for the last block of an epoch and name it as "
                      "trusted_end = \"EPOCH:0xBLOCK\"");
    }
    return {};
  }

  const node_config& config_;
  actors::vote_checker checker_;
  state_sync sync_;
  inbox in_;
  actors::mesh mesh_;  // last: its thread uses the rest
};

}  // namespace

outcome take_state(const node_config& config, const genesis& born, const crypto::key_pair& key) {
  const auto place = config.home / "ledger";
  if (std::filesystem::exists(place)) {
    const storage::ledger_store there(place);
    if (there.initialised()) return {};
  }
  if (rules::check_genesis(born)) return {};  // told to the operator by whoever opens the ledger
  return taking(config, born, key).run();
}

}  // namespace soma
