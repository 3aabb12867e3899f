// Counts what happened in random worlds, because a world without events proves nothing. The steps
// of models and targets are those of the state diagrams of PROTOCOL.md (protocol §6.10 and §7.11):
// one that is not drawn there must not happen.
#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "actors/rules/execution.hpp"
#include "messages/values/genesis.hpp"

namespace soma::test {

inline constexpr std::size_t event_kinds = 47;

/// One diagram of PROTOCOL.md, named by the comment in its first line.
enum class life : unsigned char { model, version, target };
inline constexpr life all_lives[] = {life::model, life::version, life::target};

struct life_step {
  life of{};
  std::string from, to;  // states as the diagram names them; `[*]` before the first
  friend auto operator<=>(const life_step&, const life_step&) = default;
};

/// All steps of all diagrams. Throws when a diagram cannot be read.
[[nodiscard]] const std::set<life_step>& drawn_steps();

/// The steps that a world has taken.
class taken_steps {
 public:
  /// Throws a violation when the diagram does not have the step.
  void take(life of, std::string from, std::string to);
  [[nodiscard]] const std::set<life_step>& all() const { return taken_; }

 private:
  std::set<life_step> taken_;
};

struct coverage {
  std::uint64_t transactions = 0;
  std::uint64_t applied = 0;
  std::uint64_t blocks = 0;
  std::uint64_t epochs = 0;
  std::uint64_t worlds = 0;
  std::uint64_t twins = 0;    // blocks that were executed twice
  std::uint64_t samples = 0;  // submissions that a sample decided
  std::uint64_t dropped = 0;  // blocks that were executed with and without a refused transaction
  std::array<std::uint64_t, event_kinds> events{};
  std::map<rules::refusal, std::uint64_t> refusals;
  std::set<life_step> steps;  // of the diagrams of the protocol

  void count(const rules::effects& done);
  void add(const coverage& other);
  [[nodiscard]] std::uint64_t of(event_kind kind) const {
    return events[static_cast<std::size_t>(kind)];
  }
};

[[nodiscard]] std::string_view name_of(event_kind kind);
/// The refusals that no sequence of blocks can cause, each with the reason.
[[nodiscard]] const std::map<rules::refusal, std::string_view>& out_of_reach();
std::ostream& operator<<(std::ostream& out, const coverage& seen);

}  // namespace soma::test
