@0xc2b1e744c7adaf5c;

# Transactions (protocol §1). What is signed is the exact byte string of one canonical Transaction message, at most 256
# KiB. Its hash is its id, and it is never encoded again. Ids, hashes and keys are exactly 32 bytes, signatures 64, or
# the transaction is refused. Amounts are in shannons.

using Cxx = import "/capnp/c++.capnp";
using Models = import "models.capnp";
using Submissions = import "submissions.capnp";
$Cxx.namespace("soma::schema");

struct Transaction {
  chain @0 :Data;          # H("soma.chain", genesis): every other chain refuses it
  sender @1 :Data;         # Ed25519 public key; the account is its address
  nonce @2 :UInt64;        # the next nonce of the account
  expiryEpoch @3 :UInt64;  # last epoch in which it may be executed
  kind :union {
    transfer @4 :Transfer;
    commitModel @5 :CommitModel;
    revealModel @6 :RevealModel;
    retireModel @7 :RetireModel;
    voteOnModel @8 :VoteOnModel;
    claimTarget @9 :ClaimTarget;
    revealData @10 :RevealData;
    voteOnSubmission @11 :VoteOnSubmission;
    addStake @12 :AddStake;
    withdrawStake @13 :WithdrawStake;
    setCommission @14 :SetCommission;
    joinCommittee @15 :JoinCommittee;
    leaveCommittee @16 :Void;
    reportEquivocation @17 :ReportEquivocation;
    commitOnion @18 :CommitOnion;
  }
}

struct SignedTransaction {
  # As it travels and as it lies in a block.
  body @0 :Data;           # a Transaction message, at most 256 KiB
  signature @1 :Data;      # by the sender over H("soma.tx", body). 64 bytes
}

struct Transfer {
  to @0 :Data;             # address
  amount @1 :UInt64;
}

struct CommitModel {
  model @0 :Data;          # 32 bytes; absent for a new model
  commitment @1 :Data;     # H("soma.commit", weights hash, key, embedding, salt)
  manifest @2 :Models.WeightsManifest;
  stake @3 :UInt64;        # added to the model's own stake
  commissionBps @4 :UInt32;
}

struct RevealModel {
  model @0 :Data;
  weights @1 :Data;        # hash of the plain file
  key @2 :Data;            # AES-256
  embedding @3 :List(UInt32);  # bits of binary32; dim of them, at most 16,384
  salt @4 :Data;
}

struct RetireModel {
  model @0 :Data;
}

struct VoteOnModel {
  version @0 :Models.ModelVersionRef;
  verdict @1 :Models.ModelVerdict;
}

struct ClaimTarget {
  target @0 :Data;
  winner @1 :Models.ModelVersionRef;
  lossBits @2 :UInt32;     # binary32
  distanceQ30 @3 :UInt32;  # cosine distance in units of 2^-30
  sizeBytes @4 :UInt64;
  commitment @5 :Data;     # H("soma.data", data hash, size, salt, sender)
}

struct RevealData {
  target @0 :Data;
  data @1 :Data;           # H("soma.blob-data", bytes)
  blob @2 :Data;           # Merkle root in the blob stores
  salt @3 :Data;
}

struct VoteOnSubmission {
  target @0 :Data;
  verdict @1 :Submissions.AuditVerdict;
}

struct PoolOwner {
  # The owner of a pool. 32 bytes in either case.
  union {
    validator @0 :Data;    # address
    model @1 :Data;
  }
}

struct AddStake {
  pool @0 :PoolOwner;
  amount @1 :UInt64;
}

struct WithdrawStake {
  pool @0 :PoolOwner;
  shares @1 :UInt64;
}

struct SetCommission {
  pool @0 :PoolOwner;
  commissionBps @1 :UInt32;
}

struct JoinCommittee {
  consensusKey @0 :Data;
  proofOfPossession @1 :Data;  # by the consensus key over H("soma.pop", chain, sender's address). 64 bytes
  stake @2 :UInt64;
}

struct ReportEquivocation {
  # Two statements by one key that exclude each other: each the fixed layout of a header or of a vote. At most 1 KiB.
  signer @0 :Data;
  firstStatement @1 :Data;
  firstSignature @2 :Data;
  secondStatement @3 :Data;
  secondSignature @4 :Data;
}

struct CommitOnion {
  # A hash onion, which the sender's blocks peel from a later block on.
  layer @0 :Data;          # the outermost one; not zero
  number @1 :UInt64;       # for the owner: it finds the secret of the onion again by it
}
