// Rows of the ledger.
#include "messages/codec/codec_detail.hpp"
#include "messages/schema/ledger.capnp.h"
#include "messages/schema/submissions.capnp.h"
#include "messages/schema/targets.capnp.h"

namespace soma::inline codec {
namespace fields {

static_assert(static_cast<int>(schema::ModelStatus::INACTIVE) ==
              static_cast<int>(model_status::inactive));
static_assert(static_cast<int>(schema::VersionStatus::BAD) ==
              static_cast<int>(version_status::bad));
static_assert(static_cast<int>(schema::TargetStatus::VOIDED) ==
              static_cast<int>(target_status::voided));

static void put(schema::AccountRow::Builder to, const account_row& from) {
  to.setBalance(from.balance.value);
  to.setNonce(from.nonce);
}
static void take(reading&, schema::AccountRow::Reader from, account_row& to) {
  to.balance.value = from.getBalance();
  to.nonce = from.getNonce();
}

static void put(schema::ValidatorRow::Builder to, const validator_row& from) {
  to.setConsensusKey(data_of(from.consensus_key));
  put(to.initPool(), from.pool);
  to.setCommissionBps(from.commission_bps);
  to.setNextCommissionBps(from.next_commission_bps);
  to.setWantsSeat(from.wants_seat);
  to.setRejoinFrom(from.rejoin_from.value);
}
static void take(reading& in, schema::ValidatorRow::Reader from, validator_row& to) {
  in.take(from.getConsensusKey(), to.consensus_key);
  take(in, from.getPool(), to.pool);
  to.commission_bps = from.getCommissionBps();
  to.next_commission_bps = from.getNextCommissionBps();
  to.wants_seat = from.getWantsSeat();
  to.rejoin_from.value = from.getRejoinFrom();
}

static void put(schema::ModelRow::Builder to, const model_row& from) {
  to.setOwner(data_of(from.owner));
  to.setStatus(same_enum<schema::ModelStatus>(from.status));
  put(to.initPool(), from.pool);
  to.setCommissionBps(from.commission_bps);
  to.setNextCommissionBps(from.next_commission_bps);
  to.setActiveVersion(from.active_version);
  to.setLatestVersion(from.latest_version);
  to.setRetiring(from.retiring);
}
static void take(reading& in, schema::ModelRow::Reader from, model_row& to) {
  in.take(from.getOwner(), to.owner);
  to.status = same_enum<model_status>(from.getStatus());
  take(in, from.getPool(), to.pool);
  to.commission_bps = from.getCommissionBps();
  to.next_commission_bps = from.getNextCommissionBps();
  to.active_version = from.getActiveVersion();
  to.latest_version = from.getLatestVersion();
  to.retiring = from.getRetiring();
}

template <class Builder, class Verdict>
static void put_vote(Builder to, const cast_vote<Verdict>& from) {
  to.setVoter(data_of(from.voter));
  to.setPower(from.power.value);
  to.setVerdict(same_enum<decltype(to.asReader().getVerdict())>(from.verdict));
}
template <class Reader, class Verdict>
static void take_vote(reading& in, Reader from, cast_vote<Verdict>& to) {
  in.take(from.getVoter(), to.voter);
  to.power = {from.getPower()};
  to.verdict = same_enum<Verdict>(from.getVerdict());
}

static void put(schema::ModelVersionRow::Builder to, const model_version_row& from) {
  to.setStatus(same_enum<schema::VersionStatus>(from.status));
  to.setCommittedIn(from.committed_in.value);
  to.setCommitment(data_of(from.commitment));
  put(to.initManifest(), from.manifest);
  to.setWeights(data_of(from.weights));
  to.setKey(data_of(from.key));
  to.setActivationOrder(from.activation_order);
  put_floats([&](unsigned size) { return to.initEmbedding(size); }, from.embedding);
  put_list([&](unsigned size) { return to.initVotes(size); }, from.votes, max_cast_votes,
           [](auto vote, const auto& value) { put_vote(vote, value); });
}
static void take(reading& in, schema::ModelVersionRow::Reader from, model_version_row& to) {
  to.status = same_enum<version_status>(from.getStatus());
  to.committed_in.value = from.getCommittedIn();
  in.take(from.getCommitment(), to.commitment);
  take(in, from.getManifest(), to.manifest);
  in.take(from.getWeights(), to.weights);
  in.take(from.getKey(), to.key);
  in.take(from.getEmbedding(), to.embedding);
  to.activation_order = from.getActivationOrder();
  in.take_list(from.getVotes(), to.votes, max_cast_votes,
               [&](auto vote, auto& value) { take_vote(in, vote, value); });
}

static void put(schema::TargetRow::Builder to, const target_row& from) {
  to.setEpoch(from.epoch.value);
  to.setOpenedAt(from.opened_at.value);
  to.setSeed(from.seed);
  put_floats([&](unsigned size) { return to.initPoint(size); }, from.point);
  to.setRadiusQ30(from.radius_q30);
  put_list([&](unsigned size) { return to.initAssigned(size); }, from.assigned, max_assigned_models,
           [](auto ref, const auto& value) { put(ref, value); });
  to.setReward(from.reward.value);
  to.setStatus(same_enum<schema::TargetStatus>(from.status));
}
static void take(reading& in, schema::TargetRow::Reader from, target_row& to) {
  to.epoch.value = from.getEpoch();
  to.opened_at.value = from.getOpenedAt();
  to.seed = from.getSeed();
  in.take(from.getPoint(), to.point);
  to.radius_q30 = from.getRadiusQ30();
  in.take_list(from.getAssigned(), to.assigned, max_assigned_models,
               [&](auto ref, auto& value) { take(in, ref, value); });
  to.reward.value = from.getReward();
  to.status = same_enum<target_status>(from.getStatus());
}

static void put(schema::SubmissionRow::Builder to, const submission_row& from) {
  to.setSubmitter(data_of(from.submitter));
  put(to.initWinner(), from.winner);
  to.setLossBits(from.loss_bits);
  to.setDistanceQ30(from.distance_q30);
  to.setSizeBytes(from.size_bytes);
  to.setCommitment(data_of(from.commitment));
  to.setBond(from.bond.value);
  to.setClaimedIn(from.claimed_in.value);
  to.setClaimedAt(from.claimed_at.value);
  to.setClaimedMs(from.claimed_ms);
  to.setIsRevealed(from.revealed_at.has_value());
  to.setRevealedAt(from.revealed_at.value_or(block_height{}).value);
  to.setRevealedMs(from.revealed_ms);
  to.setData(data_of(from.data));
  to.setBlob(data_of(from.blob));
  to.setExtensions(from.extensions);
  to.setAuditSeed(data_of(from.audit_seed));
  to.setSampled(from.sampled);
  put_list([&](unsigned size) { return to.initVotes(size); }, from.votes, max_cast_votes,
           [](auto vote, const auto& value) { put_vote(vote, value); });
}
static void take(reading& in, schema::SubmissionRow::Reader from, submission_row& to) {
  in.take(from.getSubmitter(), to.submitter);
  take(in, from.getWinner(), to.winner);
  to.loss_bits = from.getLossBits();
  to.distance_q30 = from.getDistanceQ30();
  to.size_bytes = from.getSizeBytes();
  in.take(from.getCommitment(), to.commitment);
  to.bond.value = from.getBond();
  to.claimed_in.value = from.getClaimedIn();
  to.claimed_at.value = from.getClaimedAt();
  to.claimed_ms = from.getClaimedMs();
  if (from.getIsRevealed()) to.revealed_at = block_height{from.getRevealedAt()};
  to.revealed_ms = from.getRevealedMs();
  in.take(from.getData(), to.data);
  in.take(from.getBlob(), to.blob);
  to.extensions = from.getExtensions();
  in.take(from.getAuditSeed(), to.audit_seed);
  to.sampled = from.getSampled();
  in.take_list(from.getVotes(), to.votes, max_cast_votes,
               [&](auto vote, auto& value) { take_vote(in, vote, value); });
}

static void put(schema::KnownWeightsRow::Builder to, const known_weights_row& from) {
  to.setOwner(data_of(from.owner));
}
static void take(reading& in, schema::KnownWeightsRow::Reader from, known_weights_row& to) {
  in.take(from.getOwner(), to.owner);
}

static void put(schema::UsedDataRow::Builder to, const used_data_row& from) {
  to.setTarget(data_of(from.target));
}
static void take(reading& in, schema::UsedDataRow::Reader from, used_data_row& to) {
  in.take(from.getTarget(), to.target);
}

static void put(schema::ChainRow::Builder to, const chain_row& from) {
  to.setHeight(from.height.value);
  to.setLastBlock(data_of(from.last_block));
  to.setTimeMs(from.time_ms);
  to.setEntropy(data_of(from.entropy));
  to.setLeaderSeed(data_of(from.leader_seed));
  to.setNextLeaderSeed(data_of(from.next_leader_seed));
  to.setEpoch(from.epoch.value);
  to.setEpochStartMs(from.epoch_start_ms);
  to.setEpochFirstBlock(from.epoch_first_block.value);
  to.setRegistryVersion(from.registry_version);
  to.setVersionsActivated(from.versions_activated);
  to.setFeeMultiplierPpm(from.fee_multiplier_ppm);
  to.setDifficultyPpm(from.difficulty_ppm);
  to.setHits(from.hits);
  to.setSliceHits(from.slice_hits);
  to.setTargetsWaiting(from.targets_waiting);
  to.setClaimsStanding(from.claims_standing);
  to.setActiveModels(from.active_models);
  to.setOpenTargets(from.open_targets);
  to.setTargetPot(from.target_pot.value);
  to.setEpochEmission(from.epoch_emission.value);
  to.setFlowed(from.flowed.value);
  to.setBalances(from.balances.value);
  to.setStaked(from.staked.value);
  to.setBonds(from.bonds.value);
  to.setSetAside(from.set_aside.value);
  to.setUnissued(from.unissued.value);
  to.setBurned(from.burned.value);
  to.setBurnedThisEpoch(from.burned_this_epoch.value);
  to.setJoining(from.joining.value);
  to.setUnbonding(from.unbonding.value);
  to.setSlicesDone(from.slices_done);
  to.setCongestionPpm(from.congestion_ppm);
  to.setValidatorPay(from.validator_pay.value);
}
static void take(reading& in, schema::ChainRow::Reader from, chain_row& to) {
  to.height.value = from.getHeight();
  in.take(from.getLastBlock(), to.last_block);
  to.time_ms = from.getTimeMs();
  in.take(from.getEntropy(), to.entropy);
  in.take(from.getLeaderSeed(), to.leader_seed);
  in.take(from.getNextLeaderSeed(), to.next_leader_seed);
  to.epoch.value = from.getEpoch();
  to.epoch_start_ms = from.getEpochStartMs();
  to.epoch_first_block.value = from.getEpochFirstBlock();
  to.registry_version = from.getRegistryVersion();
  to.versions_activated = from.getVersionsActivated();
  to.fee_multiplier_ppm = from.getFeeMultiplierPpm();
  to.difficulty_ppm = from.getDifficultyPpm();
  to.hits = from.getHits();
  to.slice_hits = from.getSliceHits();
  to.targets_waiting = from.getTargetsWaiting();
  to.claims_standing = from.getClaimsStanding();
  to.active_models = from.getActiveModels();
  to.open_targets = from.getOpenTargets();
  to.target_pot.value = from.getTargetPot();
  to.epoch_emission.value = from.getEpochEmission();
  to.flowed.value = from.getFlowed();
  to.balances.value = from.getBalances();
  to.staked.value = from.getStaked();
  to.bonds.value = from.getBonds();
  to.set_aside.value = from.getSetAside();
  to.unissued.value = from.getUnissued();
  to.burned.value = from.getBurned();
  to.burned_this_epoch.value = from.getBurnedThisEpoch();
  to.joining.value = from.getJoining();
  to.unbonding.value = from.getUnbonding();
  to.slices_done = from.getSlicesDone();
  to.congestion_ppm = from.getCongestionPpm();
  to.validator_pay.value = from.getValidatorPay();
}

}  // namespace fields

SOMA_CODEC_OF(chain_row, ChainRow, 1'024)
SOMA_CODEC_OF(account_row, AccountRow, 1'024)
SOMA_CODEC_OF(validator_row, ValidatorRow, 1'024)
SOMA_CODEC_OF(model_row, ModelRow, 1'024)
SOMA_CODEC_OF(model_version_row, ModelVersionRow, std::size_t{1} << 18)
SOMA_CODEC_OF(target_row, TargetRow, std::size_t{1} << 17)
SOMA_CODEC_OF(submission_row, SubmissionRow, std::size_t{1} << 18)
SOMA_CODEC_OF(used_data_row, UsedDataRow, 1'024)
SOMA_CODEC_OF(known_weights_row, KnownWeightsRow, 1'024)

}  // namespace soma::inline codec
