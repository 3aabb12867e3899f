@0xc487fa1f57889573;

# Targets (protocol §7): points in embedding space for which data is sought.

using Cxx = import "/capnp/c++.capnp";
using Models = import "models.capnp";
$Cxx.namespace("soma::schema");

enum TargetStatus {
  open @0;
  filled @1;
  revealed @2;
  settled @3;
  slashed @4;
  expired @5;
  voided @6;
}

struct TargetRow {
  # Key: 6, target id.
  epoch @0 :UInt64;
  openedAt @1 :UInt64;                        # block height
  point @2 :List(UInt32);                     # bits of binary32; dim of them while it is open, then none
  radiusQ30 @3 :UInt32;                       # cosine distance in units of 2^-30
  assigned @4 :List(Models.ModelVersionRef);  # best score first, at most 16
  reward @5 :UInt64;                          # shannons
  status @6 :TargetStatus;
  seed @7 :UInt64;                            # of the point
}
