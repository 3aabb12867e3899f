#include "actors/localnet/localnet_genesis.hpp"

#include <algorithm>

#include "actors/rules/audit.hpp"
#include "messages/crypto/hash.hpp"
#include "messages/crypto/random.hpp"

namespace soma::localnet {
namespace {

constexpr shannons account_balance{2'000 * shannons_per_soma};
constexpr shannons faucet_balance{500'000 * shannons_per_soma};
constexpr shannons validator_stake{100'000 * shannons_per_soma};

}  // namespace

std::uint64_t seed_of(std::uint64_t seed, std::string_view part, std::uint64_t number) {
  const auto hash = crypto::tagged_hash("soma.localnet")
                        .add_u64(seed)
                        .add(as_bytes(part))
                        .add_u64(number)
                        .finish();
  std::uint64_t out = 0;
  for (int i = 7; i >= 0; --i) out = out << 8 | hash.value[static_cast<std::size_t>(i)];
  return out;
}

crypto::key_pair key_of(std::uint64_t seed, std::string_view part, std::uint64_t number) {
  crypto::seeded_random random(seed_of(seed, part, number));
  return crypto::key_pair::generate(random);
}

crypto::key_pair validator_key(std::uint64_t seed, std::uint64_t number) {
  return key_of(seed, "validator", number);
}

crypto::key_pair faucet_key(std::uint64_t seed) {
  return key_of(seed, "faucet");
}

soma::genesis localnet_genesis(const localnet_options& options, std::span<const address> people,
                               std::span<const public_key> validators) {
  soma::genesis genesis;
  genesis.name = "localnet-" + std::to_string(options.seed);
  genesis.start_ms = options.start_ms.value_or(localnet_start_ms);
  auto& parameters = genesis.parameters;
  parameters.architecture = options.architecture;
  parameters.epoch_ms = options.epoch_ms;
  parameters.hits_wanted = options.hits_wanted;
  parameters.initial_targets = options.initial_targets;
  // A local epoch has few blocks. The window is shorter than the epoch, so that a submitter that
  // does not reveal loses its bond within it.
  parameters.reveal_window_blocks = 40;
  for (const auto& someone : people) genesis.accounts.push_back({someone, account_balance});
  if (options.with_faucet) {
    const auto faucet = crypto::address_of(faucet_key(options.seed).public_half());
    genesis.accounts.push_back({faucet, faucet_balance});
  }
  for (const auto& key : validators) genesis.validators.push_back({key, validator_stake});
  return genesis;
}

std::vector<participant> participants_of(const localnet_options& options) {
  std::vector<participant> all;
  for (unsigned i = 0; i < options.submitters; ++i) {
    all.push_back({"submitter-" + std::to_string(i + 1),
                   misconduct::none,
                   key_of(options.seed, "submitter", i),
                   {}});
  }
  if (!options.with_cheats) return all;
  for (const auto kind : {misconduct::wrong_loss, misconduct::wrong_winner,
                          misconduct::never_reveals, misconduct::copies_claims}) {
    const auto number = static_cast<unsigned>(kind);
    all.push_back(
        {"cheat-" + std::to_string(number), kind, key_of(options.seed, "cheat", number), {}});
  }
  return all;
}

soma::genesis genesis_of(const localnet_options& options) {
  std::vector<address> people;
  for (const auto& someone : participants_of(options)) {
    people.push_back(crypto::address_of(someone.key.public_half()));
  }
  for (std::size_t i = 0; i < options.sources.size(); ++i) {
    people.push_back(crypto::address_of(key_of(options.seed, "owner", i).public_half()));
  }
  std::vector<public_key> validators;
  for (std::size_t i = 0; i < options.validators; ++i) {
    validators.push_back(validator_key(options.seed, i).public_half());
  }
  return localnet_genesis(options, people, validators);
}

std::uint32_t piece_within_limit(const localnet_options& options,
                                 const genesis_parameters& parameters) {
  const auto most = rules::largest_data_bytes(parameters);
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(options.piece_bytes, most));
}

}  // namespace soma::localnet
