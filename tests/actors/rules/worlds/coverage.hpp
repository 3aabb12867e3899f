// Counts what happened in random worlds, because a world without events proves nothing.
#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <string_view>

#include "actors/rules/execution.hpp"
#include "messages/values/genesis.hpp"

namespace soma::test {

inline constexpr std::size_t event_kinds = 45;

struct coverage {
  std::uint64_t transactions = 0;
  std::uint64_t applied = 0;
  std::uint64_t blocks = 0;
  std::uint64_t epochs = 0;
  std::uint64_t worlds = 0;
  std::uint64_t twins = 0;    // blocks that were executed twice
  std::uint64_t dropped = 0;  // blocks that were executed with and without a refused transaction
  std::array<std::uint64_t, event_kinds> events{};
  std::map<rules::refusal, std::uint64_t> refusals;

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
