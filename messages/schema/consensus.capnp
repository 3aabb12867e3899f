@0x9d59f7ad2b8394de;

# What validators say to each other to agree on blocks, and the parts of it that they keep. What each message means and
# the limits of its lists: messages/values/votes.hpp. A block's header and a vote's statement are the fixed layouts
# that are hashed (messages/codec/codec.hpp). Where several ids, signatures or layouts are one field, they follow each
# other without anything between them. Strangers send these bytes, and older versions of the program kept some of them:
# numbers of fields are never used again.

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
  # Votes of at least 6,667 power for one statement. Different votes make different certificates for the same
  # statement, so that a certificate is never hashed into an id.
  statement @0 :Data;      # exactly 49 bytes
  signers @1 :Data;        # one bit a member of the committee, the lowest first, at most 100 of them: exactly 16 bytes
  signatures @2 :Data;     # 64 bytes a signer, in order of index
}

struct EpochProof {
  # Proves that an epoch is over, and which committee follows.
  headers @0 :Data;        # layouts of 246 bytes each, the closing block's first; at least one
  final @1 :Certificate;   # for the last of them
  nextCommittee @2 :Data;  # member, consensus key and power (u32, little endian): 68 bytes a seat, 1 to 100 seats
}

struct PeerMessage {
  # One message from validator to validator. Order and numbers are those of soma::peer_message; the type of the frame
  # that carries it is one more than the number of the member.
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
    seek @11 :PeerSeek;
    have @12 :PeerHave;
    get @13 :PeerGet;
    part @14 :PeerPart;
  }
}

struct PeerHello {
  # Where the sender stands.
  chain @0 :Data;          # 32 bytes
  epoch @1 :UInt64;
  height @2 :UInt64;       # nothing proves it
  view @3 :UInt64;
  latestEpoch @4 :UInt64;  # the latest epoch that the sender's votes can have let begin
  asks @5 :Bool;           # the sender wants a hello in return
}

struct PeerProposal {
  # A leader's block, and why it may follow its parent.
  block @0 :Blocks.Block;
  parent @1 :Certificate;  # notarize or finalize; absent when the parent is the base of the epoch
  skipped @2 :List(Certificate);  # of the views between the parent's and this one, at most 64
}

struct PeerStandstill {
  # What the sender repeats when nothing has moved for a while.
  certificates @0 :List(Certificate);  # at most 192
  votes @1 :List(MemberVote);          # the sender's own, at most 192
}

struct PeerRequest {
  # Asks for what the sender lacks of an epoch.
  epoch @0 :UInt64;
  after @1 :UInt64;        # height of the sender's last final block
  fromView @2 :UInt64;     # asks for certificates of this view and of later ones
  want @3 :Data;           # id of a block, 32 bytes that are not all zero; absent when no block is wanted
}

struct PeerResponse {
  epoch @0 :UInt64;
  certificates @1 :List(Certificate);  # at most 192
  blocks @2 :List(Blocks.Block);       # at most 64, of at most 1 MiB together
  final @3 :Certificate;   # of the last of the final blocks; may be absent
  epochEnd @4 :EpochProof; # may be absent
}

struct PeerEpochOver {
  epoch @0 :UInt64;
  proof @1 :EpochProof;
}

struct PeerTransactions {
  # Transactions that wait at the sender.
  list @0 :List(Transactions.SignedTransaction);  # at most 4,096, of at most 512 KiB together
}

struct PeerAskState {
  # From a node that takes the ledger as it is instead of executing all blocks: it asks how an epoch ended, or for a
  # piece of a snapshot.
  epoch @0 :UInt64;
  height @1 :UInt64;       # of the snapshot; 0: no piece is wanted
  chunk @2 :UInt32;
  from @3 :UInt32;         # first byte of the piece in its chunk
}

struct PeerStatePart {
  # The answer. It repeats what was asked for.
  epoch @0 :UInt64;
  end @1 :EpochProof;      # absent when the epoch is not over here, is not known here, or a piece was asked for
  height @2 :UInt64;       # of the snapshot that is here now; 0: there is none
  chunks @3 :UInt32;       # of this snapshot
  chunk @4 :UInt32;        # of the piece
  from @5 :UInt32;         # of the piece
  chunkBytes @6 :UInt32;   # size of the chunk that the piece belongs to
  data @7 :Data;           # the piece, at most 512 KiB; empty when it is not here
  later @8 :Bool;          # too much was asked for of late: no other field has a meaning, ask again
}

struct PeerSeek {
  # Asks which of these blobs the receiver has as a whole.
  blobs @0 :Data;          # 32 bytes an id, 1 to 64 ids
}

struct PeerHave {
  # Names blobs that the sender has as a whole.
  blobs @0 :Data;          # 32 bytes an id, 1 to 64 ids
  sizes @1 :Data;          # of each blob in bytes, 1 to 2^36 (u64, little endian): 8 bytes a blob
}

struct PeerGet {
  # Asks for a part of a blob: a chunk, or a page of the list of its chunks' hashes.
  blob @0 :Data;           # exactly 32 bytes
  ofList @1 :Bool;         # asks for a page of the list
  number @2 :UInt32;       # of the chunk or of the page, from 0
}

struct PeerPart {
  # The answer. It repeats what was asked for. The whole list proves itself by the blob's id, and the list proves each
  # chunk.
  blob @0 :Data;           # exactly 32 bytes
  ofList @1 :Bool;
  number @2 :UInt32;
  data @3 :Data;           # at most 1 MiB; empty when it is not here. A page has up to 32,768 hashes of 32 bytes each
  later @4 :Bool;          # too much was asked for of late: `data` is empty, ask again
}
