// What happens in a world, step by step, with nothing left to chance: names of transactions, blocks
// and so of models and targets depend on their number alone. So a step means the same when others
// are left out, and a list of steps that breaks something shrinks to the few that matter.
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

  std::uint64_t serial = 0;     // send: its id follows from it; replay: which one is sent again
  std::size_t sender = 0;       // a person
  std::int64_t nonce_off = 0;   // from the next one
  std::int64_t expiry_off = 5;  // epochs from now
  bool wrong_chain = false;
  rules::refused known = std::nullopt;  // what reading it found
  std::uint64_t size_bytes = 300;
  transaction_kind body;

  std::uint64_t time_step_ms = 1;
  std::uint64_t shuffle = 0;  // 0: in the order of sending
  std::uint32_t absent = 0;   // a bit a person: does not sign
  bool odd_signers = false;   // names twice, names of strangers
};

struct script {
  std::uint64_t seed = 0;
  soma::genesis genesis;
  std::vector<step> steps;
};

[[nodiscard]] transaction_id name_of_transaction(std::uint64_t seed, std::uint64_t serial);
[[nodiscard]] block_id name_of_block(std::uint64_t seed, block_height height);

[[nodiscard]] std::string describe(const step& s);
/// One line a step, after those of genesis's parameters that are not what they usually are.
std::ostream& operator<<(std::ostream& out, const script& s);

}  // namespace soma::test
