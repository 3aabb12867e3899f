@0x9af98e2de1b66359;

# What the execution of a block did, in the order in which it happened: for people, explorers and `explain`. Events are
# no part of the state.

using Cxx = import "/capnp/c++.capnp";
using Models = import "models.capnp";
$Cxx.namespace("soma::schema");

enum EventKind {
  transactionApplied @0;
  transactionRefused @1;
  transferred @2;
  modelCommitted @3;
  modelRevealed @4;
  modelActivated @5;
  modelUpdateDropped @6;
  modelSlashed @7;         # amount taken; detail: shannons of it that are added to the validators' pay
  modelRetired @8;
  targetOpened @9;
  targetFilled @10;
  dataRevealed @11;
  targetSettled @12;
  targetSlashed @13;
  targetExpired @14;
  revealMissed @15;
  submitterPaid @16;
  modelPaid @17;
  bondReturned @18;
  bondBurned @19;
  voterPaid @20;
  validatorPaid @21;
  epochEnded @22;          # amount: what the target pot has for the next epoch; detail: height of its first block
  modelRetiring @23;       # until the end of the epoch
  stakeAdded @24;          # amount waits for the end of the epoch; `model` or `other` names the pool, here and below
  stakeJoined @25;         # amount became shares; detail: shares
  stakeReturned @26;       # amount bought no share and went back
  stakeWithdrawn @27;      # asked for; detail: shares
  stakeLeft @28;           # shares burned; amount is paid out at the end of the epoch in detail
  stakePaidOut @29;
  commissionChanged @30;   # detail: basis points, from now on
  validatorJoined @31;     # wants a seat; amount: its deposit
  validatorLeaving @32;    # wants no seat any more
  validatorSeated @33;     # detail: power in the epoch that begins, of 10,000
  validatorUnseated @34;   # no seat in the epoch that begins
  validatorAbsent @35;     # amount it would have been paid; detail: blocks signed << 32 | audit votes cast
  validatorSlashed @36;    # amount taken; detail: epoch of what it signed
  reporterPaid @37;        # account showed that `other` equivocated
  emissionReleased @38;    # amount that flowed into the target pot; detail: shannons to validators
  feesChanged @39;         # amount burned in the epoch; detail: the multiplier from now on, in millionths
  difficultyChanged @40;   # detail: z in millionths from now on, as a two's complement
  auditVoteCast @41;       # account voted; detail: verdict
  auditExtended @42;       # amount: reward; detail: extensions so far
  modelVoteCast @43;       # account judged; detail: verdict
  modelNotAccepted @44;    # a version waited in vain for a quorum of `good`; detail: the power of those who said it.
  # Or its weights were known: then other is who published them
  targetVoided @45;        # a claim ended without winner; amount: its bond; detail: 0 no quorum, 1 the data was
                           # unavailable, 2 the data was in use
  emissionReturned @46;    # amount that the target pot had beyond an epoch's emission, unissued again
}

struct Event {
  # Fields that do not apply are zero. Ids are exactly 32 bytes.
  kind @0 :EventKind;
  height @1 :UInt64;
  epoch @2 :UInt64;
  transaction @3 :Data;
  target @4 :Data;
  model @5 :Models.ModelVersionRef;
  account @6 :Data;        # the account it concerns: which is paid, votes, or sent the transaction
  amount @7 :UInt64;       # shannons
  refusal @8 :UInt16;      # of a refused transaction
  other @9 :Data;          # the other account: the sender of a transfer, the pool's owner, the offender
  detail @10 :UInt64;      # a number whose meaning stands at the kind; 0 elsewhere
  auditsDue @11 :UInt64;   # audit votes that were due by the validator that was paid, or absent
}
