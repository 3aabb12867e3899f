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
  modelSlashed @7;
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
  epochEnded @22;
}

struct Event {
  # Fields that do not apply are zero. Ids are exactly 32 bytes.
  kind @0 :EventKind;
  height @1 :UInt64;
  epoch @2 :UInt64;
  transaction @3 :Data;
  target @4 :Data;
  model @5 :Models.ModelVersionRef;
  account @6 :Data;
  amount @7 :UInt64;       # shannons
  refusal @8 :UInt16;      # of a refused transaction
}
