// The steps of a world. A step leaves nothing to chance: the ids of transactions and blocks, and so
// of models and targets, depend on their number alone. Therefore a step means the same when other
// steps are left out, and a list of steps that breaks an invariant can be shrunk.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "actors/rules/refusal.hpp"
#include "messages/values/genesis.hpp"
#include "messages/values/transactions.hpp"

namespace soma::test {

struct step {
  enum class what : std::uint8_t { send, replay, block };
  what kind = what::send;

  // for send it gives the id; for replay it says which one is sent again
  std::uint64_t serial = 0;
  std::size_t sender = 0;       // the number of a person
  std::int64_t nonce_off = 0;   // distance from the sender's next nonce
  std::int64_t expiry_off = 5;  // in epochs from the present one
  bool wrong_chain = false;
  rules::refused known = std::nullopt;  // the refusal found when it was read
  std::uint64_t size_bytes = 300;
  transaction_kind body;

  std::uint64_t time_step_ms = 1;
  std::uint64_t shuffle = 0;  // 0 keeps the order of sending
  std::uint64_t absent = 0;   // a bit for everybody that does not sign
  bool odd_signers = false;   // names signers twice, and people without a seat
  std::size_t proposer = 0;   // its seat, counted round; who has no layer left is passed over
};

struct script {
  std::uint64_t seed = 0;
  soma::genesis genesis;
  std::vector<step> steps;
};

[[nodiscard]] transaction_id name_of_transaction(std::uint64_t seed, std::uint64_t serial);
[[nodiscard]] block_id name_of_block(std::uint64_t seed, block_height height);

[[nodiscard]] std::string describe(const step& s);
/// Writes the genesis parameters that differ from the usual ones, then one line per step.
std::ostream& operator<<(std::ostream& out, const script& s);

}  // namespace soma::test
