@0x987a0bd03d668d2f;

# Models: what is published of them (protocol §6) and their rows in the ledger. A model has versions; a version is
# committed to, revealed an epoch later, and once active never altered: targets and audits name exactly one version.
# Ids, hashes and keys are exactly 32 bytes, or the message is refused.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("soma::schema");

struct WeightsManifest {
  # Encrypted weights as they lie in a blob store: AES-256-CTR with a key and IV of their own.
  sizeBytes @0 :UInt64;    # encrypted size = plain size
  chunkBytes @1 :UInt32;   # 1 MiB
  root @2 :Data;           # Merkle root over the encrypted chunks. 32 bytes
  iv @3 :Data;             # initial counter block. Exactly 16 bytes
}

struct ModelVersionRef {
  model @0 :Data;          # 32 bytes
  version @1 :UInt32;      # from 1
}

struct StakePool {
  # Protocol §4: stake and the shares it is divided into.
  stake @0 :UInt64;        # shannons
  shares @1 :UInt64;       # of all depositors
  ownerShares @2 :UInt64;  # of the owner, part of `shares`
  unbonding @3 :List(UnbondingBatch);  # by epoch, at most 4
}

struct UnbondingBatch {
  # What holders other than the owner have withdrawn at the end of one epoch, and what slashes have left of it.
  payableIn @0 :UInt64;    # paid at the end of this epoch
  amount @1 :UInt64;       # shannons
  kept @2 :UInt64;         # shannons
}

enum ModelVerdict {
  good @0;
  wrongHash @1;
  malformed @2;
  wrongArchitecture @3;
  notFinite @4;
}

struct ModelVote {
  # One validator's verdict on a version.
  voter @0 :Data;          # address, 32 bytes
  power @1 :UInt32;        # of 10,000, when it was cast; a decision counts the power of its own time
  verdict @2 :ModelVerdict;
}

enum ModelStatus {
  committed @0;
  active @1;
  inactive @2;
}

struct ModelRow {
  # Key: 4, model id.
  owner @0 :Data;                 # address, 32 bytes
  status @1 :ModelStatus;
  pool @2 :StakePool;
  commissionBps @3 :UInt32;
  nextCommissionBps @4 :UInt32;   # from the next epoch on
  activeVersion @5 :UInt32;       # 0: no version has ever been active
  latestVersion @6 :UInt32;
  retiring @7 :Bool;
}

enum VersionStatus {
  committed @0;
  revealed @1;
  active @2;
  superseded @3;
  dropped @4;
  bad @5;
}

struct ModelVersionRow {
  # Key: 5, model id, version (u32 big endian).
  status @0 :VersionStatus;
  committedIn @1 :UInt64;         # epoch
  commitment @2 :Data;            # 32 bytes
  manifest @3 :WeightsManifest;
  weights @4 :Data;               # hash of the plain file, 32 bytes, zero until revealed
  key @5 :Data;                   # 32 bytes, zero until revealed
  embedding @6 :List(UInt32);     # bits of binary32; dim of them, at most 16,384; empty until revealed
  votes @7 :List(ModelVote);      # at most 1,000
  activationOrder @8 :UInt64;     # among all versions ever activated, from 1; 0: never
}

struct KnownWeightsRow {
  # Key: 14, a weights hash or the Merkle root of encrypted weights. Nobody else may publish it.
  owner @0 :Data;                 # address, 32 bytes
}
