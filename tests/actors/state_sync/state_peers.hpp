// Peers that have a ledger, and peers that lie about one, in a network whose time and chance follow
// from a seed. With them state_sync is tested.
#pragma once

#include <functional>
#include <queue>

#include "actors/state_sync/state_server.hpp"
#include "actors/state_sync/state_sync.hpp"
#include "tests/actors/consensus/signed_committee.hpp"
#include "tests/actors/execution/forked_chain.hpp"
#include "tests/storage/tables/ledger_chain.hpp"

namespace soma::test {

/// A chain with real signatures, its ledger, and the snapshot at the end of each epoch, cut into
/// chunks in two ways.
struct told_ledger {
  explicit told_ledger(std::uint64_t seed, std::uint64_t epochs = 4)
      : chain(seed), ledger(directory.path() / "ledger"), at(chain.start()) {
    ledger.init(encode(chain.genesis), rules::genesis_rows(chain.genesis));
    while (closing.size() < epochs) step();
  }

  [[nodiscard]] std::filesystem::path folder(std::uint64_t epoch, bool finely = false) const {
    return directory.path() / ((finely ? "fine-" : "snapshots-") + std::to_string(epoch));
  }

  /// A true chunk that begins as this one and ends in the middle of it, so that the next honest
  /// chunk does not fit behind it. A chunk of one bucket stays as it is.
  [[nodiscard]] bytes shortened(const bytes& honest) const {
    auto chunk = state_sync::decode_chunk(honest).value();
    auto& range = chunk.range;
    if (range.end - range.first < 2) return honest;
    range.end = (range.first + range.end) / 2;
    chunk.proof = state_tree::prove_chunk(at.after->tree, range);
    std::erase_if(chunk.rows, [&](const auto& row) {
      return state_tree::prefix_of(state_tree::key_hash(row.key), range.depth) >= range.end;
    });
    return state_sync::encode_chunk(chunk);
  }

  scratch_directory directory;
  forked_chain chain;
  tables::ledger_store ledger;
  forked_block at;
  std::vector<block_header> closing;  // by epoch
  std::map<bytes, bytes> last_rows;   // at the end of the last epoch

 private:
  void step() {
    const auto seats = ledger::read_committee(at.after->rows).seats;
    at = chain.next(at);
    const auto& header = at.block->block.header;
    std::optional<epoch_proof> end;
    if (at.after->last.epoch_closed) end = proof_of(header, seats);
    ledger.commit_block(at.block->block, at.after->last.changes, at.after->last.events,
                        std::nullopt, end);
    if (!end) return;
    closing.push_back(header);
    for (const bool finely : {false, true}) {
      state_sync::snapshot_folder made(folder(header.epoch.value, finely));
      made.write(ledger.view(), at.after->tree, finely ? 120 : 300);
    }
    last_rows.clear();
    ledger.scan([&](byte_view key, byte_view value) {
      last_rows.emplace(copy(key), copy(value));
      return true;
    });
  }

  [[nodiscard]] epoch_proof proof_of(const block_header& header,
                                     const std::vector<committee_seat>& seats) const {
    std::vector<crypto::key_pair> keys;
    for (std::uint64_t v = 0; v < validator_count; ++v) keys.push_back(key_of(900 + v));
    return {{header},
            consensus::testing::final_certificate(header, seats, keys),
            at.after->last.next_committee};
  }
};

enum class conduct : std::uint8_t {
  honest,
  wrong_chunk,     // one bit of a piece is wrong
  endless_chunk,   // a chunk without an end
  odd_cut,         // true rows, cut in another way than by all other peers
  withholds_last,  // all chunks but the last
  always_later,
  silent,
  stale,         // a true snapshot that is old
  forged_proof,  // a false end of an epoch
  lying_height,  // a snapshot of the future
  other_height,  // a snapshot inside an epoch
  fork,          // another history, signed by the same validators
  leaves,        // its connection ends again and again
  odd_half,      // as odd_cut, but only some of the chunks
  drips,         // one byte at a time
  skips,         // never answers a third of its questions
  lures,         // as leaves, with true chunks behind which no honest chunk fits
};
inline constexpr std::size_t conducts = 17;

/// A peer: it decides what it answers and how late.
class state_peer {
 public:
  state_peer(const told_ledger& true_one, const told_ledger& other, conduct how,
             std::uint64_t number)
      : how_(how), d_{number}, true_one_(true_one), key_(key_of(5'000 + number).public_half()) {
    const auto& mine = how == conduct::fork ? other : true_one;
    const auto last = mine.closing.size() - 1;
    stale_from_ = {how == conduct::stale ? last - 1 : last + 1};
    const auto folder = mine.folder(how == conduct::stale ? last - 2 : last,
                                    how == conduct::odd_cut || how == conduct::odd_half);
    server_ = std::make_unique<state_sync::state_server>(mine.ledger, folder);
    chunks_ = state_sync::snapshot_folder(folder, true).chunks();
  }

  [[nodiscard]] conduct how() const { return how_; }
  [[nodiscard]] const public_key& key() const { return key_; }
  [[nodiscard]] bool was_asked_for_chunks() const { return asked_; }

  [[nodiscard]] std::optional<peer::state_part> answer(std::uint32_t number,
                                                       const peer::ask_state& asked,
                                                       std::uint64_t now_ms) {
    auto part = server_->answer(number, asked, now_ms);
    if (!part || how_ == conduct::silent) return std::nullopt;
    const bool is_piece = asked.height.value != 0;
    asked_ = asked_ || is_piece;
    switch (how_) {
      case conduct::wrong_chunk:
        if (!part->data.empty() && d_.chance(50)) flip(part->data);
        break;
      case conduct::endless_chunk:
        if (is_piece) {
          part->data.assign(max_state_data_bytes, 7);
          part->chunk_bytes = d_.chance(50) ? ~0u : static_cast<std::uint32_t>(8u << 20);
        }
        break;
      case conduct::withholds_last:
        if (is_piece && asked.chunk + 1 == chunks_) return std::nullopt;
        break;
      case conduct::odd_half:
        if (is_piece && asked.chunk > chunks_ / 2) return std::nullopt;
        break;
      case conduct::drips:
        if (!part->data.empty()) part->data.resize(1);
        break;
      case conduct::skips:
        if (is_piece && asked.chunk % 3 == 0) return std::nullopt;
        break;
      case conduct::lures:
        if (!part->data.empty()) {
          part->data = true_one_.shortened(part->data);
          part->chunk_bytes = static_cast<std::uint32_t>(part->data.size());
        }
        break;
      case conduct::always_later:
        if (is_piece) part->later = true;
        break;
      case conduct::stale:
        if (asked.epoch >= stale_from_) part->end.reset();
        break;
      case conduct::forged_proof:
        if (part->end && d_.chance(60)) forge(*part->end);
        break;
      case conduct::lying_height:
        part->height = {part->height.value + 1'000'000};
        break;
      case conduct::other_height:
        part->height = {part->height.value - 1};
        break;
      default:
        break;
    }
    return part;
  }

 private:
  void flip(bytes& data) {
    data[d_.below(data.size())] ^= static_cast<std::uint8_t>(1u << d_.below(8));
  }
  void forge(epoch_proof& end) {
    switch (d_.below(4)) {
      case 0:
        end.final.signatures[0][d_.below(64)] ^= 1;
        break;
      case 1:
        end.headers.front().state_root.value[d_.below(32)] ^= 1;
        break;
      case 2:
        end.next_committee.front().power.value += 1;
        break;
      default:
        end.next_committee.front().consensus_key = key_;
    }
  }

  conduct how_;
  dice d_;
  const told_ledger& true_one_;
  public_key key_{};
  std::unique_ptr<state_sync::state_server> server_;
  epoch_number stale_from_;
  std::uint32_t chunks_ = 0;
  bool asked_ = false;
};

/// Runs one state_sync among peers, until it has an outcome or the time is over.
class state_network {
 public:
  state_network(std::vector<state_peer> peers, std::uint64_t seed)
      : peers_(std::move(peers)), d_{seed}, number_of_(peers_.size()) {}

  std::vector<std::pair<conduct, std::string>> blames;
  std::vector<std::string> notes;
  std::map<std::size_t, std::size_t> pieces_asked;  // by the index of the peer
  std::uint64_t now_ms = 1'000;
  bool is_killed = false;          // set by `watch`
  std::uint64_t lost_percent = 0;  // of the answers

  [[nodiscard]] const std::vector<state_peer>& peers() const { return peers_; }

  state_sync::state_sync::outcome run(
      state_sync::state_sync& sync, std::uint64_t most_ms,
      const std::function<void()>& watch = [] {}) {
    using state_sync::state_sync;
    for (auto& number : number_of_) number = 0;
    for (std::size_t i = 0; i < peers_.size(); ++i) connect_at(sync, i, now_ms + d_.below(1'500));
    const auto until = now_ms + most_ms;
    for (; now_ms < until && sync.state() == state_sync::outcome::running && !is_killed;
         now_ms += 5) {
      while (!later_.empty() && later_.begin()->first <= now_ms) {
        const auto message = std::move(later_.begin()->second);
        later_.erase(later_.begin());
        message();
      }
      if (now_ms % 100 == 0) effects(sync, sync.step(state_sync::time_passed{}, now_ms));
      for (std::size_t i = 0; i < peers_.size(); ++i) {
        const bool may_leave =
            peers_[i].how() == conduct::leaves || peers_[i].how() == conduct::lures;
        if (may_leave && number_of_[i] != 0 && d_.below(60) == 0) {
          leave(sync, i, 50);
        }
      }
      watch();
    }
    later_.clear();
    return sync.state();
  }

 private:
  void connect_at(state_sync::state_sync& sync, std::size_t who, std::uint64_t at_ms) {
    later_.emplace(at_ms, [this, &sync, who] {
      number_of_[who] = ++last_number_;
      effects(sync,
              sync.step(state_sync::state_sync::peer_connected{last_number_, peers_[who].key()},
                        now_ms));
    });
  }
  void leave(state_sync::state_sync& sync, std::size_t who, std::uint64_t back_in_ms) {
    const auto number = std::exchange(number_of_[who], 0);
    effects(sync, sync.step(state_sync::state_sync::peer_gone{number}, now_ms));
    connect_at(sync, who, now_ms + back_in_ms + d_.below(100));
  }
  [[nodiscard]] std::optional<std::size_t> behind(std::uint32_t number) const {
    for (std::size_t i = 0; i < peers_.size(); ++i) {
      if (number_of_[i] == number) return i;
    }
    return std::nullopt;
  }
  void effects(state_sync::state_sync& sync, std::vector<state_sync::state_sync::effect> all) {
    for (auto& one : all) {
      if (const auto* note = std::get_if<state_sync::state_sync::note>(&one)) {
        notes.push_back(note->line);
      } else if (const auto* blame = std::get_if<state_sync::state_sync::blame>(&one)) {
        const auto who = behind(blame->peer).value();
        blames.emplace_back(peers_[who].how(), blame->why);
        number_of_[who] = 0;
        connect_at(sync, who, now_ms + 100);  // it comes back with the same key
      } else {
        const auto& sent = std::get<state_sync::state_sync::send>(one);
        const auto asked = std::get<peer::ask_state>(sent.message);
        if (asked.height.value != 0) {
          ++pieces_asked[behind(sent.to).value()];
        }
        later_.emplace(now_ms + 1 + d_.below(30), [this, &sync, to = sent.to, asked] {
          if (const auto who = behind(to)) arrive(sync, *who, to, asked);
        });
      }
    }
  }
  void arrive(state_sync::state_sync& sync, std::size_t who, std::uint32_t number,
              const peer::ask_state& asked) {
    auto part = peers_[who].answer(number, asked, now_ms);
    if (!part || d_.chance(lost_percent)) return;
    later_.emplace(
        now_ms + 1 + d_.below(30), [this, &sync, number, message = peer_message(std::move(*part))] {
          if (!behind(number)) return;
          effects(sync, sync.step(state_sync::state_sync::received{number, message}, now_ms));
        });
  }

  std::vector<state_peer> peers_;
  dice d_;
  std::vector<std::uint32_t> number_of_;  // of the connection; 0: none
  std::uint32_t last_number_ = 0;
  std::multimap<std::uint64_t, std::function<void()>> later_;
};

}  // namespace soma::test
