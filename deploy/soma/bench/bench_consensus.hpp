// What `soma bench consensus` measures, in virtual time or with real processes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "deploy/soma/shell/failure.hpp"

namespace soma::cli {

struct consensus_load {
  std::filesystem::path folder;  // of its own; for ledgers and records
  std::uint32_t validators = 4;
  std::uint64_t delay_us = 100;  // of every message, one way; in virtual time
  double transactions_per_s = 0;
  double seconds = 3;  // so long transactions are offered
  std::uint64_t seed = 0;
};

struct consensus_figures {
  std::uint64_t offered = 0;
  std::uint64_t transactions = 0;  // final at the validator that was told of them
  std::uint64_t sent_again = 0;    // after 5 s without being final; processes only
  double seconds = 0;              // until the last was
  std::vector<double> final_ms;    // of each, from its submission to that validator's ledger
  std::uint64_t blocks = 0;
  std::uint64_t payload_bytes = 0;  // of these blocks
  double signatures_per_block = 0;  // that it shows for its parent, on average
  double busiest_seconds = 0;       // of the validator whose processor worked most
  double busy_seconds = 0;          // of the mean validator
  double verify_seconds = 0;        // of a processor: OpenSSL alone, these transactions once
  // Of all validators together, in virtual time only.
  std::uint64_t bytes_sent = 0;    // for agreement
  std::uint64_t gossip_bytes = 0;  // of transactions that are not in a block yet
  std::uint64_t messages = 0;      // for agreement
  std::uint64_t votes_verified = 0;
  // Of the largest process.
  std::uint64_t memory_at_start_bytes = 0;
  std::uint64_t memory_bytes = 0;
  std::int64_t memory_growth_bytes = 0;  // from a quarter of the time to the end
};

/// In one process, each validator on a made-up processor of its own, over a made-up network.
[[nodiscard]] expected<consensus_figures, failure> run_consensus(const consensus_load& load);
/// A process each, as `soma node run` is, over TLS on the loopback interface.
[[nodiscard]] expected<consensus_figures, failure> run_consensus_processes(
    const consensus_load& load);

}  // namespace soma::cli
