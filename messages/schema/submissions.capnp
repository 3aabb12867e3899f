@0x9432416ee564af8e;

# Submissions (protocol §8): a claim, its reveal, the votes on it. Ids and hashes are exactly 32 bytes.

using Cxx = import "/capnp/c++.capnp";
using Models = import "models.capnp";
$Cxx.namespace("soma::schema");

enum AuditVerdict {
  ok @0;
  unavailable @1;
  wrongSize @2;
  wrongWinner @3;
  wrongLoss @4;
  wrongDistance @5;
}

struct AuditVote {
  voter @0 :Data;          # address
  power @1 :UInt32;        # of 10,000, when it was cast; a decision counts the power of its own time
  verdict @2 :AuditVerdict;
}

struct SubmissionRow {
  # Key: 7, target id. Exists from the claim on.
  submitter @0 :Data;      # address
  winner @1 :Models.ModelVersionRef;
  lossBits @2 :UInt32;     # binary32
  distanceQ30 @3 :UInt32;
  sizeBytes @4 :UInt64;
  commitment @5 :Data;
  bond @6 :UInt64;         # shannons
  claimedIn @7 :UInt64;    # epoch
  claimedAt @8 :UInt64;    # block height
  isRevealed @9 :Bool;
  revealedAt @10 :UInt64;  # block height, 0 unless revealed
  data @11 :Data;          # hash, zero until it was named
  blob @12 :Data;          # zero until revealed
  extensions @13 :UInt32;  # epochs the audit has been put off
  votes @14 :List(AuditVote);  # at most 1,000
  claimedMs @15 :UInt64;   # time of the block with the claim
  revealedMs @16 :UInt64;  # time of the block with the reveal, 0 unless revealed
  auditSeed @17 :Data;     # draws the sample that audits; zero unless revealed
  sampled @18 :Bool;       # it was decided while only its sample was called
}

struct UsedDataRow {
  # Key: 8, data hash. The data of a reveal can win once.
  target @0 :Data;
}
