// What a submitter decides for itself. The actor watches targets, has data scored, stores it, sends
// claims and follows them; a policy says what a round is spent on, what is claimed of a score, and
// whether the data is revealed. The policy below is the program's own: it scores data of its own
// and claims exactly what the scorer found. A network in a laboratory derives from it to see what
// happens when a submitter decides otherwise.
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

/// A claim that was sent and not yet followed by its reveal.
struct pending_claim {
  hash256 salt;
  data_hash data;
  blob_id blob;
  bool reveal_sent = false;
  std::uint64_t epoch = 0;  // in which it was sent
};

/// A claim that can be sent at once, and what its reveal will need.
struct ready_claim {
  tx::claim_target claim;
  pending_claim pending;
};

/// What a round begins with. The readers are valid for as long as the call.
struct round_view {
  std::set<target_id> open;                           // all targets that are open
  std::span<const schema::OpenTarget::Reader> fresh;  // those of them not tried in this epoch
  std::uint64_t epoch = 0;
};

/// What a round is spent on: a piece of data is scored for a target; rows of the ledger are read;
/// or a claim is sent.
struct score_data {};
struct read_rows {
  std::vector<row_key> keys;  // of rows; there may be none
};
using round_plan = std::variant<score_data, read_rows, ready_claim>;

/// What is claimed of a report.
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
  /// A row that `plan` wanted to read and that is there.
  virtual void learn(byte_view /*value*/) {}
  /// The report has a winner.
  [[nodiscard]] virtual claimed_score claim_of(schema::ScoreReport::Reader report) const {
    const auto winner = report.getWinner();
    return {winner, report.getResults()[winner].getLoss()};
  }
  /// Whether the data of a claim is stored before it is claimed and revealed after.
  [[nodiscard]] virtual bool reveals() const { return true; }
};

}  // namespace soma::submitter
