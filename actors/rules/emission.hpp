// Protocol §3: linear emission whose parts add up exactly to the whole.
#pragma once

#include "messages/values/genesis.hpp"

namespace soma::rules {

/// floor(P * (e + 1) / N) - floor(P * e / N) for e < N, nothing from then on. Protocol §3.2.
[[nodiscard]] shannons emission_of(shannons pool, std::uint64_t epochs, epoch_number epoch);

/// How the emission of an epoch is divided between the target budget and the validators. Protocol
/// §3.3.
struct emission_split {
  shannons targets;
  shannons validators;  // including the odd shannon
};
[[nodiscard]] emission_split split_emission(shannons released, std::uint32_t target_share_bps);

}  // namespace soma::rules
