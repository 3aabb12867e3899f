// Several gateways, of which any may lie, be behind or be gone. What must hold:
//   - A call is answered if one gateway answers it soundly. It asks each gateway at least once
//     before it fails, except those that have been left for good.
//   - A gateway that has lied, is not itself or speaks another version is left for good, which is
//     the life of this object. One that is silent, declines or is behind rests for a while, longer
//     each time, and is asked again after the sound ones.
//   - Each time a sound gateway is left, the owner is told which one and why.
//   - A read of rows does not wait for a slow gateway: when the first one has not answered after
//     twice its usual time, a second one is asked, too, and the first answer that holds counts. Who
//     was slower has done nothing wrong, and from then on the quicker one is asked first.
//   - A call that has asked all gateways waits for those that rest, and asks them again, until its
//     patience is over. How long a gateway rests differs by a random part, so that many clients do
//     not come back to it in one moment.
// It belongs to one thread. The same seed, clock and answers make the same decisions.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/gateway_client/distrust.hpp"
#include "actors/gateway_client/fetch_race.hpp"
#include "messages/crypto/random.hpp"
#include "messages/values/expected.hpp"

namespace soma::gateway_client {

struct pool_options {
  std::function<std::uint64_t()> now_ms;       // monotonic; none: that of the system
  std::function<void(std::uint64_t)> wait_ms;  // none: the thread sleeps
  std::function<void(const std::string& gateway, const refusal& why)> on_left;
  std::optional<std::uint64_t> seed;  // of the random part of rests; none: from the system
  std::uint32_t first_rest_ms = 250;  // doubled with each failure in a row
  std::uint32_t most_rest_ms = 30'000;
  std::uint32_t patience_ms = 10'000;  // no gateway is asked again in a call that is older
  // How long a read of rows waits before it asks a second gateway: twice the usual time of the
  // first one, within these limits.
  std::uint32_t least_hedge_ms = 50;
  std::uint32_t most_hedge_ms = 1'000;  // also where no time is usual yet
};

/// The options with the clock of the system where none was given.
[[nodiscard]] pool_options with_defaults(pool_options options);

/// Why a call has no answer.
struct pool_refusal {
  /// Set when no gateway is to blame: unsafe_gap, kept_damaged or other_network.
  std::optional<refusal> own;
  /// Otherwise each gateway, with the last reason why it was left.
  std::vector<std::pair<std::string, refusal>> left;
};
/// One line for a person, with every gateway and its reason.
[[nodiscard]] std::string to_text(const pool_refusal& why);

/// Whether a gateway is to blame for this reason.
[[nodiscard]] bool is_of_gateway(distrust reason);
/// Whether the chain has to come a block further before anybody can answer, which says nothing
/// about the gateway.
[[nodiscard]] bool passes_soon(const refusal& why);
/// Whether a gateway is left for good for this reason.
[[nodiscard]] bool is_for_good(distrust reason);

class gateway_pool {
 public:
  /// Asserts 1 or more names, which tell the gateways apart in messages.
  gateway_pool(std::vector<std::string> names, pool_options options);

  /// Calls `ask` with the number of a gateway until it returns a value. It returns
  /// expected<Value, refusal>.
  template <class Ask>
  [[nodiscard]] auto call(const Ask& ask)
      -> expected<typename decltype(ask(std::size_t{}))::value_type, pool_refusal> {
    begin_call();
    while (const auto which = next()) {
      auto answer = ask(*which);
      if (answer) {
        succeeded(*which);
        return std::move(*answer);
      }
      if (!is_of_gateway(answer.error().reason)) {
        return make_unexpected(pool_refusal{std::move(answer.error()), {}});
      }
      leave(*which, std::move(answer.error()));
    }
    return make_unexpected(all_left());
  }

  /// Asks a question for rows until `check`, which is called on this thread with the number of a
  /// gateway and its bytes, returns a value. It returns expected<Value, refusal>.
  template <class Check>
  [[nodiscard]] auto read(fetch_race& race, const rows_question& question, const Check& check)
      -> expected<typename decltype(check(std::size_t{}, fetched()))::value_type, pool_refusal> {
    begin_call(&race);
    while (auto got = next_answer(race, question)) {
      auto answer = check(got->which, std::move(got->answer));
      if (answer) {
        overtook(race, *got);
        return std::move(*answer);
      }
      if (!is_of_gateway(answer.error().reason)) {
        race.give_up();
        return make_unexpected(pool_refusal{std::move(answer.error()), {}});
      }
      leave(got->which, std::move(answer.error()));
    }
    return make_unexpected(all_left());
  }

  [[nodiscard]] std::size_t size() const { return gateways_.size(); }
  /// The gateway that answered last; the first one before any has.
  [[nodiscard]] const std::string& present() const { return gateways_[present_].name; }

 private:
  struct gateway {
    std::string name;
    std::uint32_t failures = 0;  // in a row
    std::uint64_t rests_until_ms = 0;
    bool is_left_for_good = false;
    bool is_asked = false;  // in the present call
    bool is_busy = false;   // with a question for rows that an earlier call has given up
    std::optional<std::uint64_t> usual_ms;  // for rows, a mean of the last times
    std::optional<refusal> last;
  };
  void begin_call(fetch_race* race = nullptr);
  [[nodiscard]] std::optional<std::size_t> best(std::uint64_t now) const;
  [[nodiscard]] std::optional<std::size_t> next();
  /// A gateway that may be asked beside another one; nullopt if there is no sound one.
  [[nodiscard]] std::optional<std::size_t> second();
  /// The next answer of a call. It asks whom the call has to ask next. nullopt: there is nobody.
  [[nodiscard]] std::optional<fetch_race::finished> next_answer(fetch_race& race,
                                                                const rows_question& question);
  /// The answer holds, so that no other one is waited for.
  void overtook(fetch_race& race, const fetch_race::finished& by);
  void succeeded(std::size_t which);
  void leave(std::size_t which, refusal why);
  [[nodiscard]] pool_refusal all_left() const;

  std::vector<gateway> gateways_;
  pool_options options_;
  crypto::seeded_random random_;
  std::size_t present_ = 0;
  std::uint64_t call_ends_ms_ = 0;
};

}  // namespace soma::gateway_client
