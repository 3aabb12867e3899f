// A network of real processes that carries transactions, while its processes are killed or halted
// at any moment. It finds out whether a transaction that a validator called final is missing from a
// ledger afterwards, whether two ledgers differ, and how long nothing was decided.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace soma::support {

struct kill_campaign_options {
  std::string binary;  // soma
  unsigned seconds = 10;
  std::uint64_t seed = 1;
  unsigned validators = 4;
  unsigned epoch_seconds = 20;
  bool tells = false;  // prints its progress
};

struct kill_campaign_result {
  std::uint64_t kills = 0, halts = 0, starts = 0, all_at_once = 0;
  std::uint64_t blocks = 0, acknowledged = 0, resent = 0;
  std::uint64_t longest_pause_ms = 0;
  std::uint64_t peak_memory_bytes = 0;
  std::vector<std::string> wrong;  // things that must not happen
};

[[nodiscard]] kill_campaign_result run_kill_campaign(const kill_campaign_options& wanted);

}  // namespace soma::support
