@0x91b309515c14aadc;

# Rows of the ledger that belong to no other topic. A row's key is one byte for its table and then the fields named at
# each struct; its value is the canonical message. Both enter the state root. Amounts in shannons.

using Cxx = import "/capnp/c++.capnp";
using Models = import "models.capnp";
$Cxx.namespace("soma::schema");

struct AccountRow {
  # Key: 2, address.
  balance @0 :UInt64;
  nonce @1 :UInt64;        # of the next transaction
}

struct ValidatorRow {
  # Key: 3, address.
  consensusKey @0 :Data;   # 32 bytes
  pool @1 :Models.StakePool;
  commissionBps @2 :UInt32;
  power @3 :UInt32;        # of 10,000, this epoch; 0: not in the committee
  blocksSigned @4 :UInt64;  # this epoch
  auditsDue @5 :UInt64;    # this epoch
  auditsCast @6 :UInt64;   # this epoch
}

struct ChainRow {
  # Key: 1, nothing else. There is one.
  height @0 :UInt64;
  lastBlock @1 :Data;      # 32 bytes
  timeMs @2 :UInt64;
  epoch @3 :UInt64;
  epochStartMs @4 :UInt64;
  epochFirstBlock @5 :UInt64;
  registryVersion @6 :UInt64;
  modelsActivated @7 :UInt64;
  feeMultiplierPpm @8 :UInt64;
  difficultyPpm @9 :Int64;
  hits @10 :UInt64;
  hitsEmaMilli @11 :UInt64;
  targetsOpened @12 :UInt64;
  targetBudget @13 :UInt64;
  nextBudget @14 :UInt64;
  rewardPerTarget @15 :UInt64;
  balances @16 :UInt64;
  staked @17 :UInt64;
  bonds @18 :UInt64;
  setAside @19 :UInt64;
  unissued @20 :UInt64;
  burned @21 :UInt64;
  burnedThisEpoch @22 :UInt64;
}
