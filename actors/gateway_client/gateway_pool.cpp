#include "actors/gateway_client/gateway_pool.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "actors/gateway_client/gateway_answer.hpp"
#include "messages/values/assert.hpp"

namespace soma::gateway_client {
namespace {

std::uint64_t steady_ms() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(
      duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count());
}

std::uint64_t seed_of(const pool_options& options) {
  if (options.seed) return *options.seed;
  crypto::system_random system;
  return system.next_u64();
}

}  // namespace

pool_options with_defaults(pool_options options) {
  if (!options.now_ms) options.now_ms = steady_ms;
  if (!options.wait_ms) {
    options.wait_ms = [](std::uint64_t ms) {
      std::this_thread::sleep_for(std::chrono::milliseconds(ms));
    };
  }
  return options;
}

bool is_of_gateway(distrust reason) {
  return reason != distrust::unsafe_gap && reason != distrust::kept_damaged &&
         reason != distrust::other_network;
}

bool passes_soon(const refusal& why) {
  return why.declined == schema::LedgerRefusal::NO_BLOCK_YET ||
         why.declined == schema::LedgerRefusal::NOT_FINAL_YET;
}

bool is_for_good(distrust reason) {
  return is_lie(reason) || reason == distrust::not_itself || reason == distrust::other_version;
}

std::string to_text(const pool_refusal& why) {
  if (why.own) {
    const std::string text(to_text(why.own->reason));
    return why.own->detail.empty() ? text : text + ": " + why.own->detail;
  }
  std::string text;
  for (const auto& [name, reason] : why.left) {
    text += (text.empty() ? "" : "; ") + describe(name, reason);
  }
  return text;
}

gateway_pool::gateway_pool(std::vector<std::string> names, pool_options options)
    : options_(with_defaults(std::move(options))), random_(seed_of(options_)) {
  SOMA_ASSERT(!names.empty(), "a pool has a gateway");
  for (auto& name : names) gateways_.emplace_back().name = std::move(name);
}

void gateway_pool::begin_call(fetch_race* race) {
  if (race != nullptr) {
    for (const auto& [which, why] : race->late_failures()) leave(which, refusal_of(why));
  }
  for (std::size_t i = 0; i < gateways_.size(); ++i) {
    gateways_[i].is_asked = false;
    gateways_[i].is_busy = race != nullptr && race->is_busy(i);
  }
  call_ends_ms_ = options_.now_ms() + options_.patience_ms;
}

/// The soundest gateway, of those that this call has not asked if there is one, and of those that
/// are alike the quickest one.
std::optional<std::size_t> gateway_pool::best(std::uint64_t now) const {
  const auto better = [&](const gateway& a, const gateway& b) {
    if (a.is_asked != b.is_asked) return b.is_asked;
    if (a.is_asked) return a.rests_until_ms < b.rests_until_ms;
    if (a.is_busy != b.is_busy) return b.is_busy;
    const bool a_rests = a.rests_until_ms > now, b_rests = b.rests_until_ms > now;
    if (a_rests != b_rests) return b_rests;
    if (a.failures != b.failures) return a.failures < b.failures;
    return a.usual_ms.value_or(UINT64_MAX) < b.usual_ms.value_or(UINT64_MAX);
  };
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < gateways_.size(); ++i) {
    if (gateways_[i].is_left_for_good) continue;
    if (!found || better(gateways_[i], gateways_[*found])) found = i;
  }
  return found;
}

/// The best gateway that this call has not asked. When it has asked all of them: the first one
/// whose rest ends before the patience, after waiting for that end.
std::optional<std::size_t> gateway_pool::next() {
  const auto now = options_.now_ms();
  const auto which = best(now);
  if (!which) return std::nullopt;
  auto& chosen = gateways_[*which];
  if (chosen.is_asked) {
    const auto until = std::max(chosen.rests_until_ms, now);
    if (until >= call_ends_ms_) return std::nullopt;
    options_.wait_ms(until - now);
  }
  chosen.is_asked = true;
  return which;
}

std::optional<std::size_t> gateway_pool::second() {
  const auto now = options_.now_ms();
  const auto which = best(now);
  if (!which) return std::nullopt;
  auto& chosen = gateways_[*which];
  if (chosen.is_asked || chosen.is_busy || chosen.rests_until_ms > now) return std::nullopt;
  chosen.is_asked = true;
  return which;
}

std::optional<fetch_race::finished> gateway_pool::next_answer(fetch_race& race,
                                                              const rows_question& question) {
  if (race.running().empty()) {
    const auto first = next();
    if (!first) return std::nullopt;
    race.start(*first, question);
  }
  const auto running = race.running();
  if (running.size() == 1) {
    const auto usual_ms = gateways_[running.front()].usual_ms.value_or(UINT32_MAX);
    const auto patience_ms =
        std::clamp<std::uint64_t>(2 * usual_ms, options_.least_hedge_ms, options_.most_hedge_ms);
    if (auto got = race.wait(patience_ms)) return got;
    if (const auto other = second()) race.start(*other, question);
  }
  // Each gateway answers or fails within the limits of its port.
  for (;;) {
    if (auto got = race.wait(1'000)) return got;
  }
}

void gateway_pool::overtook(fetch_race& race, const fetch_race::finished& by) {
  succeeded(by.which);
  auto& quick = gateways_[by.which];
  quick.usual_ms = quick.usual_ms ? (3 * *quick.usual_ms + by.took_ms) / 4 : by.took_ms;
  for (const auto slow : race.running()) {
    auto& one = gateways_[slow];
    one.usual_ms = std::max(one.usual_ms.value_or(0), race.asked_for_ms(slow));
  }
  race.give_up();
}

void gateway_pool::succeeded(std::size_t which) {
  auto& one = gateways_[which];
  one.failures = 0;
  one.rests_until_ms = 0;
  present_ = which;
}

void gateway_pool::leave(std::size_t which, refusal why) {
  auto& one = gateways_[which];
  const bool was_sound = one.failures == 0;
  one.is_left_for_good = is_for_good(why.reason);
  one.failures = std::min(one.failures + 1, 16U);
  // From half of the rest to one and a half of it.
  const auto rest = std::min<std::uint64_t>(
      std::uint64_t{options_.first_rest_ms} << (one.failures - 1), options_.most_rest_ms);
  one.rests_until_ms = options_.now_ms() + rest / 2 + random_.below(rest + 1);
  const bool is_told = (was_sound && !passes_soon(why)) || one.is_left_for_good;
  if (options_.on_left && is_told) options_.on_left(one.name, why);
  one.last = std::move(why);
}

pool_refusal gateway_pool::all_left() const {
  pool_refusal out;
  for (const auto& one : gateways_) {
    if (one.last) out.left.emplace_back(one.name, *one.last);
  }
  return out;
}

}  // namespace soma::gateway_client
