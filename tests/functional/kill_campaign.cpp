#include "tests/functional/kill_campaign.hpp"

#include <signal.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "messages/signing/signing.hpp"
#include "storage/tables/ledger_store.hpp"
#include "tests/functional/cluster.hpp"
#include "tests/functional/final_sender.hpp"
#include "tests/functional/validator_network.hpp"

namespace soma::support {
namespace {

using steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr unsigned accounts_a_sender = 8;

std::uint64_t ms_since(steady::time_point start) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<milliseconds>(steady::now() - start).count());
}

class campaign {
 public:
  explicit campaign(const kill_campaign_options& wanted)
      : wanted_(wanted),
        random_(wanted.seed),
        net_({.binary = wanted.binary,
              .validators = wanted.validators,
              .epoch_seconds = wanted.epoch_seconds,
              .accounts = wanted.validators * accounts_a_sender}) {}

  kill_campaign_result run() {
    for (std::size_t i = 0; i < net_.size(); ++i) start(i);
    if (!net_.reaches(0, 2)) {
      fail("no block was made: " + net_.said(0));
      return out_;
    }
    std::vector<std::thread> senders;
    for (std::size_t i = 0; i < net_.size(); ++i) {
      identities_.push_back(net_.client());
      finals_.emplace_back();
    }
    for (std::size_t i = 0; i < net_.size(); ++i) senders.emplace_back([this, i] { send_from(i); });
    std::thread watcher([this] { watch(); });
    kill_at_random();
    over_ = true;
    for (auto& sender : senders) sender.join();
    watcher.join();
    settle();
    check();
    return out_;
  }

 private:
  void fail(std::string why) { out_.wrong.push_back(std::move(why)); }
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  void sleep(std::uint64_t ms) { std::this_thread::sleep_for(milliseconds(ms)); }

  void start(std::size_t node) {
    net_.start(node);
    ++out_.starts;
  }
  void kill(std::size_t node) {
    net_.kill(node);
    ++out_.kills;
  }

  void act() {
    const auto node = static_cast<std::size_t>(below(net_.size()));
    const auto what = below(100);
    if (what < 45) {
      kill(node);
      sleep(below(2'000));
      start(node);
    } else if (what < 60) {  // killed several times while it starts
      for (auto times = 1 + below(4); times > 0; --times) {
        kill(node);
        start(node);
        sleep(below(500));
      }
    } else if (what < 85) {
      net_.send(node, SIGSTOP);
      ++out_.halts;
      sleep(100 + below(below(4) == 0 ? 8'000 : 1'000));
      net_.send(node, SIGCONT);
    } else if (what < 95) {  // two at once, so that no quorum is left
      const auto other = (node + 1 + below(net_.size() - 1)) % net_.size();
      kill(node);
      kill(other);
      sleep(below(1'500));
      start(other);
      sleep(below(500));
      start(node);
    } else {
      for (std::size_t i = 0; i < net_.size(); ++i) net_.send(i, SIGKILL);
      for (std::size_t i = 0; i < net_.size(); ++i) kill(i);
      for (std::size_t i = 0; i < net_.size(); ++i) start(i);
      ++out_.all_at_once;
    }
  }

  void kill_at_random() {
    const auto begun = steady::now();
    std::uint64_t told = 0;
    while (ms_since(begun) < wanted_.seconds * std::uint64_t{1'000}) {
      sleep(100 + below(2'500));
      act();
      for (std::size_t i = 0; i < net_.size(); ++i) {
        if (net_.runs(i)) {
          out_.peak_memory_bytes = std::max(out_.peak_memory_bytes, net_.memory_bytes(i));
        } else {
          fail(net_.home(i).string() + " ended by itself: " + net_.said(i));
          start(i);
        }
      }
      if (wanted_.tells && ms_since(begun) / 30'000 != told) {
        told = ms_since(begun) / 30'000;
        std::cout << told * 30 << " s: height " << top_ << ", " << out_.kills << " kills, "
                  << out_.halts << " halts, " << acknowledged_ << " transactions final"
                  << std::endl;
      }
    }
  }

  /// Measures the longest time in which no validator decided anything.
  void watch() {
    auto last = steady::now();
    const auto from = net_.greatest_height();
    top_ = from;
    while (!over_) {
      sleep(50);
      const auto now = net_.greatest_height();
      if (now > top_) {
        top_ = now;
        last = steady::now();
      }
      out_.longest_pause_ms = std::max(out_.longest_pause_ms, ms_since(last));
    }
  }

  void send_from(std::size_t number) {
    final_sender sender(net_, identities_[number]);
    std::vector<std::size_t> mine;
    for (unsigned i = 0; i < accounts_a_sender; ++i) mine.push_back(number * accounts_a_sender + i);
    std::uint64_t resent = 0;
    auto at = number;
    for (std::uint64_t nonce = 0; !over_; ++nonce) {
      std::vector<signed_transaction> batch;
      for (const auto account : mine) batch.push_back(sender.transfer(account, nonce));
      std::set<std::size_t> open;
      for (std::size_t i = 0; i < batch.size(); ++i) open.insert(i);
      for (std::uint64_t round = 0; !open.empty() && !over_; ++round) {
        // A transaction may be lost with the validator that had it.
        if (round != 0) resent += open.size();
        if (round != 0) at = (at + 1) % net_.size();
        for (const auto& id : sender.send_until_final(at, batch, open, 3'000)) {
          finals_[number].push_back(id);
          ++acknowledged_;
        }
      }
    }
    const std::lock_guard lock(mutex_);
    out_.resent += resent;
  }

  /// All validators run again and reach the height that any of them had decided.
  void settle() {
    const auto goal = net_.greatest_height() + 2;
    for (std::size_t i = 0; i < net_.size(); ++i) {
      if (!net_.reaches(i, goal, 90)) {
        fail(net_.home(i).string() + " does not reach height " + std::to_string(goal) +
             ", but is at " + std::to_string(net_.height(i)) + ": " + net_.said(i));
      }
    }
    for (std::size_t i = 0; i < net_.size(); ++i) {
      const auto signing_state = net_.signing_state(i);
      if (signing_state != "member") fail(net_.home(i).string() + " is " + signing_state);
    }
    for (std::size_t i = 0; i < net_.size(); ++i) {
      if (!net_.stop(i)) fail(net_.home(i).string() + " does not stop well");
    }
    out_.blocks = net_.greatest_height();
    out_.acknowledged = acknowledged_;
  }

  void check() {
    if (const auto fork = net_.fork(); !fork.empty()) fail(fork);
    for (std::size_t i = 0; i < net_.size(); ++i) {
      const auto said = net_.said_ever(i);
      for (const auto* bad :
           {"ALARM", "exclude each other", "trying again", "no whole", "missing or damaged"}) {
        if (const auto at = said.find(bad); at != said.npos) {
          fail(net_.home(i).string() + " said: " + said.substr(at > 200 ? at - 200 : 0, 600));
        }
      }
      const tables::ledger_store ledger(net_.home(i) / "ledger", {std::size_t{64} << 30U, true});
      std::set<transaction_id> inside;
      const auto top = ledger.chain()->height.value;
      for (std::uint64_t h = 1; h <= top; ++h) {
        const auto block = ledger.block_at(block_height{h});
        for (const auto& one : block->payload) inside.insert(signing::id_of(one));
      }
      std::uint64_t lost = 0;
      for (const auto& list : finals_) {
        for (const auto& id : list) lost += inside.contains(id) ? 0 : 1;
      }
      if (lost != 0) {
        fail(net_.home(i).string() + " lacks " + std::to_string(lost) +
             " transactions that were called final");
      }
    }
  }

  kill_campaign_options wanted_;
  std::mt19937_64 random_;
  validator_network net_;
  kill_campaign_result out_;
  std::mutex mutex_;
  std::atomic<bool> over_{false};
  std::atomic<std::uint64_t> top_{0}, acknowledged_{0};
  std::vector<cluster::cluster_identity> identities_;
  std::vector<std::vector<transaction_id>> finals_;
};

}  // namespace

kill_campaign_result run_kill_campaign(const kill_campaign_options& wanted) {
  return campaign(wanted).run();
}

}  // namespace soma::support
