// The decisions that are up to a submitter. The actor watches targets, has data scored, stores it,
// sends claims and follows them. A policy decides what a round is used for, what is claimed of a
// score, and whether the data is revealed. The policy below is that of the program: it scores its
// own data and claims exactly what the scorer found. Local networks derive other policies from it,
// to show how the protocol treats submitters that cheat.
#pragma once

#include <set>
#include <span>
#include <variant>
#include <vector>

#include "messages/crypto/random.hpp"
#include "messages/values/rows.hpp"
#include "messages/values/transactions.hpp"
#include "messages/wire/role_messages.hpp"

namespace soma::submitter {

/// A claim that was sent and is not revealed yet.
struct pending_claim {
  hash256 salt;
  data_hash data;
  blob_id blob;
  bytes content;  // of the blob, until it is revealed; empty when it is not the submitter's own
  bool reveal_sent = false;
  std::uint64_t epoch = 0;  // in which the claim was sent
};

/// A claim that can be sent at once, with what its reveal will need.
struct ready_claim {
  tx::claim_target claim;
  pending_claim pending;
};

/// What is known when a round begins. The readers are valid during the call only.
struct round_view {
  std::set<target_id> open;                           // all targets that are open
  std::span<const schema::OpenTarget::Reader> fresh;  // those that were not tried in this epoch
  std::uint64_t epoch = 0;
};

/// What a round is used for: to score a piece of data for a target, to read rows of the ledger, or
/// to send a claim.
struct score_data {};
struct read_rows {
  std::vector<row_key> keys;  // of the rows, which need not exist
};
using round_plan = std::variant<score_data, read_rows, ready_claim>;

/// The winner and the loss that are claimed of a report.
struct claimed_score {
  std::uint32_t winner = 0;  // index among the report's results
  float loss = 0;
};

class claim_policy {
 public:
  virtual ~claim_policy() = default;

  [[nodiscard]] virtual round_plan plan(const round_view&, crypto::random_source&) {
    return score_data{};
  }
  /// Takes a row that `plan` wanted to read. It is called for rows that exist.
  virtual void learn(byte_view /*value*/) {}
  /// What is claimed of this report, which has a winner.
  [[nodiscard]] virtual claimed_score claim_of(schema::ScoreReport::Reader report) const {
    const auto winner = report.getWinner();
    return {winner, report.getResults()[winner].getLoss()};
  }
  /// Whether the data is stored before the claim and revealed after it.
  [[nodiscard]] virtual bool reveals() const { return true; }
};

}  // namespace soma::submitter
