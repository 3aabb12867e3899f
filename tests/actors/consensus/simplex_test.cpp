// The core among a few others of its kind, on a network that is only slow: what every agreement
// must do before faults are thrown at it. Hostile networks: tests/actors/world/agreement.
#include "actors/consensus/simplex.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "messages/crypto/ed25519.hpp"
#include "messages/crypto/hash.hpp"
#include "messages/crypto/transactions.hpp"

namespace soma::test {
namespace {

using namespace consensus;

crypto::key_pair key_number(std::uint8_t number) {
  std::array<std::uint8_t, 32> seed{};
  seed[0] = number;
  return crypto::key_pair::from_seed(seed);
}

struct real_keys final : signer, signature_checker {
  real_keys(crypto::key_pair pair, const chain_id& of) : pair_(std::move(pair)), chain(of) {}
  const public_key& key() const override { return pair_.public_half(); }
  signature sign_block(const block_id& block) override { return crypto::sign_block(pair_, block); }
  signature sign_vote(const vote_statement& vote) override {
    return crypto::sign_vote(pair_, chain, vote);
  }
  bool block_is_signed(const public_key& by, const block_id& block, const signature& s) override {
    return crypto::verify_block(by, block, s);
  }
  bool vote_is_signed(const public_key& by, const vote_statement& vote,
                      const signature& s) override {
    return crypto::verify_vote(by, chain, vote, s);
  }
  crypto::key_pair pair_;
  chain_id chain;
};

/// One transaction after the other, for ever.
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

constexpr std::uint64_t epoch_ms = 20'000;

struct node {
  node(std::uint8_t number, const chain_position& from, const std::map<block_id, std::uint64_t>& t,
       recalled past = {})
      : keys(key_number(number), from.chain),
        times(t),
        core(from, std::move(past), {keys, keys, payload, archive}, {}) {}

  struct stored_blocks final : block_archive {
    block_ptr find(const block_id& id) const override {
      for (const auto& b : all) {
        if (b.what->id == id) return b.what;
      }
      return nullptr;
    }
    run after(block_height height, std::size_t max_bytes, std::size_t max_count) const override {
      run found;
      std::size_t proven = 0, size = 0;
      for (const auto& b : all) {
        const auto& h = b.what->whole.header;
        if (h.height <= height) continue;
        size += h.payload_bytes;
        if (proven > 0 && (found.blocks.size() == max_count || size > max_bytes)) break;
        found.epoch = h.epoch;
        found.blocks.push_back(b.what);
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
  const std::map<block_id, std::uint64_t>& times;
  simplex core;
  bool up = true;
  std::map<timer_kind, std::uint64_t> timer_generation;
};

/// A network with a delay of 10 ms, in virtual time.
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
      const auto power = total_power / members + (i < total_power % members ? 1 : 0);
      position_.seats.push_back(
          {crypto::address_of(key), key, static_cast<std::uint32_t>(power), 0, 0});
    }
    for (std::size_t i = 0; i < members + followers; ++i) {
      nodes.push_back(
          std::make_unique<node>(static_cast<std::uint8_t>(i), position_, block_times_));
    }
  }

  /// Another process with this member's key, from a copy of what was there at the beginning.
  void add_twin_of(std::uint8_t member) {
    recalled past{record_state::whole, {}};
    past.record.chain = position_.chain;
    past.record.key = key_number(member).public_half();
    nodes.push_back(std::make_unique<node>(member, position_, block_times_, std::move(past)));
  }
  void start() {
    for (std::size_t i = 0; i < nodes.size(); ++i) start(i);
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
      const auto& [to, what, generation] = first.mapped();
      if (!nodes[to]->up) continue;
      if (const auto* timer = std::get_if<timer_fired>(&what)) {
        if (nodes[to]->timer_generation[timer->kind] != generation) continue;
      }
      feed(to, what);
    }
    now = time_ms;
  }

  std::vector<std::unique_ptr<node>> nodes;
  std::uint64_t now = 2;
  std::size_t reports = 0;
  std::uint64_t rare_proofs = 0;  // only such heights have certificates in the ledgers
  std::vector<std::string> alarms;
  std::vector<std::string> blames;

 private:
  struct entry {
    std::size_t to;
    consensus::event what;
    std::uint64_t generation = 0;
  };

  void later(std::uint64_t after_ms, std::size_t to, consensus::event what,
             std::uint64_t generation = 0) {
    queue_.emplace(std::pair(now + after_ms, order_++), entry{to, std::move(what), generation});
  }
  void feed(std::size_t i, const consensus::event& e) {
    for (const auto& wanted : nodes[i]->core.step(e, now)) {
      std::visit([&](const auto& w) { carry_out(i, w); }, wanted);
    }
  }
  void carry_out(std::size_t i, const persist& w) { later(1, i, stored{w.ticket}); }
  void carry_out(std::size_t i, const send& w) {
    if (const auto* answer = std::get_if<peer::response>(w.what.get())) {
      std::size_t size = 0;
      for (const auto& b : answer->blocks) size += b->whole.header.payload_bytes;
      REQUIRE(size <= max_response_bytes);
      REQUIRE(answer->blocks.size() <= max_response_blocks);
      REQUIRE(answer->certificates.size() <= max_response_certificates);
    }
    for (std::size_t k = 0; k < nodes.size(); ++k) {
      const bool wanted = w.to.empty() || std::find(w.to.begin(), w.to.end(), k) != w.to.end();
      if (k != i && wanted && nodes[k]->up)
        later(10, k, received{static_cast<peer_number>(i), w.what});
    }
  }
  void carry_out(std::size_t i, const set_timer& w) {
    later(w.after_ms, i, timer_fired{w.kind}, ++nodes[i]->timer_generation[w.kind]);
  }
  void carry_out(std::size_t i, const execute& w) {
    const auto& h = w.candidate->whole.header;
    execution_result result;
    result.follows = true;
    result.root =
        crypto::tagged_hash("test.root").add(h.parent).add(h.payload_root).finish_as<state_root>();
    result.closes_epoch = h.time_ms >= (h.epoch.value + 1) * epoch_ms;
    result.epoch_end_ms = (h.epoch.value + (result.closes_epoch ? 2 : 1)) * epoch_ms;
    if (result.closes_epoch) result.next_committee = position_.seats;
    later(2, i, executed{w.ticket, result});
  }
  void carry_out(std::size_t i, const consensus::commit& w) {
    auto& all = nodes[i]->archive.all;
    for (const auto& b : w.blocks) {
      const auto& h = b.what->whole.header;
      REQUIRE(h.height.value == all.size() + 1);
      all.push_back(b);
      if (rare_proofs != 0 && h.height.value % rare_proofs != 0) all.back().final.reset();
    }
    later(1, i, committed{w.ticket});
  }
  void carry_out(std::size_t, const base_moved&) {}
  void carry_out(std::size_t, const report&) { ++reports; }
  void carry_out(std::size_t, const blame& w) { blames.push_back(w.why); }
  void carry_out(std::size_t, const alarm& w) { alarms.push_back(w.why); }

  chain_position position_;
  std::map<block_id, std::uint64_t> block_times_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, entry> queue_;
  std::uint64_t order_ = 0;
};

void check_same_chain(const network& net, std::size_t at_least) {
  CHECK(net.alarms.empty());
  CHECK(net.blames.empty());
  CHECK(net.reports == 0);
  const auto& first = net.nodes.front()->archive.all;
  for (const auto& n : net.nodes) {
    if (!n->up) continue;
    const auto& mine = n->archive.all;
    CHECK(mine.size() >= at_least);
    for (std::size_t i = 0; i < std::min(mine.size(), first.size()); ++i)
      REQUIRE(mine[i].what->id == first[i].what->id);
  }
}

}  // namespace

TEST_CASE("committees of every size agree on one chain through several epochs") {
  for (const std::size_t members : {1, 2, 4, 7, 13}) {
    CAPTURE(members);
    network net(members);
    net.start();
    net.run_until(65'000);
    check_same_chain(net, 55);  // an idle chain: a block a second
    CHECK(net.nodes.front()->core.epoch().value == 3);
  }
}

TEST_CASE("with work to do blocks follow each other at the interval") {
  network net(4);
  for (auto& n : net.nodes) n->payload.busy = true;
  net.start();
  net.run_until(15'000);
  check_same_chain(net, 100);  // 100 ms and two delays
}

TEST_CASE("who comes late with an empty ledger and no seat reaches the tip through past epochs") {
  network net(4, 1);
  net.nodes[4]->up = false;
  for (auto& n : net.nodes) n->payload.busy = true;
  net.start();
  net.run_until(70'000);
  net.nodes[4]->up = true;
  net.start(4);
  net.run_until(80'000);
  check_same_chain(net, 450);
}

TEST_CASE(
    "blocks that are more than one answer, up to the first that is proven, are caught up with") {
  for (const std::uint64_t rare : {9, 70, 1'000}) {  // larger, more, and proven by epochs alone
    CAPTURE(rare);
    network net(4, 1);
    net.rare_proofs = rare;
    net.nodes[4]->up = false;
    for (auto& n : net.nodes) {
      n->payload.busy = true;
      if (rare == 9) n->payload.body_bytes = 200'000;
    }
    net.start();
    net.run_until(rare == 9 ? 5'000 : 24'000);
    net.nodes[4]->up = true;
    net.start(4);
    net.run_until(net.now + 10'000);
    check_same_chain(net, rare == 9 ? 80 : 200);
  }
}

TEST_CASE("who starts from an old copy beside the one that has the key signs nothing, ever") {
  for (const bool busy : {false, true}) {
    CAPTURE(busy);
    network net(4);
    net.add_twin_of(3);
    net.nodes[4]->up = false;
    for (auto& n : net.nodes) n->payload.busy = busy;
    net.start();
    net.run_until(8'000);
    net.nodes[4]->up = true;
    net.start(4);
    for (int second = 9; second < 65; ++second) {
      net.run_until(static_cast<std::uint64_t>(second) * 1'000);
      CHECK(!net.nodes[4]->core.may_sign());
    }
    CHECK(net.nodes[3]->core.may_sign());
    check_same_chain(net, 50);
  }
}

TEST_CASE("a silent member costs timeouts, not the chain") {
  network net(4);
  net.nodes[3]->up = false;
  net.start();
  net.run_until(60'000);
  check_same_chain(net, 20);
}

}  // namespace soma::test
