// What a local network begins with: its genesis, and the keys and seeds of its parts. All of it
// follows from the options.
#pragma once

#include <span>

#include "actors/localnet/localnet.hpp"
#include "actors/localnet/misconduct.hpp"
#include "messages/crypto/ed25519.hpp"
#include "messages/values/genesis.hpp"

namespace soma::localnet {

/// A local network begins at 2026-01-01T00:00:00Z of its own virtual time, unless its options say
/// otherwise.
inline constexpr std::uint64_t localnet_start_ms = 1'767'225'600'000;

/// The seed of one part of the network, so that parts never share their randomness.
[[nodiscard]] std::uint64_t seed_of(std::uint64_t seed, std::string_view part,
                                    std::uint64_t number = 0);
[[nodiscard]] crypto::key_pair key_of(std::uint64_t seed, std::string_view part,
                                      std::uint64_t number = 0);

[[nodiscard]] crypto::key_pair validator_key(std::uint64_t seed, std::uint64_t number);
[[nodiscard]] crypto::key_pair faucet_key(std::uint64_t seed);

/// Somebody who submits data.
struct participant {
  std::string name;
  misconduct conduct = misconduct::none;
  crypto::key_pair key;
  std::shared_ptr<submitter::submitter_counts> counts;
};

/// The honest submitters, and the cheats if the options want them.
[[nodiscard]] std::vector<participant> participants_of(const localnet_options& options);

/// A genesis in which each of the people has 2,000 SOMA and each validator a stake of 100,000; the
/// faucet, if there is one, has 500,000.
[[nodiscard]] soma::genesis localnet_genesis(const localnet_options& options,
                                             std::span<const address> people,
                                             std::span<const public_key> validators);

/// The bytes of a submission: no submitter offers more data than a claim may have.
[[nodiscard]] std::uint32_t piece_within_limit(const localnet_options& options,
                                               const genesis_parameters& parameters);

}  // namespace soma::localnet
