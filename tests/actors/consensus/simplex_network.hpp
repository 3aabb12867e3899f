// Several consensus cores on a network that only delays messages, with a ledger of their own each.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "actors/consensus/runner.hpp"
#include "messages/crypto/ed25519.hpp"
#include "messages/crypto/hash.hpp"
#include "messages/signing/signing.hpp"

namespace soma::consensus::testing {

inline crypto::key_pair key_number(std::uint8_t number) {
  std::array<std::uint8_t, 32> seed{};
  seed[0] = number;
  return crypto::key_pair::from_seed(seed);
}

/// Whether a signature is right does not depend on who looks at it. So each one is verified once,
/// although every core of a network looks at it: verifying takes most of the time of these tests.
template <class Verify>
bool verified_once(const hash256& what, Verify verify) {
  static std::map<hash256, bool> verdicts;
  const auto known = verdicts.find(what);
  return known != verdicts.end() ? known->second : verdicts.emplace(what, verify()).first->second;
}

struct real_keys final : signer, signature_checker {
  real_keys(crypto::key_pair pair, const chain_id& of) : pair_(std::move(pair)), chain(of) {}
  const public_key& key() const override { return pair_.public_half(); }
  signature sign_block(const block_id& block) override { return signing::sign_block(pair_, block); }
  signature sign_vote(const vote_statement& vote) override {
    return signing::sign_vote(pair_, chain, vote);
  }
  bool block_is_signed(const public_key& by, const block_id& block, const signature& s) override {
    const auto what = crypto::tagged_hash("test.block").add(by).add(block.view()).add(s).finish();
    return verified_once(what, [&] { return signing::verify_block(by, block, s); });
  }
  bool vote_is_signed(const public_key& by, const vote_statement& vote,
                      const signature& s) override {
    crypto::tagged_hash what("test.vote");
    what.add(chain.view()).add(by).add_u8(static_cast<std::uint8_t>(vote.kind));
    what.add_u64(vote.epoch.value).add_u64(vote.view.value).add(vote.block.view()).add(s);
    return verified_once(what.finish(), [&] { return signing::verify_vote(by, chain, vote, s); });
  }
  crypto::key_pair pair_;
  chain_id chain;
};

/// A payload source that gives one new transaction after the other without an end.
struct endless_payload final : payload_source {
  std::vector<signed_transaction> next_payload(const std::vector<block_ptr>& ancestors, std::size_t,
                                               std::size_t) const override {
    if (!busy) return {};
    signed_transaction t;
    t.body = bytes(body_bytes, static_cast<std::uint8_t>(ancestors.size()));
    return {t};
  }
  bool busy = false;
  std::size_t body_bytes = 10;
};

inline constexpr std::uint64_t epoch_ms = 20'000;

class network;

struct node final : effect_ports {
  node(network& of, std::size_t place, std::uint8_t number, const chain_position& from,
       recalled past = {})
      : keys(key_number(number), from.chain),
        runs(simplex(from, std::move(past), {keys, keys, payload, archive}), *this),
        core(runs.core()),
        net(of),
        index(place) {}

  struct stored_blocks final : block_archive {
    block_ptr find(const block_id& id) const override {
      for (const auto& b : all) {
        if (b.block->id == id) return b.block;
      }
      return nullptr;
    }
    chain_segment after(block_height height, std::size_t max_bytes,
                        std::size_t max_count) const override {
      chain_segment found;
      std::size_t proven = 0, size = 0;
      for (const auto& b : all) {
        const auto& h = b.block->block.header;
        if (h.height <= height) continue;
        size += h.payload_bytes;
        if (proven > 0 && (found.blocks.size() == max_count || size > max_bytes)) break;
        found.epoch = h.epoch;
        found.blocks.push_back(b.block);
        if (!b.final && !b.epoch_end) continue;
        proven = found.blocks.size();
        found.final = b.final;
        found.epoch_end = b.epoch_end;
        if (b.epoch_end) break;
      }
      found.blocks.resize(proven);
      return found;
    }
    std::vector<final_block> all;
  };

  real_keys keys;
  endless_payload payload;
  stored_blocks archive;
  runner runs;
  const simplex& core;
  bool up = true;
  std::map<timer_kind, std::uint64_t> timer_generation;

  void apply(persist w) override;
  void apply(send w) override;
  void apply(set_timer w) override;
  void apply(execute w) override;
  void apply(consensus::commit w) override;
  void apply(base_moved) override {}
  void apply(report) override;
  void apply(blame w) override;
  void apply(alarm w) override;

 private:
  network& net;
  std::size_t index;
};

/// A network in virtual time with a delay of 10 ms.
class network {
 public:
  explicit network(std::size_t members, std::size_t followers = 0) {
    position_.chain = crypto::tagged_hash("test.chain").finish_as<chain_id>();
    position_.block = position_.chain.as<block_tag>();
    position_.epoch_end_ms = epoch_ms;
    position_.epoch_start_ms = 1;
    position_.time_ms = 1;
    position_.leader_seed = position_.next_leader_seed = position_.chain.as<hash_tag>();
    for (std::size_t i = 0; i < members; ++i) {
      const auto key = key_number(static_cast<std::uint8_t>(i)).public_half();
      const auto units = total_power.value;
      const auto power = units / members + (i < units % members ? 1 : 0);
      position_.seats.push_back(
          {crypto::address_of(key), key, {static_cast<std::uint32_t>(power)}, 0, 0});
    }
    for (std::size_t i = 0; i < members + followers; ++i) {
      nodes.push_back(std::make_unique<node>(*this, i, static_cast<std::uint8_t>(i), position_));
    }
  }

  /// Starts another process with this member's key, from a copy of its ledger and record at the
  /// start.
  void add_twin_of(std::uint8_t member) {
    recalled past{record_state::intact, {}};
    past.record.chain = position_.chain;
    past.record.key = key_number(member).public_half();
    nodes.push_back(
        std::make_unique<node>(*this, nodes.size(), member, position_, std::move(past)));
  }
  void start() {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (nodes[i]->up) start(i);
    }
  }
  void start(std::size_t i) {
    feed(i, started{});
    for (std::size_t k = 0; k < nodes.size(); ++k) {
      if (k != i && nodes[k]->up)
        feed(i, peer_connected{static_cast<peer_number>(k), nodes[k]->keys.key()});
    }
  }

  void run_until(std::uint64_t time_ms) {
    while (!queue_.empty() && queue_.begin()->first.first <= time_ms) {
      auto first = queue_.extract(queue_.begin());
      now = first.key().first;
      const auto& [to, event, generation] = first.mapped();
      if (!nodes[to]->up) continue;
      if (const auto* timer = std::get_if<timer_fired>(&event)) {
        if (nodes[to]->timer_generation[timer->kind] != generation) continue;
      }
      feed(to, event);
    }
    now = time_ms;
  }

  std::vector<std::unique_ptr<node>> nodes;
  std::uint64_t now = 2;
  std::size_t reports = 0;
  std::set<std::pair<std::size_t, std::size_t>> cut;  // nothing passes from the first to the second
  // if set, only heights that are multiples of it have certificates in the ledgers
  std::uint64_t rare_proofs = 0;
  std::vector<std::string> alarms;
  std::vector<std::string> blames;

  void later(std::uint64_t after_ms, std::size_t to, consensus::event e,
             std::uint64_t generation = 0) {
    queue_.emplace(std::pair(now + after_ms, order_++), entry{to, std::move(e), generation});
  }
  void cut_link(std::size_t a, std::size_t b) {
    cut.emplace(a, b);
    cut.emplace(b, a);
  }
  [[nodiscard]] const std::vector<committee_seat>& seats() const { return position_.seats; }

 private:
  struct entry {
    std::size_t to;
    consensus::event event;
    std::uint64_t generation = 0;
  };

  void feed(std::size_t i, const consensus::event& e) { nodes[i]->runs.run(e, now); }

  chain_position position_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, entry> queue_;
  std::uint64_t order_ = 0;
};

inline void node::apply(persist w) {
  net.later(1, index, stored{w.ticket});
}
inline void node::apply(send w) {
  if (const auto* answer = std::get_if<peer::response>(w.message.get())) {
    std::size_t size = 0;
    for (const auto& b : answer->blocks) size += b->block.header.payload_bytes;
    REQUIRE(size <= max_response_bytes);
    REQUIRE(answer->blocks.size() <= max_response_blocks);
    REQUIRE(answer->certificates.size() <= max_response_certificates);
  }
  for (std::size_t k = 0; k < net.nodes.size(); ++k) {
    const bool wanted = w.to.empty() || std::find(w.to.begin(), w.to.end(), k) != w.to.end();
    if (k != index && wanted && net.nodes[k]->up && !net.cut.contains({index, k}))
      net.later(10, k, received{static_cast<peer_number>(index), w.message});
  }
}
inline void node::apply(set_timer w) {
  net.later(w.after_ms, index, timer_fired{w.kind}, ++timer_generation[w.kind]);
}
inline void node::apply(execute w) {
  const auto& h = w.candidate->block.header;
  execution_result result;
  result.follows = true;
  result.root =
      crypto::tagged_hash("test.root").add(h.parent).add(h.payload_root).finish_as<state_root>();
  result.closes_epoch = h.time_ms >= (h.epoch.value + 1) * epoch_ms;
  result.epoch_end_ms = (h.epoch.value + (result.closes_epoch ? 2 : 1)) * epoch_ms;
  if (result.closes_epoch) result.next_committee = net.seats();
  net.later(2, index, executed{w.ticket, result});
}
inline void node::apply(consensus::commit w) {
  auto& all = archive.all;
  for (const auto& b : w.blocks) {
    const auto& h = b.block->block.header;
    REQUIRE(h.height.value == all.size() + 1);
    all.push_back(b);
    if (net.rare_proofs != 0 && h.height.value % net.rare_proofs != 0) all.back().final.reset();
  }
  net.later(1, index, committed{w.ticket});
}
inline void node::apply(report) {
  ++net.reports;
}
inline void node::apply(blame w) {
  net.blames.push_back(w.why);
}
inline void node::apply(alarm w) {
  net.alarms.push_back(w.why);
}

inline void check_same_chain(const network& net, std::size_t at_least) {
  CHECK(net.alarms.empty());
  CHECK(net.blames.empty());
  CHECK(net.reports == 0);
  const auto& first = net.nodes.front()->archive.all;
  for (const auto& n : net.nodes) {
    if (!n->up) continue;
    const auto& mine = n->archive.all;
    CHECK(mine.size() >= at_least);
    for (std::size_t i = 0; i < std::min(mine.size(), first.size()); ++i)
      REQUIRE(mine[i].block->id == first[i].block->id);
  }
}

}  // namespace soma::consensus::testing
