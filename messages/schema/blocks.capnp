@0x84c9e1aa0020d42c;

# Blocks and what makes them final. A header and a vote are hashed over a fixed little-endian layout, which is therefore
# what travels: messages/types/codec.hpp states it. Transactions are the signed byte strings themselves.

using Cxx = import "/capnp/c++.capnp";
using Transactions = import "transactions.capnp";
$Cxx.namespace("soma::schema");

struct Block {
  header @0 :Data;         # the fixed layout, exactly 214 bytes
  byProposer @1 :Data;     # signature over H("SX1/prop", block id). 64 bytes
  payload @2 :List(Transactions.SignedTransaction);  # at most 4,096 whose bodies have at most 256 KiB together
}

enum VoteKind {
  notarize @0;
  skip @1;
  finalize @2;
}

struct Vote {
  # What a validator says about a view, once.
  kind @0 :VoteKind;
  epoch @1 :UInt64;
  view @2 :UInt64;
  block @3 :Data;          # id; 32 zero bytes for skip
  signer @4 :UInt16;       # index in the committee
  signature @5 :Data;      # over H("SX1/vote", chain, kind, epoch, view, block). 64 bytes
}

struct Certificate {
  # Votes of at least 6,667 power for one thing. Several exist for one: never hashed into an id.
  kind @0 :VoteKind;
  epoch @1 :UInt64;
  view @2 :UInt64;
  block @3 :Data;          # id; 32 zero bytes for skip
  signers @4 :Data;        # one bit a member of the committee, lowest first, at most 13 bytes; surplus bits are zero
  signatures @5 :List(Data);  # 64 bytes each, in order of index, at most 100
}

struct Proposal {
  # A leader's block and why it may build on its parent.
  block @0 :Block;
  parent @1 :Certificate;       # notarize or finalize; absent if the parent is the epoch's base
  skipped @2 :List(Certificate);  # one for each view between the parent's and this, at most 64
}
