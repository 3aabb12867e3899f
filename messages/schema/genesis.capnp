@0xb9d75bcc9efc5ed2;

# The genesis: what a network begins with. The chain's id is the hash of its canonical bytes.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("soma::schema");

struct ModelArchitecture {
  # Within the limits of messages/values/architecture.hpp, or the genesis is refused.
  layers @0 :UInt32;
  dim @1 :UInt32;
  heads @2 :UInt32;
  ffn @3 :UInt32;
  maxSeq @4 :UInt32;
}

struct GenesisParameters {
  # The numbers of the protocol; amounts in shannons.
  architecture @0 :ModelArchitecture;
  epochMs @1 :UInt64;
  emissionEpochs @2 :UInt64;
  targetShareBps @3 :UInt32;
  baseFee @4 :UInt64;
  rowFee @5 :UInt64;
  valueFeeBps @6 :UInt32;
  feeMultiplierStartPpm @7 :UInt64;
  feeMultiplierMinPpm @8 :UInt64;
  feeMultiplierMaxPpm @9 :UInt64;
  burnBpsPerYear @10 :UInt32;
  minModelStake @11 :UInt64;
  minValidatorStake @12 :UInt64;
  maxCommissionStepBps @13 :UInt32;
  missedRevealSlashBps @14 :UInt32;
  badModelSlashBps @15 :UInt32;
  modelsPerTarget @16 :UInt32;
  initialTargets @17 :UInt32;
  hitsWanted @18 :UInt64;
  stakeBonusPpm @19 :Int64;
  difficultyStartPpm @20 :Int64;
  rowByteFee @21 :UInt32;
  maxDataBytes @22 :UInt64;
  bondPerByte @23 :UInt64;
  bondRewardDivisor @24 :UInt64;
  revealWindowBlocks @25 :UInt64;
  maxAuditExtensions @26 :UInt32;
  equivocationSlashBps @27 :UInt32;
  committeeSize @28 :UInt32;            # at most 100
  modelUnbondingEpochs @29 :UInt32;     # 1 to 3
  validatorUnbondingEpochs @30 :UInt32;  # 1 to 3
  maxPower @31 :UInt32;                 # of a member, 1 to 10,000; 10,000 means no cap
  maxAuditProducts @32 :UInt64;         # multiplications of one audit
  byteFee @33 :UInt32;                  # for each byte of a transaction, in the base fee
}

struct GenesisAccount {
  owner @0 :Data;          # address, 32 bytes
  balance @1 :UInt64;      # shannons
}

struct GenesisValidator {
  consensusKey @0 :Data;   # 32 bytes
  stake @1 :UInt64;        # shannons
}

struct Genesis {
  name @0 :Text;           # 1 to 64 bytes of printable ASCII
  startMs @1 :UInt64;      # Unix time of epoch 0
  parameters @2 :GenesisParameters;
  accounts @3 :List(GenesisAccount);      # at most 4,096
  validators @4 :List(GenesisValidator);  # at most 100; all amounts together at most the supply cap
}
