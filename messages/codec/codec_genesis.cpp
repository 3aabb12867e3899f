// Genesis. Here decode also checks ranges, since a program that holds a genesis may size its memory
// by it.
#include "messages/codec/codec_detail.hpp"
#include "messages/schema/genesis.capnp.h"

namespace soma::inline codec {
namespace fields {

static void put(schema::ModelArchitecture::Builder to, const model_architecture& from) {
  to.setLayers(from.layers);
  to.setDim(from.dim);
  to.setHeads(from.heads);
  to.setFfn(from.ffn);
  to.setMaxSeq(from.max_seq);
}
static void take(reading& in, schema::ModelArchitecture::Reader from, model_architecture& to) {
  to.layers = from.getLayers();
  to.dim = from.getDim();
  to.heads = from.getHeads();
  to.ffn = from.getFfn();
  to.max_seq = from.getMaxSeq();
  in.refuse_if(!is_valid(to), parse_refusal::out_of_range);
}

static void put(schema::GenesisParameters::Builder to, const genesis_parameters& from) {
  put(to.initArchitecture(), from.architecture);
  to.setEpochMs(from.epoch_ms);
  to.setEmissionEpochs(from.emission_epochs);
  to.setTargetShareBps(from.target_share_bps);
  to.setBaseFee(from.base_fee);
  to.setRowFee(from.row_fee);
  to.setValueFeeBps(from.value_fee_bps);
  to.setFeeMultiplierStartPpm(from.fee_multiplier_start_ppm);
  to.setFeeMultiplierMinPpm(from.fee_multiplier_min_ppm);
  to.setFeeMultiplierMaxPpm(from.fee_multiplier_max_ppm);
  to.setBurnBpsPerYear(from.burn_bps_per_year);
  to.setMinModelStake(from.min_model_stake.value);
  to.setMinValidatorStake(from.min_validator_stake.value);
  to.setMaxCommissionStepBps(from.max_commission_step_bps);
  to.setMissedRevealSlashBps(from.missed_reveal_slash_bps);
  to.setBadModelSlashBps(from.bad_model_slash_bps);
  to.setModelsPerTarget(from.models_per_target);
  to.setInitialTargets(from.initial_targets);
  to.setHitsWanted(from.hits_wanted);
  to.setStakeBonusPpm(from.stake_bonus_ppm);
  to.setDifficultyStartPpm(from.difficulty_start_ppm);
  to.setRowByteFee(from.row_byte_fee);
  to.setMaxDataBytes(from.max_data_bytes);
  to.setMaxAuditProducts(from.max_audit_products);
  to.setBondPerByte(from.bond_per_byte);
  to.setBondRewardDivisor(from.bond_reward_divisor);
  to.setRevealWindowBlocks(from.reveal_window_blocks);
  to.setMaxAuditExtensions(from.max_audit_extensions);
  to.setEquivocationSlashBps(from.equivocation_slash_bps);
  to.setCommitteeSize(from.committee_size);
  to.setModelUnbondingEpochs(from.model_unbonding_epochs);
  to.setValidatorUnbondingEpochs(from.validator_unbonding_epochs);
  to.setMaxPower(from.max_power.value);
  to.setByteFee(from.byte_fee);
}
static void take(reading& in, schema::GenesisParameters::Reader from, genesis_parameters& to) {
  take(in, from.getArchitecture(), to.architecture);
  to.epoch_ms = from.getEpochMs();
  to.emission_epochs = from.getEmissionEpochs();
  to.target_share_bps = from.getTargetShareBps();
  to.base_fee = from.getBaseFee();
  to.row_fee = from.getRowFee();
  to.value_fee_bps = from.getValueFeeBps();
  to.fee_multiplier_start_ppm = from.getFeeMultiplierStartPpm();
  to.fee_multiplier_min_ppm = from.getFeeMultiplierMinPpm();
  to.fee_multiplier_max_ppm = from.getFeeMultiplierMaxPpm();
  to.burn_bps_per_year = from.getBurnBpsPerYear();
  to.min_model_stake.value = from.getMinModelStake();
  to.min_validator_stake.value = from.getMinValidatorStake();
  to.max_commission_step_bps = from.getMaxCommissionStepBps();
  to.missed_reveal_slash_bps = from.getMissedRevealSlashBps();
  to.bad_model_slash_bps = from.getBadModelSlashBps();
  to.models_per_target = from.getModelsPerTarget();
  to.initial_targets = from.getInitialTargets();
  to.hits_wanted = from.getHitsWanted();
  to.stake_bonus_ppm = from.getStakeBonusPpm();
  to.difficulty_start_ppm = from.getDifficultyStartPpm();
  to.row_byte_fee = from.getRowByteFee();
  to.max_data_bytes = from.getMaxDataBytes();
  to.max_audit_products = from.getMaxAuditProducts();
  to.bond_per_byte = from.getBondPerByte();
  to.bond_reward_divisor = from.getBondRewardDivisor();
  to.reveal_window_blocks = from.getRevealWindowBlocks();
  to.max_audit_extensions = from.getMaxAuditExtensions();
  to.equivocation_slash_bps = from.getEquivocationSlashBps();
  to.committee_size = from.getCommitteeSize();
  to.model_unbonding_epochs = from.getModelUnbondingEpochs();
  to.validator_unbonding_epochs = from.getValidatorUnbondingEpochs();
  to.max_power = {from.getMaxPower()};
  to.byte_fee = from.getByteFee();
  in.refuse_if(to.models_per_target > max_assigned_models, parse_refusal::out_of_range);
}

static bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= max_name_bytes &&
         std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

static bool within_supply(const genesis& value) {
  std::optional<shannons> sum = shannons{};
  for (const auto& account : value.accounts) sum = sum ? add(*sum, account.balance) : sum;
  for (const auto& validator : value.validators) sum = sum ? add(*sum, validator.stake) : sum;
  return sum && *sum <= supply_cap;
}

static void put(schema::Genesis::Builder to, const genesis& from) {
  SOMA_ASSERT(is_name(from.name) && within_supply(from), "a genesis within its limits");
  to.setName(from.name);
  to.setStartMs(from.start_ms);
  put(to.initParameters(), from.parameters);
  put_list([&](unsigned size) { return to.initAccounts(size); }, from.accounts,
           max_genesis_accounts,
           [](auto account, const genesis_account& value) {
             account.setOwner(data_of(value.owner));
             account.setBalance(value.balance.value);
           });
  put_list([&](unsigned size) { return to.initValidators(size); }, from.validators, max_committee,
           [](auto validator, const genesis_validator& value) {
             validator.setConsensusKey(data_of(value.consensus_key));
             validator.setStake(value.stake.value);
           });
}
static void take(reading& in, schema::Genesis::Reader from, genesis& to) {
  to.name.assign(from.getName().begin(), from.getName().end());
  to.start_ms = from.getStartMs();
  take(in, from.getParameters(), to.parameters);
  in.take_list(from.getAccounts(), to.accounts, max_genesis_accounts,
               [&](auto account, genesis_account& value) {
                 in.take(account.getOwner(), value.owner);
                 value.balance.value = account.getBalance();
               });
  in.take_list(from.getValidators(), to.validators, max_committee,
               [&](auto validator, genesis_validator& value) {
                 in.take(validator.getConsensusKey(), value.consensus_key);
                 value.stake.value = validator.getStake();
               });
  in.refuse_if(!is_name(to.name) || !within_supply(to), parse_refusal::out_of_range);
}

}  // namespace fields

SOMA_CODEC_OF(genesis, Genesis, std::size_t{1} << 20)

}  // namespace soma::inline codec
