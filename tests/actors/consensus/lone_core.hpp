// One consensus core alone, with the keys of its whole committee. A test gives it events and looks
// at the effects. The time is a number that the test sets, and a timer fires when the test says so.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "actors/consensus/simplex.hpp"
#include "messages/crypto/hash.hpp"
#include "messages/signing/signing.hpp"
#include "tests/actors/consensus/signed_committee.hpp"

namespace soma::consensus::testing {

using effects = std::vector<effect>;

/// The messages of one kind among the effects: those to `to`, or all of them when `to` is absent.
/// A message to all peers counts once.
template <class Message>
[[nodiscard]] std::vector<Message> messages_in(const effects& all,
                                               std::optional<peer_number> to = std::nullopt) {
  std::vector<Message> found;
  for (const auto& one : all) {
    const auto* sent = std::get_if<send>(&one);
    if (sent == nullptr) continue;
    const auto* message = std::get_if<Message>(sent->message.get());
    if (message == nullptr) continue;
    if (to && !sent->to.empty() && std::ranges::find(sent->to, *to) == sent->to.end()) continue;
    found.push_back(*message);
  }
  return found;
}

/// The times to which the effects set the timer of this kind.
[[nodiscard]] inline std::vector<std::uint64_t> timers_in(const effects& all, timer_kind kind) {
  std::vector<std::uint64_t> found;
  for (const auto& one : all) {
    const auto* timer = std::get_if<set_timer>(&one);
    if (timer != nullptr && timer->kind == kind) found.push_back(timer->after_ms);
  }
  return found;
}

template <class Effect>
[[nodiscard]] std::size_t count_of(const effects& all) {
  return static_cast<std::size_t>(std::ranges::count_if(
      all, [](const effect& one) { return std::holds_alternative<Effect>(one); }));
}

[[nodiscard]] inline block_id block_number(std::uint64_t number) {
  return crypto::tagged_hash("test.block").add_u64(number).finish_as<block_id>();
}

/// The core of the member in seat 0, in epoch 3 above a block of height 10. All members have the
/// same power, the first ones a unit more. Writes and executions are answered at once; a draft is
/// not, so the core never gets to send a block of its own.
class lone_core {
 public:
  static constexpr std::uint64_t base_time_ms = 1'000;
  static constexpr epoch_number epoch{3};
  static constexpr block_height base_height{10};

  explicit lone_core(std::size_t members = 4, record_state past = record_state::fresh)
      : committee_(chain(), epoch, powers(members)), checker(chain()), key_(committee_.key({0})) {
    recalled before{past, {}};
    before.record.chain = chain();
    before.record.key = key_.key();
    core_.emplace(position(), std::move(before), ports{key_, checker, payload, archive});
  }

  /// Gives the core an event, and the answers to what it asks for. All effects, in order.
  effects step(const event& first) {
    effects all;
    std::vector<event> todo{first};
    for (std::size_t i = 0; i < todo.size(); ++i) {
      for (auto& one : core_->step(todo[i], now_ms)) {
        if (const auto* write = std::get_if<persist>(&one)) todo.push_back(stored{write->ticket});
        if (const auto* run = std::get_if<execute>(&one); run != nullptr && !run->draft) {
          execution_result result;
          result.follows = true;
          result.root = run->candidate->block.header.state_root;
          todo.push_back(executed{run->ticket, result});
        }
        all.push_back(std::move(one));
      }
    }
    return all;
  }
  effects start() { return step(started{}); }
  effects fire(timer_kind kind) { return step(timer_fired{kind}); }
  effects hear(peer_number from, peer_message message) {
    return step(received{from, std::make_shared<const peer_message>(std::move(message))});
  }
  /// A peer that has the key of this member.
  effects connect(peer_number peer, std::uint16_t member) {
    return step(peer_connected{peer, members().key_of({member})});
  }
  effects gone(peer_number peer) { return step(peer_gone{peer}); }

  [[nodiscard]] member_vote vote_of(std::uint16_t member, vote_kind kind, view_number view,
                                    const block_id& block = {}, epoch_number in = epoch) const {
    const vote_statement statement{kind, in, view, block};
    return {statement, {member}, signing::sign_vote(committee_.key({member}), chain(), statement)};
  }
  /// Signed by the first members after seat 0 that are a quorum together.
  [[nodiscard]] certificate certified(vote_kind kind, view_number view,
                                      const block_id& block = {}) const {
    std::vector<std::uint16_t> signers;
    voting_power power;
    for (std::uint16_t seat = 1; !is_quorum(power); ++seat) {
      signers.push_back(seat);
      power += members().power_of({seat});
    }
    return committee_.certify({kind, epoch, view, block}, signers);
  }
  /// Brings the core into the view after this one by a certificate that skips it.
  effects skip(view_number view) {
    return hear(1, peer::certified{certified(vote_kind::skip, view)});
  }

  struct wanted_block {
    view_number view{};
    std::uint64_t time_ms = base_time_ms + 1;
    std::uint64_t number = 0;                  // makes blocks of one view different
    const identified_block* parent = nullptr;  // null: the base
    std::vector<signed_transaction> payload{};
  };
  /// A sound block of the view's leader.
  [[nodiscard]] block_ptr block_of(const wanted_block& wanted) const {
    block made;
    auto& h = made.header;
    h.chain = chain();
    h.epoch = epoch;
    h.view = wanted.view;
    h.height = base_height.next();
    h.parent = base_block();
    if (wanted.parent != nullptr) {
      const auto& p = wanted.parent->block.header;
      h.height = p.height.next();
      h.parent_view = p.view;
      h.parent = wanted.parent->id;
    }
    h.time_ms = wanted.time_ms;
    h.proposer = members().leader(wanted.view);
    h.state_root = crypto::tagged_hash("test.root").add_u64(wanted.number).finish_as<state_root>();
    made.payload = wanted.payload;
    std::size_t size = 0;
    for (const auto& t : made.payload) size += payload_size(t);
    h.payload_bytes = static_cast<std::uint32_t>(size);
    h.transactions = static_cast<std::uint32_t>(made.payload.size());
    h.payload_root = signing::payload_root(made.payload, made.parent_signers);
    const auto id = signing::id_of(h);
    made.by_proposer = signing::sign_block(committee_.key(h.proposer), id);
    return std::make_shared<const identified_block>(identified_block{id, std::move(made)});
  }

  [[nodiscard]] const simplex& core() const { return *core_; }
  [[nodiscard]] const committee& members() const { return committee_.members(); }
  [[nodiscard]] static chain_id chain() {
    return crypto::tagged_hash("test.chain").finish_as<chain_id>();
  }
  [[nodiscard]] static block_id base_block() { return block_number(0); }

  /// Notes what the core asks for, and has no transactions.
  struct asked_payload final : payload_source {
    std::vector<signed_transaction> next_payload(const std::vector<block_ptr>& ancestors,
                                                 std::size_t max_bytes,
                                                 std::size_t max_count) const override {
      asked.push_back({ancestors.size(), max_bytes, max_count});
      return {};
    }
    struct question {
      std::size_t ancestors = 0, max_bytes = 0, max_count = 0;
    };
    mutable std::vector<question> asked;
  };
  /// Notes what the core asks for, and has what the test puts into it.
  struct asked_archive final : block_archive {
    block_ptr find(const block_id& id) const override {
      const auto found = blocks.find(id);
      return found == blocks.end() ? nullptr : found->second;
    }
    chain_segment after(block_height, std::size_t max_bytes, std::size_t max_count) const override {
      asked.emplace_back(max_bytes, max_count);
      return run;
    }
    std::map<block_id, block_ptr> blocks;
    chain_segment run;
    mutable std::vector<std::pair<std::size_t, std::size_t>> asked;
  };

 private:
  struct member_key final : signer {
    explicit member_key(crypto::key_pair pair) : pair_(std::move(pair)) {}
    const public_key& key() const override { return pair_.public_half(); }
    signature sign_block(const block_id& block) override {
      return signing::sign_block(pair_, block);
    }
    signature sign_vote(const vote_statement& vote) override {
      return signing::sign_vote(pair_, chain(), vote);
    }
    crypto::key_pair pair_;
  };

  static std::vector<std::uint32_t> powers(std::size_t members) {
    std::vector<std::uint32_t> made;
    for (std::size_t i = 0; i < members; ++i) {
      const auto units = total_power.value;
      made.push_back(static_cast<std::uint32_t>(units / members + (i < units % members ? 1 : 0)));
    }
    return made;
  }
  [[nodiscard]] chain_position position() const {
    chain_position at;
    at.chain = chain();
    at.epoch = epoch;
    at.block = base_block();
    at.height = base_height;
    at.time_ms = at.epoch_start_ms = base_time_ms;
    at.epoch_end_ms = 1'000'000'000;
    at.seats = members().seats();
    return at;
  }

  signed_committee committee_;

 public:
  real_checker checker;  // counts the signatures that the core verifies
  asked_payload payload;
  asked_archive archive;
  std::uint64_t now_ms = 5'000;

 private:
  member_key key_;
  std::optional<simplex> core_;
};

}  // namespace soma::consensus::testing
