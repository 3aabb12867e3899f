// Submitters that cheat, for a local network that shows how the protocol treats them. Each of them
// is the honest submitter with another policy.
#pragma once

#include <cstdint>
#include <memory>

#include "actors/submitter/claim_policy.hpp"

namespace soma::localnet {

enum class misconduct : std::uint8_t {
  none,
  wrong_loss,     // claims half the loss that its scorer found
  wrong_winner,   // names another model than the one that won
  never_reveals,  // keeps its data to itself
  copies_claims   // claims what another submitter has claimed for another target
};
[[nodiscard]] const char* to_text(misconduct kind);

[[nodiscard]] std::shared_ptr<submitter::claim_policy> policy_of(misconduct kind);

}  // namespace soma::localnet
