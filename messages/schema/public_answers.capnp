@0xd4f1c07a6be93825;

# What anybody may ask of a ledger, and the answers with what proves them. A validator, or a node that follows the
# chain, answers; a gateway passes the bytes on; the program that asked checks them and trusts neither. Programs of
# strangers read these bytes, so that numbers of fields are never used again. Each answer is one state of the ledger:
# what it says about several heights or rows was true at one moment. Blocks in a ledger are final, so that nothing here
# is ever taken back.
#
# Canonical bytes of another message, or of a fixed layout, are one field each, as messages/codec makes them.

using Cxx = import "/capnp/c++.capnp";
using EventKind = import "events.capnp".EventKind;
using Refusals = import "refusal.capnp";
$Cxx.namespace("soma::schema");

struct Finality {
  # Proves that a block is final to everybody who knows the committee of its epoch.
  headers @0 :Data;      # layouts of 246 bytes each, 1 to 256 of them: the header of the block first, then its
                         # descendants up to the one that the certificate finalizes
  certificate @1 :Data;  # the canonical bytes of a Certificate
}

struct GetProvenRows {
  # Asks for rows with proofs, by their keys or by the beginning of their keys. Not both.
  keys @0 :List(Data);  # at most 256, of 1 to 96 bytes each. The same key may be there twice
  prefix @1 :Data;      # without keys: the byte of a table and what follows it, 1 to 96 bytes
  after @2 :Data;       # the last key of the page before, at most 96 bytes; empty: from the first row on
  most @3 :UInt32;      # rows in a page, 1 to 256; 0 with keys
}

struct ProvenRows {
  # Rows of the newest state, or why there are none. With keys: an entry for each key, in their order, up to the entry
  # that brings the answer above 4 MiB; `more` says that keys at the end were left away. Without keys: the rows of the
  # page in the order of their keys; `more` says that others follow. Each entry is proven by itself. Nothing proves that
  # a page leaves nothing out, because rows lie in the state tree by the hashes of their keys; the lists of the state do
  # (protocol §11.6).
  refusal @0 :Refusals.Refusal;  # `ledger`
  finality @1 :Finality;         # of the block whose state root the proofs lead to
  rows @2 :List(RowWithProof);
  more @3 :Bool;
}

struct RowWithProof {
  key @0 :Data;
  present @1 :Bool;  # false: there is no such row, which the proof shows, too
  value @2 :Data;    # the row's canonical bytes; absent unless present is true
  proof @3 :Data;    # the canonical bytes of a StateProof
}

struct GetEpochProofs {
  # Asks for the ends of epochs, one after the other.
  from @0 :UInt64;  # the first epoch
  most @1 :UInt32;  # 1 to 256
}

struct EpochProofs {
  # The ends of the epochs from the first one on, at least one and at most 1 MiB of them.
  refusal @0 :Refusals.Refusal;  # `ledger`
  proofs @1 :List(Data);         # the canonical bytes of an EpochProof each
  epoch @2 :UInt64;              # of the next block of this ledger: it is not over
}

struct GetBlocks {
  # Asks for blocks, one after the other.
  from @0 :UInt64;       # the first height, at least 1
  most @1 :UInt32;       # 1 to 256
  mostBytes @2 :UInt32;  # at most 4 MiB; the first block is given even if it is larger
}

struct FinalBlocks {
  refusal @0 :Refusals.Refusal;  # `ledger`
  blocks @1 :List(Data);         # the canonical bytes of a Block each, at least one
  height @2 :UInt64;             # of the newest block
}

struct GetFinality {
  # Asks for what proves that the block of a height is final.
  height @0 :UInt64;  # at least 1
}

struct FinalityAnswer {
  refusal @0 :Refusals.Refusal;  # `ledger`
  finality @1 :Finality;
  height @2 :UInt64;             # of the newest block
}

struct GetEvents {
  # Asks for events in the order in which they happened. A place is a height and the number of an event in its block,
  # from 0. The filters that are set must all fit.
  fromHeight @0 :UInt64;      # the first place that is wanted
  fromIndex @1 :UInt32;
  most @2 :UInt32;            # 1 to 1,024
  kinds @3 :List(EventKind);  # at most 64; empty: all kinds
  target @4 :Data;            # 32 bytes, or empty: all
  model @5 :Data;             # 32 bytes, or empty: all
  address @6 :Data;           # 32 bytes, or empty: all. An event fits whose account it is, or whose other account
}

struct EventPage {
  # The events. Nothing proves them: they are no part of the state. Whoever asks again from the place `next` misses none
  # that the filters fit, whether this answer had events or not.
  refusal @0 :Refusals.Refusal;  # `ledger`
  events @1 :List(PlacedEvent);
  nextHeight @2 :UInt64;
  nextIndex @3 :UInt32;
  more @4 :Bool;                 # `next` is not behind the newest block yet: ask again at once
  height @5 :UInt64;             # of the newest block
}

struct BlobDescription {
  # What a blob consists of. It proves itself: the name of the blob is blob_root(size, hashes), as messages/crypto/
  # merkle.hpp computes it, so that each chunk can be checked alone, whoever gives it.
  refusal @0 :Refusals.Refusal;  # `blobStore`
  blob @1 :Data;                 # the name, 32 bytes
  sizeBytes @2 :UInt64;
  chunkHashes @3 :Data;          # 32 bytes for each chunk of 1 MiB, in order; the last chunk may be shorter
}

struct UploadReservation {
  # An account's word that it wants a blob to be kept. It travels in hex in the header Soma-Reservation of a PUT. The
  # signature is over H("soma.upload", chain || blob || size || expiry), numbers little endian.
  chain @0 :Data;                # 32 bytes
  blob @1 :Data;                 # the name, 32 bytes
  sizeBytes @2 :UInt64;
  expiryMs @3 :UInt64;           # Unix time; at most 24 hours ahead
  key @4 :Data;                  # the account's public key, 32 bytes
  signature @5 :Data;            # 64 bytes
}

struct PlacedEvent {
  height @0 :UInt64;
  index @1 :UInt32;
  event @2 :Data;  # the canonical bytes of an Event
}

struct GetExplanation {
  # Asks why something was paid or not, or what an epoch did.
  what @0 :Text;     # the number of an epoch, or 0x and the first 8 to 64 digits of the id of a target, a model, an
                     # address
  events @1 :UInt32; # read at most so many of the latest events of a model or an address; 0: 2,000; at most 20,000
}

struct Explanation {
  # What the kept events and the rows tell. Nothing proves it. Ids in texts are short, in fields whole; amounts in texts
  # are in SOMA, in fields in shannons.
  refusal @0 :Refusals.Refusal;  # `ledger`
  subject @1 :Text;              # "target", "model", "address" or "epoch"
  id @2 :Text;                   # a number for an epoch
  status @3 :Text;
  summary @4 :Text;              # one sentence
  facts @5 :List(ExplainedField);
  passages @6 :List(ExplainedPassage);
  next @7 :List(ExplainedStep);  # the coming deadlines
}

struct ExplainedPassage {
  name @0 :Text;
  title @1 :Text;
  steps @2 :List(ExplainedStep);
}

struct ExplainedStep {
  name @0 :Text;
  text @1 :Text;
  hasHeight @2 :Bool;
  height @3 :UInt64;   # of the block in which it happened or is due; 0 unless hasHeight
  section @4 :Text;    # of the protocol; empty when none rules it
  fields @5 :List(ExplainedField);
}

struct ExplainedField {
  name @0 :Text;
  value :union {
    flag @1 :Bool;
    count @2 :UInt64;
    difference @3 :Int64;
    number @4 :Float32;
    text @5 :Text;
    texts @6 :List(Text);
  }
}
