// Validators in one process and in virtual time. They run the production core with real keys, real
// rules, and ledgers and voting records on this disk; the network and the processors are simulated.
// Each validator has a processor of its own. Handling an event takes as much virtual time as this
// thread really worked for it, without the time that it waited for the disk, and the messages that
// come of the event leave after that time. So a machine with one core shows what a network of many
// machines would do.
#include "deploy/soma/bench/bench_consensus.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <queue>

#include "deploy/soma/bench/bench_consensus_member.hpp"
#include "deploy/soma/shell/stop.hpp"
#include "messages/codec/codec_consensus.hpp"

namespace soma::cli {
namespace {

using steady = std::chrono::steady_clock;

constexpr std::uint64_t genesis_ms = 1'700'000'000'000;
// Transactions that a validator passes on wait this long, so that several leave together.
constexpr std::uint64_t gossip_us = 20'000;
// The run ends this long after the last submission, even if not all transactions are final.
constexpr std::uint64_t patience_us = 10'000'000;
constexpr double most_real_seconds = 120;
constexpr std::size_t timers = consensus::timer_kinds;

/// What happens to one validator at one time. It is one of four things: a message arrives,
/// transactions arrive, the core gets an event, or a timer fires.
struct happening {
  std::uint64_t at_us = 0;
  std::uint64_t order = 0;
  std::uint32_t who = 0;
  std::uint32_t from = 0;                // the sender of `message` or of `arrived`
  std::shared_ptr<const bytes> message;  // in its encoded form
  std::vector<std::size_t> arrived;      // numbers of transactions
  std::optional<consensus::event> event;
  std::optional<consensus::timer_kind> timer;
  /// Counts how often this timer was set. A timer that was set again since then does not fire.
  std::uint64_t generation = 0;
  friend bool operator>(const happening& a, const happening& b) {
    return std::pair(a.at_us, a.order) > std::pair(b.at_us, b.order);
  }
};

class virtual_network {
 public:
  virtual_network(const consensus_load& wanted, const consensus_offer& load,
                  const std::vector<crypto::key_pair>& keys)
      : wanted_(wanted), load_(load), keys_(keys), processors_(wanted.validators) {
    for (std::uint32_t i = 0; i < wanted.validators; ++i) {
      members_.push_back(std::make_unique<consensus_member>(
          load, keys[i], i, wanted.folder / ("validator-" + std::to_string(i))));
    }
  }

  std::optional<std::string> run() {
    begin();
    const auto end_us = static_cast<std::uint64_t>(wanted_.seconds * 1e6);
    const auto start = steady::now();
    while (!queue_.empty() && !is_over(end_us)) {
      leave_if_stop_requested();
      auto next = queue_.top();
      queue_.pop();
      now_us_ = next.at_us;
      if (std::chrono::duration<double>(steady::now() - start).count() > most_real_seconds) break;
      handle(next);
      if (!members_[next.who]->trouble.empty()) return members_[next.who]->trouble;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<std::string> count(consensus_figures& out) const {
    out.seconds = static_cast<double>(std::max<std::uint64_t>(now_us_, 1)) / 1e6;
    std::vector<const tables::ledger_store*> ledgers;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      ledgers.push_back(&members_[i]->ledger());
      out.votes_verified += members_[i]->verified();
      out.busiest_seconds = std::max(out.busiest_seconds, processors_[i].busy_seconds);
      out.busy_seconds += processors_[i].busy_seconds / static_cast<double>(members_.size());
    }
    out.offered = load_.all.size();
    out.transactions = final_ms_.size();
    out.final_ms = final_ms_;
    out.sent = sent_;
    out.gossip_bytes = gossip_bytes_;
    out.messages = messages_;
    return read_ledgers(ledgers, block_height{}, out);
  }

 private:
  struct processor {
    std::uint64_t free_at_us = 0;
    double busy_seconds = 0;
    std::array<std::uint64_t, timers> generation{};
    std::vector<std::size_t> to_pass_on;
    std::uint64_t pass_on_at_us = 0;
  };

  void push(happening next) {
    next.order = ++order_;
    queue_.push(std::move(next));
  }
  void begin() {
    for (std::uint32_t i = 0; i < wanted_.validators; ++i) {
      happening up;
      up.who = i;
      up.event = consensus::started{};
      push(up);
      for (std::uint32_t other = 0; other < wanted_.validators; ++other) {
        if (other == i) continue;
        up.event = consensus::peer_connected{other, keys_[other].public_half()};
        push(up);
      }
    }
    for (std::size_t i = 0; i < load_.all.size(); ++i) {
      happening came;
      came.at_us = load_.all[i].at_us;
      came.who = load_.all[i].to;
      came.from = came.who;
      came.arrived = {i};
      push(std::move(came));
    }
  }
  /// True once all transactions are final or the time to wait for them is over.
  [[nodiscard]] bool is_over(std::uint64_t end_us) const {
    return final_ms_.size() == load_.all.size() || now_us_ > end_us + patience_us;
  }

  void handle(happening& next) {
    auto& cpu = processors_[next.who];
    if (next.timer && cpu.generation[static_cast<std::size_t>(*next.timer)] != next.generation)
      return;
    // A busy processor handles it later, in the order of arrival.
    if (cpu.free_at_us > next.at_us) {
      next.at_us = cpu.free_at_us;
      queue_.push(std::move(next));
      return;
    }
    auto& one = *members_[next.who];
    const auto begun = thread_seconds();
    const auto now_ms = load_.genesis.start_ms + next.at_us / 1'000;
    if (next.message) {
      auto read = decode<peer_message>(*next.message);
      if (!read) {
        one.trouble = "a message of our own does not decode";
        return;
      }
      one.run(
          consensus::received{next.from, std::make_shared<const peer_message>(std::move(*read))},
          now_ms);
    } else if (!next.arrived.empty()) {
      for (const auto number : next.arrived) one.take(number);
      one.run(consensus::payload_waiting{}, now_ms);
    } else if (next.timer) {
      one.run(consensus::timer_fired{*next.timer}, now_ms);
    } else {
      one.run(std::move(*next.event), now_ms);
    }
    const auto took = thread_seconds() - begun;
    cpu.busy_seconds += took;
    cpu.free_at_us = next.at_us + static_cast<std::uint64_t>(took * 1e6);
    if (!next.arrived.empty() && next.from == next.who) pass_on(next.who, next.arrived);
    after(next.who, cpu);
  }

  /// Sends and sets what the event produced, at the time at which the processor is done with it.
  void after(std::uint32_t who, processor& cpu) {
    auto& one = *members_[who];
    for (const auto& out : one.sent) {
      auto to = out.to;
      if (to.empty()) {
        for (std::uint32_t other = 0; other < wanted_.validators; ++other) {
          if (other != who) to.push_back(other);
        }
      }
      for (const auto peer : to) {
        happening message;
        message.at_us = cpu.free_at_us + wanted_.delay_us;
        message.who = peer;
        message.from = who;
        message.message = out.message;
        sent_.*out.counted += out.message->size();
        ++messages_;
        push(std::move(message));
      }
    }
    one.sent.clear();
    for (const auto& timer : one.timers_set) {
      happening rings;
      rings.at_us = cpu.free_at_us + timer.after_ms * 1'000;
      rings.who = who;
      rings.timer = timer.kind;
      rings.generation = ++cpu.generation[static_cast<std::size_t>(timer.kind)];
      push(std::move(rings));
    }
    one.timers_set.clear();
    for (const auto number : one.now_final) {
      if (load_.all[number].to == who) {
        final_ms_.push_back(
            (static_cast<double>(cpu.free_at_us) - static_cast<double>(load_.all[number].at_us)) /
            1e3);
      }
    }
    one.now_final.clear();
  }

  void pass_on(std::uint32_t who, const std::vector<std::size_t>& numbers) {
    auto& cpu = processors_[who];
    const bool first = cpu.to_pass_on.empty() || cpu.pass_on_at_us < now_us_;
    if (first) {
      cpu.to_pass_on.clear();
      cpu.pass_on_at_us = now_us_ + gossip_us;
    }
    // Each transaction is an event of its own. All of one batch arrive at the same time, so the
    // result is the same as if one message carried them.
    for (const auto number : numbers) {
      cpu.to_pass_on.push_back(number);
      for (std::uint32_t other = 0; other < wanted_.validators; ++other) {
        if (other == who) continue;
        happening came;
        came.at_us = cpu.pass_on_at_us + wanted_.delay_us;
        came.who = other;
        came.from = who;
        came.arrived = {number};
        gossip_bytes_ += consensus::payload_size(load_.all[number].sent);
        push(std::move(came));
      }
    }
  }

  const consensus_load& wanted_;
  const consensus_offer& load_;
  const std::vector<crypto::key_pair>& keys_;
  std::vector<std::unique_ptr<consensus_member>> members_;
  std::vector<processor> processors_;
  std::priority_queue<happening, std::vector<happening>, std::greater<>> queue_;
  std::uint64_t order_ = 0, now_us_ = 0;
  agreement_bytes sent_;
  std::uint64_t gossip_bytes_ = 0, messages_ = 0;
  std::vector<double> final_ms_;
};

}  // namespace

expected<consensus_figures, failure> run_consensus(const consensus_load& wanted) {
  const auto keys = make_validators(wanted.validators, wanted.seed);
  std::vector<public_key> members;
  for (const auto& key : keys) members.push_back(key.public_half());
  const auto load =
      make_offer(members, genesis_ms, wanted.transactions_per_s, wanted.seconds, wanted.seed);
  virtual_network network(wanted, load, keys);
  const auto problem = "cannot measure " + std::to_string(wanted.validators) + " validators";
  if (const auto trouble = network.run()) return failed(problem, *trouble, "report this");
  consensus_figures out;
  if (const auto trouble = network.count(out)) return failed(problem, *trouble, "report this");
  if (out.transactions == 0) return failed(problem, "nothing became final", "raise --seconds");
  out.verify_seconds = seconds_to_verify(load, out.transactions);
  return out;
}

}  // namespace soma::cli
