#include "deploy/soma/node/node_state_sync.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "actors/mesh/mesh.hpp"
#include "actors/rules/genesis_state.hpp"
#include "actors/state_sync/state_sync.hpp"
#include "actors/validator/ed25519_ports.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/stop.hpp"
#include "messages/codec/codec.hpp"
#include "messages/codec/codec_consensus.hpp"
#include "messages/signing/signing.hpp"

namespace soma::cli {
namespace {

using sync = state_sync::state_sync;

constexpr auto tick = std::chrono::milliseconds(100);
constexpr std::uint64_t report_ms = 10'000;

std::uint64_t now_ms() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(
      duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count());
}

/// An event on the mesh's thread, handed to the thread that takes the state.
struct seen {
  enum class kind : std::uint8_t { connected, gone, frame } event;
  mesh::peer_number peer = 0;
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
  /// Takes all events that have come so far. Waits up to 100 ms if there are none.
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

/// The state tree of the ledger that was taken over, or why the node cannot go on.
using taken = expected<std::optional<state_tree::tree>, failure>;

class taking {
 public:
  taking(const node_config& config, const soma::genesis& genesis, const crypto::key_pair& key)
      : config_(config),
        checker_(signing::chain_id_of(genesis)),
        sync_(genesis, config.home / "ledger.taking", checker_, options_of(config)),
        mesh_(key, links_of(config, genesis), callbacks()) {}

  taken run() {
    note_line("the ledger is empty: asking the peers for a snapshot of theirs");
    auto reported_ms = now_ms();
    while (sync_.state() == sync::outcome::running) {
      if (stop_requested()) {
        return failed("stopped while the ledger was taken over", "a signal asked for it",
                      "start the node again: it continues where it stopped");
      }
      for (auto& one : in_.take()) take(std::move(one));
      apply(sync_.step(sync::time_passed{}, now_ms()));
      if (now_ms() < reported_ms + report_ms) continue;
      reported_ms = now_ms();
      report();
    }
    return end();
  }

 private:
  static state_sync::state_sync_options options_of(const node_config& config) {
    state_sync::state_sync_options options;
    options.trusted = config.trusted_end;
    return options;
  }

  /// A peer that misbehaves is blamed by its key if the configuration or the genesis names it, and
  /// by its address otherwise. This node only receives answers, so it does not listen yet.
  static mesh::mesh_options links_of(const node_config& config, const soma::genesis& genesis) {
    mesh::mesh_options options;
    options.peers = config.peers;
    for (const auto& peer : config.peers) options.members.push_back(peer.key);
    for (const auto& one : genesis.validators) options.members.push_back(one.consensus_key);
    options.frame_limit = [](std::uint16_t type, bool) { return max_frame_bytes(type); };
    options.seed = now_ms();
    return options;
  }

  mesh::mesh_callbacks callbacks() {
    mesh::mesh_callbacks calls;
    calls.on_connected = [this](mesh::peer_number peer, const public_key& key) {
      in_.put({seen::kind::connected, peer, key, 0, {}});
    };
    calls.on_gone = [this](mesh::peer_number peer, mesh::link_end) {
      in_.put({seen::kind::gone, peer, {}, 0, {}});
    };
    calls.on_frame = [this](mesh::peer_number peer, std::uint16_t type, bytes body) {
      in_.put({seen::kind::frame, peer, {}, type, std::move(body)});
    };
    return calls;
  }

  void take(seen one) {
    switch (one.event) {
      case seen::kind::connected:
        return apply(sync_.step(sync::peer_connected{one.peer, one.key}, now_ms()));
      case seen::kind::gone:
        return apply(sync_.step(sync::peer_gone{one.peer}, now_ms()));
      case seen::kind::frame:
        break;
    }
    mesh_.consumed(one.peer, one.body.size());
    // The messages by which validators agree arrive here, too, but they are of no use yet.
    if (one.type != frame_type_of<peer::state_part>()) return;
    const auto what = decode_frame(one.type, one.body);
    if (!what) return mesh_.blame(one.peer, 100);
    apply(sync_.step(sync::received{one.peer, *what}, now_ms()));
  }

  void apply(const std::vector<sync::effect>& effects) {
    for (const auto& effect : effects) {
      if (const auto* wanted = std::get_if<sync::send>(&effect)) {
        mesh_.send({wanted->to}, frame_type_of(wanted->message), encode(wanted->message));
      } else if (const auto* liar = std::get_if<sync::blame>(&effect)) {
        note_line("a peer is not asked any more: " + liar->why);
        mesh_.blame(liar->peer, 100);
      } else {
        note_line(std::get<sync::note>(effect).line);
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

  taken end() {
    switch (sync_.state()) {
      case sync::outcome::running:
        break;
      case sync::outcome::complete: {
        auto made = sync_.finish(config_.home / "ledger");
        if (!made) {
          return failed("the ledger that was taken over is not complete", made.error(),
                        "start the node again, or with sync = \"blocks\"");
        }
        note_line("the ledger is here as it was after block " +
                  std::to_string(sync_.header()->height.value) + "; the rest comes as blocks");
        return std::move(*made);
      }
      case sync::outcome::no_snapshot:
        note_line("no peer has a snapshot of the ledger: all blocks are executed instead");
        break;
      case sync::outcome::contradiction:
        return failed("cannot take the ledger over",
                      "the peers prove two histories that exclude each other",
                      "ask a person you trust for the last block of an epoch and name it as "
                      "trusted_end = \"EPOCH:0xBLOCK\"");
    }
    return std::nullopt;
  }

  const node_config& config_;
  validator::vote_checker checker_;
  sync sync_;
  inbox in_;
  mesh::mesh mesh_;  // the last member, since its thread uses the others
};

}  // namespace

expected<std::optional<state_tree::tree>, failure> take_state(const node_config& config,
                                                              const soma::genesis& genesis,
                                                              const crypto::key_pair& key) {
  const auto place = config.home / "ledger";
  if (std::filesystem::exists(place)) {
    const tables::ledger_store there(place);
    if (there.initialised()) return std::nullopt;
  }
  // A genesis that is not valid is refused later, when the ledger is opened.
  if (rules::check_genesis(genesis)) return std::nullopt;
  return taking(config, genesis, key).run();
}

}  // namespace soma::cli
