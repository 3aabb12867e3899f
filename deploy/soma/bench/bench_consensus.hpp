// What `soma bench consensus` measures, in virtual time or with real processes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "deploy/soma/shell/failure.hpp"

namespace soma::cli {

struct consensus_load {
  /// For the ledgers and the voting records; the run uses this folder alone.
  std::filesystem::path folder;
  std::uint32_t validators = 4;
  /// How long every message travels, one way. Only the run in virtual time uses it.
  std::uint64_t delay_us = 100;
  double transactions_per_s = 0;
  /// How long transactions are offered.
  double seconds = 3;
  std::uint64_t seed = 0;
};

/// The bytes of the messages by which validators agree, by what the messages hold.
struct agreement_bytes {
  std::uint64_t proposals = 0;     // blocks, with the certificates that come with them
  std::uint64_t votes = 0;         // own votes, each to every other validator
  std::uint64_t certificates = 0;  // certificates that are passed on
  std::uint64_t others = 0;        // greetings, questions, answers, and what is sent again
  [[nodiscard]] std::uint64_t all() const { return proposals + votes + certificates + others; }
};

/// What a run measured. Each transaction is sent to one validator, which is called its receiver.
struct consensus_figures {
  std::uint64_t offered = 0;
  /// Transactions that became final at their receiver.
  std::uint64_t transactions = 0;
  /// Transactions that were sent again because they were not final after 5 s. Only the run with
  /// processes counts them.
  std::uint64_t sent_again = 0;
  /// From the start until the last transaction was final.
  double seconds = 0;
  /// For each transaction, the time from its submission until it stood in its receiver's ledger.
  std::vector<double> final_ms;
  std::uint64_t blocks = 0;
  /// The transactions' bytes in these blocks.
  std::uint64_t payload_bytes = 0;
  /// How many signatures for its parent a block carries, on average.
  double signatures_per_block = 0;
  /// Processor time of the validator that worked most.
  double busiest_seconds = 0;
  /// Processor time of a validator, on average.
  double busy_seconds = 0;
  /// Processor time of OpenSSL alone for verifying the signature of each transaction once.
  double verify_seconds = 0;

  // The next four are sums over all validators. Only the run in virtual time fills them.
  agreement_bytes sent;
  std::uint64_t gossip_bytes = 0;  // of transactions that are not in a block yet
  std::uint64_t messages = 0;      // those by which validators agree
  std::uint64_t votes_verified = 0;

  // The next three belong to the process that uses the most memory.
  std::uint64_t memory_at_start_bytes = 0;
  std::uint64_t memory_bytes = 0;
  std::int64_t memory_growth_bytes = 0;  // from a quarter of the run to its end
};

/// Runs all validators in this process in virtual time: each has a simulated processor of its own,
/// and the network between them is simulated.
[[nodiscard]] expected<consensus_figures, failure> run_consensus(const consensus_load& load);
/// Runs each validator as a process of `soma node run`. They talk over TLS on the loopback
/// interface.
[[nodiscard]] expected<consensus_figures, failure> run_consensus_processes(
    const consensus_load& load);

}  // namespace soma::cli
