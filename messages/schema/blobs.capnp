@0xd7a1ddc909d58cd5;

# Requests and replies of the blob store. Refusals and sizes as in roles.capnp.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("soma::schema");

struct PutBlob {
  # A whole blob of at most 1 MiB.
  data @0 :Data;
}

struct BeginPut {
  # Announces a larger blob by the hashes of its chunks; the reply names what is still missing.
  sizeBytes @0 :UInt64;
  chunkHashes @1 :List(Data);
}

struct PutProgress {
  refusal @0 :UInt16;
  why @1 :Text;
  blob @2 :Data;
  missing @3 :List(UInt32);         # chunk numbers; none: the blob is whole and durable
}

struct PutChunk {
  blob @0 :Data;
  number @1 :UInt32;
  data @2 :Data;                    # at most 1 MiB
}

struct GetChunk {
  blob @0 :Data;
  number @1 :UInt32;
}

struct Chunk {
  refusal @0 :UInt16;
  why @1 :Text;
  sizeBytes @2 :UInt64;             # of the whole blob
  data @3 :Data;
}
