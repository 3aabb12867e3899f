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
  nextCommissionBps @3 :UInt32;  # from the next epoch on
  wantsSeat @4 :Bool;      # in the next committee, if the stake suffices
  rejoinFrom @5 :UInt64;   # earliest epoch in which it may join again after an equivocation
}

struct CommitteeRow {
  # Key: 12, nothing else. There is one: who votes in this epoch, and what they did in it.
  seats @0 :List(Seat);    # by address, at most 100
}

struct Seat {
  member @0 :Data;         # address of the validator
  consensusKey @1 :Data;   # 32 bytes, the one that signs in this epoch
  power @2 :UInt32;        # of 10,000, at least 1
  blocksSigned @3 :UInt64;
  auditsCast @4 :UInt64;
  auditsDue @5 :UInt64;    # audits to which it was called and that were decided
}

struct StakeRow {
  # What a holder has in a pool. Key: 10, kind of pool (1 validator, 2 model), pool's id (32 bytes), holder's address.
  shares @0 :UInt64;       # a pool's owner has 0 here: its shares stand in the pool's row
  joining @1 :UInt64;      # shannons that become shares at the end of this epoch
  leavingShares @2 :UInt64;  # shares that are burned at the end of this epoch
  unbonding @3 :List(Unbonding);  # by epoch, at most 4
}

struct Unbonding {
  amount @0 :UInt64;       # shannons; for holders other than the owner, before the slashes that the pool's row counts
  payableIn @1 :UInt64;    # paid at the end of this epoch
}

struct AgendaRow {
  # Key: 9, epoch (u64 big endian), kind (1 target, 2 model, 3 stake, 4 validator), and what is examined when that epoch
  # ends: an id of 32 bytes, or for a stake the rest of its key.
  height @0 :UInt64;       # of the block that put it there
}

struct ConsensusKeyRow {
  # Key: 11, a consensus key. It names the validator of the key for good, since what the key signs may be shown long
  # after, and the epochs in which it signed for a seat.
  validator @0 :Data;      # address
  lastSeat @1 :UInt64;     # latest epoch with a seat in the committee; the next one while it is being seated
  seatHistory @2 :UInt64;  # bit i: had a seat in epoch lastSeat - i; 0: never had one
}

struct EvidenceRow {
  # Key: 13, H("soma.evidence", validator's address, epoch). What it signed in an epoch is punished once.
  height @0 :UInt64;
}

struct OnionRow {
  # Key: 15, consensus key. Protocol §7.1.
  layer @0 :Data;          # the one that the key's last block peeled, or the outermost
  number @1 :UInt64;       # the owner's name for it
  nextLayer @2 :Data;      # of the onion that takes its place; zero when none waits
  nextNumber @3 :UInt64;
  nextFrom @4 :UInt64;     # the first block that peels it
}

struct ListRow {
  # Key: 16, the list (1 the active models, 2 the open targets), number of the page (u32 big endian). Protocol §11.6.
  ids @0 :Data;            # 1 to 64 ids of 32 bytes each, one behind the other
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
  versionsActivated @7 :UInt64;
  feeMultiplierPpm @8 :UInt64;  # of the epoch
  difficultyPpm @9 :Int64;
  hits @10 :UInt64;        # settled in this epoch
  sliceHits @11 :UInt64;   # settled since the last step of the difficulty
  targetsWaiting @12 :UInt64;  # to be opened as soon as the pot allows it
  targetPot @13 :UInt64;   # of which new targets are paid
  epochEmission @14 :UInt64;  # what this epoch emits in all
  flowed @15 :UInt64;      # of it, what has come into the target pot so far
  balances @16 :UInt64;
  staked @17 :UInt64;
  bonds @18 :UInt64;
  setAside @19 :UInt64;
  unissued @20 :UInt64;
  burned @21 :UInt64;
  burnedThisEpoch @22 :UInt64;
  joining @23 :UInt64;     # deposits that wait for the end of the epoch
  unbonding @24 :UInt64;   # withdrawn from pools, not yet paid out
  slicesDone @25 :UInt64;  # steps of the difficulty in this epoch
  congestionPpm @26 :UInt64;  # of the next block, at least 10^6
  validatorPay @27 :UInt64;  # added to the emission that this epoch's end divides among the validators
  entropy @28 :Data;       # 32 bytes: of all peels so far
  leaderSeed @29 :Data;    # of the epoch
  nextLeaderSeed @30 :Data;
  claimsStanding @31 :UInt64;  # not revealed, and not over
  activeModels @32 :UInt64;  # entries of that list
  openTargets @33 :UInt64;   # entries of that list
}
