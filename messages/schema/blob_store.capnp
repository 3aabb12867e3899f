@0xd7a1ddc909d58cd5;

# The blob store: blobs of any size, named by the Merkle root over their chunks of 1 MiB. Names and hashes are exactly
# 32 bytes. The messages from WantedBlob on are for the role that gets blobs from other homes. Programs of strangers
# send BeginPut to gateways and read PutProgress, so that the numbers of their fields are never used again.

using Cxx = import "/capnp/c++.capnp";
using Refusals = import "refusal.capnp";
$Cxx.namespace("soma::schema");

struct PutBlob {
  # Puts a blob of one chunk.
  data @0 :Data;                    # 1 byte .. 1 MiB
}

struct BeginPut {
  # Announces a larger blob by the hashes of its chunks. The reply says which chunks are still missing.
  sizeBytes @0 :UInt64;
  chunkHashes @1 :List(Data);       # one a chunk, in order
}

struct PutProgress {
  refusal @0 :Refusals.Refusal;     # `blobStore`
  blob @1 :Data;
  missing @2 :List(UInt32);         # numbers of chunks; an empty list: the blob is complete and durable
}

struct PutChunk {
  # Puts one chunk of a blob that was announced.
  blob @0 :Data;
  number @1 :UInt32;                # from 0
  data @2 :Data;                    # 1 MiB; the last chunk may have less, but not nothing
}

struct GetChunk {
  blob @0 :Data;
  number @1 :UInt32;                # from 0
  asPart @2 :Bool;                  # the asker reads the store's files itself, and its readers check each hash
}

struct Chunk {
  refusal @0 :Refusals.Refusal;     # `blobStore`
  sizeBytes @1 :UInt64;             # of the blob
  data @2 :Data;                    # of `asPart`: empty
  file @3 :Text;                    # the rest only of `asPart`: where the bytes lie
  offset @4 :UInt64;
  partBytes @5 :UInt32;
}

struct GetBlob {
  # Asks for the description of a blob that is here as a whole: a BlobDescription in public_answers.capnp.
  blob @0 :Data;
}

struct WantedBlob {
  blob @0 :Data;
  sizeBytes @1 :UInt64;             # 0 with `onlyNamed`: as the ledger says
}

struct FetchBlobs {
  # Asks for these blobs in the home's store. The answer comes when all that can come are there, or after this time.
  blobs @0 :List(WantedBlob);
  withinMs @1 :UInt32;
  onlyNamed @2 :Bool;               # those that the ledger does not name have `otherSize` at once
}

struct FetchedBlobs {
  missing @0 :List(Data);           # names of those that are not in the store
  otherSize @1 :List(Data);         # names of those that are proven to have another size; they need not be there
  notKept @2 :List(Data);           # names of those missing that this home's own disk has refused, as when it is full
}

struct GetHolders {
  # Asks which members of the committee say that they have a blob as a whole. The answer comes when all members that are
  # connected have said so, or after this time: a member that does not have the blob says nothing.
  blob @0 :Data;
  sizeBytes @1 :UInt64;
  withinMs @2 :UInt32;              # at most 10,000
}

struct Holders {
  canAsk @0 :Bool;                  # false: this home has no role that exchanges blobs; nothing is known
  keys @1 :List(Data);              # the consensus keys of the members that say so
}
