// The extremes of scenario 15: a hundred members with power 100 each, and a member without power.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>

#include "actors/consensus/runner.hpp"
#include "actors/simulation/keys.hpp"
#include "actors/simulation/node.hpp"
#include "messages/crypto/hash.hpp"
#include "tests/actors/simulation/scenario_support.hpp"

using namespace soma;
using namespace soma::simulation;
using namespace soma::simulation::testing;

namespace {

struct no_payload final : consensus::payload_source {
  std::vector<signed_transaction> next_payload(const std::vector<block_ptr>&, std::size_t,
                                               std::size_t) const override {
    return {};
  }
};
struct no_archive final : consensus::block_archive {
  block_ptr find(const block_id&) const override { return nullptr; }
  chain_segment after(block_height, std::size_t, std::size_t) const override { return {}; }
};
struct own_key final : consensus::signer {
  own_key(const keyring& all, std::uint16_t who) : keys(all), mine(all.key(who, 0)) {}
  const public_key& key() const override { return mine; }
  signature sign_block(const block_id& b) override { return keys.sign_block(mine, b); }
  signature sign_vote(const vote_statement& v) override {
    return keys.sign_vote(mine, v, keys.chain());
  }
  const keyring& keys;
  public_key mine;
};

/// More cores than a simulated network has nodes. Their messages take 20 ms and are never lost.
class crowd {
 public:
  crowd(const std::vector<std::uint32_t>& powers, std::size_t silent) : checker_(keys_) {
    consensus::chain_position at;
    at.chain = keys_.chain();
    at.block = at.chain.as<block_tag>();
    at.time_ms = at.epoch_start_ms = 1;
    at.epoch_end_ms = UINT64_MAX / 2;
    at.leader_seed = at.next_leader_seed = at.chain.as<hash_tag>();
    for (std::uint16_t i = 0; i < powers.size(); ++i) {
      at.seats.push_back({keyring::member(i), keys_.key(i, 0), powers[i], 0, 0});
    }
    for (std::uint16_t i = 0; i < powers.size(); ++i) {
      signers_.push_back(std::make_unique<own_key>(keys_, i));
      consensus::simplex core(at, {}, {*signers_.back(), checker_, payload_, archive_});
      members_.push_back(std::make_unique<member>(*this, i, std::move(core)));
    }
    up_ = powers.size() - silent;
    heights.resize(powers.size());
    timers_.resize(powers.size());
    for (std::size_t i = 0; i < up_; ++i) feed(i, consensus::started{});
    for (std::size_t i = 0; i < up_; ++i) {
      for (std::size_t k = 0; k < up_; ++k) {
        if (i != k) {
          feed(i, consensus::peer_connected{static_cast<consensus::peer_number>(k),
                                            signers_[k]->mine});
        }
      }
    }
  }
  void run_until(std::uint64_t ms) {
    while (!queue_.empty() && queue_.begin()->first.first <= ms) {
      auto next = queue_.extract(queue_.begin());
      now_ = next.key().first;
      auto& [to, event, generation] = next.mapped();
      if (const auto* t = std::get_if<consensus::timer_fired>(&event)) {
        if (timers_[to][t->kind] != generation) continue;
      }
      feed(to, event);
    }
  }
  [[nodiscard]] bool agrees() const { return !forked_; }
  std::vector<std::uint64_t> heights;

 private:
  struct entry {
    std::size_t to;
    consensus::event event;
    std::uint64_t generation = 0;
  };
  void later(std::uint64_t ms, std::size_t to, consensus::event event, std::uint64_t g = 0) {
    queue_.emplace(std::pair(now_ + ms, order_++), entry{to, std::move(event), g});
  }
  void feed(std::size_t i, const consensus::event& e) { members_[i]->runner.run(e, now_); }
  /// One core and the machine that applies its effects.
  struct member final : consensus::effect_ports {
    member(crowd& of, std::size_t at_index, consensus::simplex core)
        : runner(std::move(core), *this), all(of), node_index(at_index) {}
    void apply(consensus::persist e) override {
      all.later(1, node_index, consensus::stored{e.ticket});
    }
    void apply(consensus::send e) override {
      for (std::size_t k = 0; k < all.up_; ++k) {
        const bool to = e.to.empty() || std::ranges::find(e.to, k) != e.to.end();
        if (to && k != node_index) {
          all.later(
              20, k,
              consensus::received{static_cast<consensus::peer_number>(node_index), e.message});
        }
      }
    }
    void apply(consensus::set_timer e) override {
      all.later(e.after_ms, node_index, consensus::timer_fired{e.kind},
                ++all.timers_[node_index][e.kind]);
    }
    void apply(consensus::execute e) override {
      consensus::execution_result r;
      r.follows = true;
      r.epoch_end_ms = UINT64_MAX / 2;
      r.root = crypto::tagged_hash("crowd")
                   .add(e.candidate->block.header.parent)
                   .finish_as<state_root>();
      all.later(1, node_index, consensus::executed{e.ticket, r});
    }
    void apply(consensus::commit e) override {
      for (const auto& b : e.blocks) {
        const auto height = ++all.heights[node_index];
        all.forked_ =
            all.forked_ || all.final_.try_emplace(height, b.block->id).first->second != b.block->id;
      }
      all.later(1, node_index, consensus::committed{e.ticket});
    }
    void apply(consensus::base_moved) override {}
    void apply(consensus::report) override { all.forked_ = true; }
    void apply(consensus::blame) override { all.forked_ = true; }
    void apply(consensus::alarm) override { all.forked_ = true; }

    consensus::runner runner;
    crowd& all;
    std::size_t node_index;
  };

  keyring keys_{1};
  checker_port checker_;
  no_payload payload_;
  no_archive archive_;
  std::vector<std::unique_ptr<own_key>> signers_;
  std::vector<std::unique_ptr<member>> members_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, entry> queue_;
  std::vector<std::map<consensus::timer_kind, std::uint64_t>> timers_;
  std::map<std::uint64_t, block_id> final_;
  std::size_t up_ = 0;
  std::uint64_t now_ = 2;
  std::uint64_t order_ = 0;
  bool forked_ = false;
};

/// Whether a committee of these powers ends the process.
bool is_refused(const std::vector<std::uint32_t>& powers) {
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const int nowhere = ::open("/dev/null", O_WRONLY);
    for (const int out : {STDOUT_FILENO, STDERR_FILENO}) {
      if (nowhere >= 0) ::dup2(nowhere, out);
    }
    const keyring keys{1};
    std::vector<committee_seat> seats;
    for (std::uint16_t i = 0; i < powers.size(); ++i) {
      seats.push_back({keyring::member(i), keys.key(i, 0), powers[i], 0, 0});
    }
    const consensus::committee made(keys.chain(), {0}, seats, {});
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

}  // namespace

TEST_CASE("scenario 15: a hundred members of power 100, of which 33 may be silent and 34 may not") {
  const std::vector<std::uint32_t> powers(100, 100);
  for (const std::size_t silent : {0u, 33u, 34u}) {
    CAPTURE(silent);
    crowd all(powers, silent);
    all.run_until(silent == 0 ? 4'000 : 12'000);
    CHECK(all.agrees());
    for (std::size_t i = 0; i < 100 - silent; ++i) {
      if (silent == 34) {
        CHECK(all.heights[i] == 0);
      } else {
        CHECK(all.heights[i] >= 2);
      }
    }
  }
}

TEST_CASE("scenario 15: no power, too much or too little in all is no committee") {
  CHECK_FALSE(is_refused({2'500, 2'500, 2'500, 2'500}));
  CHECK(is_refused({5'000, 2'500, 2'500, 0}));
  CHECK(is_refused({2'500, 2'500, 2'500, 2'499}));
  CHECK(is_refused({2'500, 2'500, 2'500, 2'501}));
  CHECK(is_refused(std::vector<std::uint32_t>(101, 99)));
}
