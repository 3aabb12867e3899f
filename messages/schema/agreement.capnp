@0x9d59f7ad2b8394de;

# What validators say to each other to agree on blocks, and the parts of it that they keep. What each means:
# messages/types/agreement.hpp, whose limits hold here. A header and a vote's statement are the fixed layouts that
# are hashed (messages/types/codec.hpp); what comes in rows stands without anything between.

using Cxx = import "/capnp/c++.capnp";
using Blocks = import "blocks.capnp";
using Transactions = import "transactions.capnp";
$Cxx.namespace("soma::schema");

struct MemberVote {
  # What a member of the committee says about a view, once.
  statement @0 :Data;      # kind, epoch, view, block: the layout, exactly 49 bytes
  signer @1 :UInt16;       # index in the committee
  signature @2 :Data;      # over H("SX1/vote", chain, statement). 64 bytes
}

struct Certificate {
  # Votes of at least 6,667 power for one thing. Several exist for one: never hashed into an id.
  statement @0 :Data;      # exactly 49 bytes
  signers @1 :Data;        # one bit a member of the committee, lowest first, at most 100 of them: exactly 16 bytes
  signatures @2 :Data;     # 64 bytes a signer, in order of index
}

struct EpochProof {
  # An epoch is over, and who comes next.
  headers @0 :Data;        # layouts of 214 bytes each in a row, the closing block's first; at least one
  final @1 :Certificate;   # for the last of them
  nextCommittee @2 :Data;  # (member, consensus key, power as u32 little endian) of each: 68 bytes in a row, 1 to 100
}

struct PeerMessage {
  # Order and numbers are those of soma::peer_message.
  union {
    hello @0 :PeerHello;
    proposal @1 :PeerProposal;
    vote @2 :MemberVote;
    certified @3 :Certificate;
    standstill @4 :PeerStandstill;
    request @5 :PeerRequest;
    response @6 :PeerResponse;
    epochOver @7 :PeerEpochOver;
    transactions @8 :PeerTransactions;
    askState @9 :PeerAskState;
    statePart @10 :PeerStatePart;
  }
}

struct PeerHello {
  chain @0 :Data;          # 32 bytes
  epoch @1 :UInt64;
  height @2 :UInt64;       # a claim
  view @3 :UInt64;
  latestEpoch @4 :UInt64;  # the latest one that the sender's votes can have let begin
  asks @5 :Bool;           # for a hello in return
}

struct PeerProposal {
  # A leader's block and why it may stand on its parent.
  block @0 :Blocks.Block;
  parent @1 :Certificate;  # notarize or finalize; absent when the parent is the base
  skipped @2 :List(Certificate);  # of views between the parent's and this one, at most 64
}

struct PeerStandstill {
  certificates @0 :List(Certificate);  # at most 192
  votes @1 :List(MemberVote);          # the sender's own, at most 192
}

struct PeerRequest {
  epoch @0 :UInt64;
  after @1 :UInt64;        # height of the asker's last final block
  fromView @2 :UInt64;     # certificates from here on
  want @3 :Data;           # id of a block; absent: none. 32 bytes, not all of them zero
}

struct PeerResponse {
  epoch @0 :UInt64;
  certificates @1 :List(Certificate);  # at most 192
  blocks @2 :List(Blocks.Block);       # at most 64 of at most 1 MiB together
  final @3 :Certificate;   # of the last of final blocks; may be absent
  epochEnd @4 :EpochProof; # may be absent
}

struct PeerEpochOver {
  epoch @0 :UInt64;
  proof @1 :EpochProof;
}

struct PeerTransactions {
  list @0 :List(Transactions.SignedTransaction);  # at most 4,096 of at most 512 KiB together
}

struct PeerAskState {
  # Of somebody who wants the ledger rather than all blocks: how an epoch ended, or a piece of a snapshot.
  epoch @0 :UInt64;
  height @1 :UInt64;       # of the snapshot; 0: no piece of it
  chunk @2 :UInt32;
  from @3 :UInt32;         # first byte of the piece in its chunk
}

struct PeerStatePart {
  epoch @0 :UInt64;        # as it was asked
  end @1 :EpochProof;      # absent: not over here, not known, or a piece was asked for
  height @2 :UInt64;       # of the snapshot that is here now; 0: none
  chunks @3 :UInt32;       # of it
  chunk @4 :UInt32;        # as they were asked
  from @5 :UInt32;
  chunkBytes @6 :UInt32;   # of the whole chunk that the piece is of
  data @7 :Data;           # at most 512 KiB; empty: there is no such piece here
  later @8 :Bool;          # too much was asked for of late: nothing else counts, ask again
}
