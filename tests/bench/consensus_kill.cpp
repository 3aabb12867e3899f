// Kills and halts validators of a real network at random while the network carries transactions.
// Runs for the given time and prints the effect on blocks and transactions.
//
//   consensus_kill --minutes 10 [--seed N] [--validators N] [--soma FILE]
#include <iostream>
#include <set>
#include <string>

#include "tests/functional/kill_campaign.hpp"

int main(int count, char** words) {
  soma::support::kill_campaign_options wanted;
  wanted.binary = SOMA_BINARY;
  wanted.seconds = 600;
  wanted.tells = true;
  for (int i = 1; i < count; i += 2) {
    const std::string name = words[i];
    const std::set<std::string> known{"--minutes", "--seed", "--validators", "--soma"};
    if (i + 1 == count || !known.contains(name)) {
      std::cerr << "consensus_kill [--minutes X] [--seed N] [--validators N] [--soma FILE]\n";
      return name == "--help" ? 0 : 2;
    }
    const std::string value = words[i + 1];
    if (name == "--minutes") wanted.seconds = static_cast<unsigned>(std::stod(value) * 60);
    if (name == "--seed") wanted.seed = std::stoull(value);
    if (name == "--validators") wanted.validators = static_cast<unsigned>(std::stoul(value));
    if (name == "--soma") wanted.binary = value;
  }
  const auto found = soma::support::run_kill_campaign(wanted);
  std::cout << "seed " << wanted.seed << ", " << wanted.validators << " validators, "
            << wanted.seconds << " s\n"
            << found.kills << " kills (" << found.all_at_once << " times all at once), "
            << found.halts << " halts, " << found.starts << " starts\n"
            << found.blocks << " blocks, " << found.acknowledged << " transactions called final, "
            << found.resent << " sent again\n"
            << "longest time without a block " << found.longest_pause_ms << " ms; most memory "
            << (found.peak_memory_bytes >> 20U) << " MiB\n";
  for (const auto& why : found.wrong) std::cout << "WRONG: " << why << "\n";
  if (found.wrong.empty())
    std::cout << "every ledger is a beginning of one chain and holds them all\n";
  return found.wrong.empty() ? 0 : 1;
}
