// Transactions, kind by kind.
#include "messages/codec/codec_detail.hpp"

namespace soma::inline codec {

namespace fields {

static_assert(static_cast<int>(schema::ModelVerdict::NOT_FINITE) ==
              static_cast<int>(model_verdict::not_finite));
static_assert(static_cast<int>(schema::AuditVerdict::WRONG_DISTANCE) ==
              static_cast<int>(audit_verdict::wrong_distance));

template <class... F>
struct overloaded : F... {
  using F::operator()...;
};
template <class... F>
overloaded(F...) -> overloaded<F...>;

static void put(schema::PoolOwner::Builder to, const pool_owner& from) {
  std::visit(overloaded{[&](const address& owner) { to.setValidator(data_of(owner)); },
                        [&](const model_id& model) { to.setModel(data_of(model)); }},
             from);
}

static void take(reading& in, schema::PoolOwner::Reader from, pool_owner& to) {
  if (from.isValidator()) {
    in.take(from.getValidator(), to.emplace<address>());
  } else {
    in.take(from.getModel(), to.emplace<model_id>());
  }
}

static void put(schema::Transfer::Builder to, const tx::transfer& from) {
  to.setTo(data_of(from.to));
  to.setAmount(from.amount.value);
}
static void take(reading& in, schema::Transfer::Reader from, tx::transfer& to) {
  in.take(from.getTo(), to.to);
  to.amount.value = from.getAmount();
}

static void put(schema::CommitModel::Builder to, const tx::commit_model& from) {
  if (from.model) to.setModel(data_of(*from.model));
  to.setCommitment(data_of(from.commitment));
  put(to.initManifest(), from.manifest);
  to.setStake(from.stake.value);
  to.setCommissionBps(from.commission_bps);
}
static void take(reading& in, schema::CommitModel::Reader from, tx::commit_model& to) {
  if (from.hasModel()) in.take(from.getModel(), to.model.emplace());
  in.take(from.getCommitment(), to.commitment);
  take(in, from.getManifest(), to.manifest);
  to.stake.value = from.getStake();
  to.commission_bps = from.getCommissionBps();
}

static void put(schema::RevealModel::Builder to, const tx::reveal_model& from) {
  to.setModel(data_of(from.model));
  to.setWeights(data_of(from.weights));
  to.setKey(data_of(from.key));
  put_floats([&](unsigned size) { return to.initEmbedding(size); }, from.embedding);
  to.setSalt(data_of(from.salt));
}
static void take(reading& in, schema::RevealModel::Reader from, tx::reveal_model& to) {
  in.take(from.getModel(), to.model);
  in.take(from.getWeights(), to.weights);
  in.take(from.getKey(), to.key);
  in.take(from.getEmbedding(), to.embedding);
  in.take(from.getSalt(), to.salt);
}

static void put(schema::RetireModel::Builder to, const tx::retire_model& from) {
  to.setModel(data_of(from.model));
}
static void take(reading& in, schema::RetireModel::Reader from, tx::retire_model& to) {
  in.take(from.getModel(), to.model);
}

static void put(schema::VoteOnModel::Builder to, const tx::vote_on_model& from) {
  put(to.initVersion(), from.version);
  to.setVerdict(same_enum<schema::ModelVerdict>(from.verdict));
}
static void take(reading& in, schema::VoteOnModel::Reader from, tx::vote_on_model& to) {
  take(in, from.getVersion(), to.version);
  to.verdict = same_enum<model_verdict>(from.getVerdict());
}

static void put(schema::ClaimTarget::Builder to, const tx::claim_target& from) {
  to.setTarget(data_of(from.target));
  put(to.initWinner(), from.winner);
  to.setLossBits(from.loss_bits);
  to.setDistanceQ30(from.distance_q30);
  to.setSizeBytes(from.size_bytes);
  to.setCommitment(data_of(from.commitment));
}
static void take(reading& in, schema::ClaimTarget::Reader from, tx::claim_target& to) {
  in.take(from.getTarget(), to.target);
  take(in, from.getWinner(), to.winner);
  to.loss_bits = from.getLossBits();
  to.distance_q30 = from.getDistanceQ30();
  to.size_bytes = from.getSizeBytes();
  in.take(from.getCommitment(), to.commitment);
}

static void put(schema::RevealData::Builder to, const tx::reveal_data& from) {
  to.setTarget(data_of(from.target));
  to.setData(data_of(from.data));
  to.setBlob(data_of(from.blob));
  to.setSalt(data_of(from.salt));
}
static void take(reading& in, schema::RevealData::Reader from, tx::reveal_data& to) {
  in.take(from.getTarget(), to.target);
  in.take(from.getData(), to.data);
  in.take(from.getBlob(), to.blob);
  in.take(from.getSalt(), to.salt);
}

static void put(schema::VoteOnSubmission::Builder to, const tx::vote_on_submission& from) {
  to.setTarget(data_of(from.target));
  to.setVerdict(same_enum<schema::AuditVerdict>(from.verdict));
}
static void take(reading& in, schema::VoteOnSubmission::Reader from, tx::vote_on_submission& to) {
  in.take(from.getTarget(), to.target);
  to.verdict = same_enum<audit_verdict>(from.getVerdict());
}

static void put(schema::AddStake::Builder to, const tx::add_stake& from) {
  put(to.initPool(), from.pool);
  to.setAmount(from.amount.value);
}
static void take(reading& in, schema::AddStake::Reader from, tx::add_stake& to) {
  take(in, from.getPool(), to.pool);
  to.amount.value = from.getAmount();
}

static void put(schema::WithdrawStake::Builder to, const tx::withdraw_stake& from) {
  put(to.initPool(), from.pool);
  to.setShares(from.shares);
}
static void take(reading& in, schema::WithdrawStake::Reader from, tx::withdraw_stake& to) {
  take(in, from.getPool(), to.pool);
  to.shares = from.getShares();
}

static void put(schema::SetCommission::Builder to, const tx::set_commission& from) {
  put(to.initPool(), from.pool);
  to.setCommissionBps(from.commission_bps);
}
static void take(reading& in, schema::SetCommission::Reader from, tx::set_commission& to) {
  take(in, from.getPool(), to.pool);
  to.commission_bps = from.getCommissionBps();
}

static void put(schema::JoinCommittee::Builder to, const tx::join_committee& from) {
  to.setConsensusKey(data_of(from.consensus_key));
  to.setProofOfPossession(data_of(from.proof_of_possession));
  to.setStake(from.stake.value);
}
static void take(reading& in, schema::JoinCommittee::Reader from, tx::join_committee& to) {
  in.take(from.getConsensusKey(), to.consensus_key);
  in.take(from.getProofOfPossession(), to.proof_of_possession);
  to.stake.value = from.getStake();
}

static void put(schema::ReportEquivocation::Builder to, const tx::report_equivocation& from) {
  length(from.first_statement.size(), max_statement_bytes);
  length(from.second_statement.size(), max_statement_bytes);
  to.setSigner(data_of(from.signer));
  if (!from.first_statement.empty()) to.setFirstStatement(data_of(from.first_statement));
  to.setFirstSignature(data_of(from.first_signature));
  if (!from.second_statement.empty()) to.setSecondStatement(data_of(from.second_statement));
  to.setSecondSignature(data_of(from.second_signature));
}
static void take(reading& in, schema::ReportEquivocation::Reader from,
                 tx::report_equivocation& to) {
  in.take(from.getSigner(), to.signer);
  in.take(from.getFirstStatement(), to.first_statement, max_statement_bytes);
  in.take(from.getFirstSignature(), to.first_signature);
  in.take(from.getSecondStatement(), to.second_statement, max_statement_bytes);
  in.take(from.getSecondSignature(), to.second_signature);
}

static void put(schema::CommitOnion::Builder to, const tx::commit_onion& from) {
  to.setLayer(data_of(from.layer));
  to.setNumber(from.number);
}
static void take(reading& in, schema::CommitOnion::Reader from, tx::commit_onion& to) {
  in.take(from.getLayer(), to.layer);
  to.number = from.getNumber();
}

using kind_builder = schema::Transaction::Kind::Builder;

static void put_kind(kind_builder to, const transaction_kind& from) {
  std::visit(overloaded{
                 [&](const tx::transfer& k) { put(to.initTransfer(), k); },
                 [&](const tx::commit_model& k) { put(to.initCommitModel(), k); },
                 [&](const tx::reveal_model& k) { put(to.initRevealModel(), k); },
                 [&](const tx::retire_model& k) { put(to.initRetireModel(), k); },
                 [&](const tx::vote_on_model& k) { put(to.initVoteOnModel(), k); },
                 [&](const tx::claim_target& k) { put(to.initClaimTarget(), k); },
                 [&](const tx::reveal_data& k) { put(to.initRevealData(), k); },
                 [&](const tx::vote_on_submission& k) { put(to.initVoteOnSubmission(), k); },
                 [&](const tx::add_stake& k) { put(to.initAddStake(), k); },
                 [&](const tx::withdraw_stake& k) { put(to.initWithdrawStake(), k); },
                 [&](const tx::set_commission& k) { put(to.initSetCommission(), k); },
                 [&](const tx::join_committee& k) { put(to.initJoinCommittee(), k); },
                 [&](const tx::leave_committee&) { to.setLeaveCommittee(); },
                 [&](const tx::report_equivocation& k) { put(to.initReportEquivocation(), k); },
                 [&](const tx::commit_onion& k) { put(to.initCommitOnion(), k); },
             },
             from);
}

static void take_kind(reading& in, schema::Transaction::Kind::Reader from, transaction_kind& to) {
  using kind = schema::Transaction::Kind;
  switch (from.which()) {
    case kind::TRANSFER:
      return take(in, from.getTransfer(), to.emplace<tx::transfer>());
    case kind::COMMIT_MODEL:
      return take(in, from.getCommitModel(), to.emplace<tx::commit_model>());
    case kind::REVEAL_MODEL:
      return take(in, from.getRevealModel(), to.emplace<tx::reveal_model>());
    case kind::RETIRE_MODEL:
      return take(in, from.getRetireModel(), to.emplace<tx::retire_model>());
    case kind::VOTE_ON_MODEL:
      return take(in, from.getVoteOnModel(), to.emplace<tx::vote_on_model>());
    case kind::CLAIM_TARGET:
      return take(in, from.getClaimTarget(), to.emplace<tx::claim_target>());
    case kind::REVEAL_DATA:
      return take(in, from.getRevealData(), to.emplace<tx::reveal_data>());
    case kind::VOTE_ON_SUBMISSION:
      return take(in, from.getVoteOnSubmission(), to.emplace<tx::vote_on_submission>());
    case kind::ADD_STAKE:
      return take(in, from.getAddStake(), to.emplace<tx::add_stake>());
    case kind::WITHDRAW_STAKE:
      return take(in, from.getWithdrawStake(), to.emplace<tx::withdraw_stake>());
    case kind::SET_COMMISSION:
      return take(in, from.getSetCommission(), to.emplace<tx::set_commission>());
    case kind::JOIN_COMMITTEE:
      return take(in, from.getJoinCommittee(), to.emplace<tx::join_committee>());
    case kind::LEAVE_COMMITTEE:
      to.emplace<tx::leave_committee>();
      return;
    case kind::REPORT_EQUIVOCATION:
      return take(in, from.getReportEquivocation(), to.emplace<tx::report_equivocation>());
    case kind::COMMIT_ONION:
      return take(in, from.getCommitOnion(), to.emplace<tx::commit_onion>());
  }
  in.refuse(parse_refusal::unknown_union_member);
}

static void put(schema::Transaction::Builder to, const transaction& from) {
  to.setChain(data_of(from.chain));
  to.setSender(data_of(from.sender));
  to.setNonce(from.nonce);
  to.setExpiryEpoch(from.expiry.value);
  put_kind(to.getKind(), from.kind);
}

static void take(reading& in, schema::Transaction::Reader from, transaction& to) {
  in.take(from.getChain(), to.chain);
  in.take(from.getSender(), to.sender);
  to.nonce = from.getNonce();
  to.expiry.value = from.getExpiryEpoch();
  take_kind(in, from.getKind(), to.kind);
}

}  // namespace fields

SOMA_CODEC_OF(transaction, Transaction, max_transaction_bytes)

}  // namespace soma::inline codec
