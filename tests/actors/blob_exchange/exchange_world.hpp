// Homes that fetch blobs from each other in a simulated network. Messages take time, connections
// break, homes are killed and started again, and some of them lie. One seed is one history.
#pragma once

#include <functional>
#include <queue>

#include "actors/blob_exchange/fetcher.hpp"
#include "actors/blob_exchange/server.hpp"
#include "tests/actors/blob_exchange/memory_shelf.hpp"

namespace soma::test {

enum class conduct : std::uint8_t {
  honest,
  silent,       // says that it has every blob and answers no question
  empty,        // says that it has every blob and gives nothing of it
  wrong_bytes,  // gives other bytes than those of the chunk
  wrong_list,   // gives another list than that of the blob
  wrong_size,   // says that each blob has another size
  never_now,    // answers everything with "later"
};
inline constexpr std::size_t conducts = 7;

class exchange_world {
 public:
  struct options {
    std::uint64_t delay_max_ms = 50;
    /// On average so often in this time each connection breaks.
    std::uint64_t breaks_every_ms = 0;
    blob_exchange::fetcher_options fetcher{};
    blob_exchange::server_options server{};
  };
  struct home {
    public_key key{};
    conduct how = conduct::honest;
    bool runs = false;
    memory_shelf shelf;
    std::unique_ptr<blob_exchange::fetcher> fetcher;
    std::unique_ptr<blob_exchange::server> server;
    std::map<std::uint32_t, std::size_t> peers;  // the home at the other end
    std::map<blob_id, blob_exchange::fetch_end> done;
    std::map<blob_id, unsigned> not_kept;  // how often the disk did not take it
    std::size_t most_in_flight = 0;
  };

  exchange_world(std::uint64_t seed, std::vector<conduct> homes, options how)
      : random(seed), how_(how) {
    for (const auto one_conduct : homes) {
      auto& one = homes_.emplace_back(std::make_unique<home>());
      one->how = one_conduct;
      random.fill(one->key);
    }
    for (std::size_t i = 0; i < homes_.size(); ++i) start(i);
    tick();
  }

  [[nodiscard]] home& at(std::size_t number) { return *homes_[number]; }
  [[nodiscard]] std::size_t size() const { return homes_.size(); }
  [[nodiscard]] std::uint64_t now_ms() const { return now_ms_; }
  [[nodiscard]] std::vector<public_key> members() const {
    std::vector<public_key> keys;
    for (const auto& one : homes_) {
      if (one->runs) keys.push_back(one->key);
    }
    return keys;
  }

  void start(std::size_t number) {
    auto& one = at(number);
    if (one.runs) return;
    one.runs = true;
    one.shelf.restart();
    one.fetcher = std::make_unique<blob_exchange::fetcher>(one.shelf, how_.fetcher);
    one.server = std::make_unique<blob_exchange::server>(one.shelf, how_.server);
    std::set<public_key> all;
    for (const auto& other : homes_) all.insert(other->key);
    one.server->set_members(all);
    for (std::size_t other = 0; other < size(); ++other) {
      if (other != number && at(other).runs) connect(number, other);
    }
  }
  void kill(std::size_t number) {
    auto& one = at(number);
    if (!one.runs) return;
    const auto peers = one.peers;
    for (const auto& [peer, other] : peers) disconnect(number, other);
    one.runs = false;
    one.fetcher.reset();
    one.server.reset();
  }
  void want(std::size_t number, const test_blob& blob,
            std::uint64_t until_ms = blob_exchange::no_deadline) {
    want(number, blob.id, blob.size_bytes, until_ms);
  }
  void want(std::size_t number, const blob_id& blob, std::uint64_t size_bytes,
            std::uint64_t until_ms = blob_exchange::no_deadline) {
    at(number).done.erase(blob);
    step(number, blob_exchange::fetcher::wanted{blob, size_bytes, until_ms});
  }
  /// Lets time pass until it holds, at most so long. False when it does not hold then.
  [[nodiscard]] bool reaches(const std::function<bool()>& holds, std::uint64_t within_ms) {
    const auto until_ms = now_ms_ + within_ms;
    while (!holds()) {
      if (events_.empty() || events_.top().at_ms > until_ms) return false;
      auto next = events_.top();
      events_.pop();
      now_ms_ = next.at_ms;
      next.happens();
    }
    return true;
  }
  void pass(std::uint64_t ms) {
    (void)reaches([] { return false; }, ms);
  }

  crypto::seeded_random random;
  /// Who was blamed by whom.
  std::vector<std::pair<std::size_t, std::size_t>> blames;
  std::size_t questions = 0;
  std::uint64_t bytes_given = 0;
  std::map<std::size_t, std::size_t> chunks_given_by;

 private:
  struct event {
    std::uint64_t at_ms, order;
    std::function<void()> happens;
    bool operator<(const event& other) const {
      return std::pair(at_ms, order) > std::pair(other.at_ms, other.order);
    }
  };
  void later(std::uint64_t at_ms, std::function<void()> happens) {
    events_.push({at_ms, ++order_, std::move(happens)});
  }

  void tick() {
    for (std::size_t i = 0; i < size(); ++i) {
      if (at(i).runs) step(i, blob_exchange::fetcher::time_passed{});
    }
    if (how_.breaks_every_ms > 0 && random.below(how_.breaks_every_ms) < 100 * size()) {
      const auto a = random.below(size()), b = random.below(size());
      if (a != b && number_of(a, b)) {
        disconnect(a, b);
        later(now_ms_ + random.below(2'000), [this, a, b] {
          if (at(a).runs && at(b).runs && !number_of(a, b)) connect(a, b);
        });
      }
    }
    later(now_ms_ + 100, [this] { tick(); });
  }

  [[nodiscard]] std::optional<std::uint32_t> number_of(std::size_t from, std::size_t to) {
    for (const auto& [number, other] : at(from).peers) {
      if (other == to) return number;
    }
    return std::nullopt;
  }
  void connect(std::size_t a, std::size_t b) {
    for (const auto& [from, to] : {std::pair{a, b}, std::pair{b, a}}) {
      const auto number = ++last_number_;
      at(from).peers[number] = to;
      last_arrival_ms_[{from, to}] = 0;
    }
    for (const auto& [from, to] : {std::pair{a, b}, std::pair{b, a}}) {
      const auto number = *number_of(from, to);
      at(from).server->peer_connected(number, at(to).key);
      step(from, blob_exchange::fetcher::peer_connected{number});
    }
  }
  void disconnect(std::size_t a, std::size_t b) {
    for (const auto& [from, to] : {std::pair{a, b}, std::pair{b, a}}) {
      const auto number = number_of(from, to);
      if (!number) continue;
      at(from).peers.erase(*number);
      at(from).server->peer_gone(*number);
      step(from, blob_exchange::fetcher::peer_gone{*number});
    }
  }

  void step(std::size_t number, const blob_exchange::fetcher::event& next) {
    auto& one = at(number);
    const auto effects = one.fetcher->step(next, now_ms_);
    one.most_in_flight = std::max(one.most_in_flight, one.fetcher->in_flight());
    REQUIRE(one.fetcher->in_flight() <= how_.fetcher.all_in_flight);
    REQUIRE(one.fetcher->begun() <= how_.fetcher.most_begun);
    REQUIRE(one.shelf.open() <= how_.fetcher.most_begun);
    for (const auto& effect : effects) {
      if (const auto* sent = std::get_if<blob_exchange::fetcher::send>(&effect)) {
        for (const auto peer : sent->to) {
          const auto to = one.peers.find(peer);
          if (to != one.peers.end()) post(number, to->second, sent->message);
        }
      } else if (const auto* bad = std::get_if<blob_exchange::fetcher::blame>(&effect)) {
        const auto to = one.peers.find(bad->peer);
        REQUIRE(to != one.peers.end());
        blames.emplace_back(number, to->second);
        later(now_ms_, [this, number, other = to->second] { disconnect(number, other); });
      } else if (const auto* failed = std::get_if<blob_exchange::fetcher::not_kept>(&effect)) {
        ++one.not_kept[failed->blob];
      } else {
        const auto& ended = std::get<blob_exchange::fetcher::done>(effect);
        one.done[ended.blob] = ended.end;
      }
    }
  }

  /// Messages of a connection arrive in their order, or not at all when it breaks before.
  void post(std::size_t from, std::size_t to, const peer_message& message) {
    if (std::holds_alternative<peer::get>(message)) ++questions;
    auto& last = last_arrival_ms_[{from, to}];
    last = std::max(last, now_ms_ + 1 + random.below(how_.delay_max_ms));
    later(last, [this, from, to, number = *number_of(to, from), message] {
      const auto known = at(to).peers.find(number);
      if (known == at(to).peers.end() || known->second != from) return;
      arrive(from, to, number, message);
    });
  }
  void arrive(std::size_t from, std::size_t to, std::uint32_t number, const peer_message& message) {
    auto& one = at(to);
    if (std::holds_alternative<peer::seek>(message) || std::holds_alternative<peer::get>(message)) {
      if (auto answer = one.how == conduct::honest ? one.server->answer(number, message, now_ms_)
                                                   : lie(one, message)) {
        if (const auto* part = std::get_if<peer::part>(&*answer)) {
          bytes_given += part->data.size();
          if (!part->data.empty() && !part->answered.of_list) ++chunks_given_by[to];
        }
        post(to, from, *answer);
      }
      return;
    }
    step(to, blob_exchange::fetcher::received{number, message});
  }

  std::optional<peer_message> lie(home& who, const peer_message& message) {
    if (const auto* sought = std::get_if<peer::seek>(&message)) {
      peer::have out;
      for (const auto& blob : sought->blobs) {
        const auto size = who.shelf.size_of_complete(blob).value_or(5'000'000);
        out.blobs.push_back({blob, who.how == conduct::wrong_size ? size + 1 : size});
      }
      return out;
    }
    const auto& wanted = std::get<peer::get>(message).wanted;
    peer::part out{wanted, {}, who.how == conduct::never_now};
    if (who.how == conduct::silent) return std::nullopt;
    if (who.how == conduct::empty || out.later) return out;
    if (auto data = who.shelf.part(wanted)) out.data = std::move(*data);
    if (out.data.empty()) out.data = bytes(wanted.of_list ? 5 * 32 : 1 << 20, 7);
    if (wanted.of_list == (who.how != conduct::wrong_bytes)) out.data[random.below(32)] ^= 1;
    return out;
  }

  options how_;
  std::vector<std::unique_ptr<home>> homes_;
  std::priority_queue<event> events_;
  std::map<std::pair<std::size_t, std::size_t>, std::uint64_t> last_arrival_ms_;
  std::uint64_t now_ms_ = 1'000'000, order_ = 0;
  std::uint32_t last_number_ = 0;
};

}  // namespace soma::test
