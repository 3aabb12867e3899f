@0xf27f6b021660d91b;

# Proofs about rows of the ledger against a state root. Hashes stand in a row, 32 bytes each without anything between
# them: a proof of a row is 1 KiB of siblings and at most 2 KiB of its leaf.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("soma::schema");

struct StateProof {
  # A row or its absence.
  leaf @0 :Data;        # (key hash, value hash) of each row of the leaf, ascending: a multiple of 64 bytes, to 2 KiB
  siblings @1 :Data;    # hashes from the leaf to the top: a multiple of 32 bytes, at most 8 KiB
  rows @2 :UInt64;      # of the whole ledger
  bytes @3 :UInt64;     # of the whole ledger: keys and values
}

struct ChunkProof {
  # The rows of a range of key hashes, which travel beside it.
  siblings @0 :Data;    # hashes level by level to the top, the left one first: a multiple of 32 bytes, at most 4 KiB
  rows @1 :UInt64;
  bytes @2 :UInt64;
}

struct ProvenRow {
  # What `soma prove` writes into a file.
  header @0 :Data;      # of the block whose state it is: the fixed layout, exactly 246 bytes
  key @1 :Data;         # of the row, 1 to 256 bytes
  present @2 :Bool;
  value @3 :Data;       # the row's bytes, at most 1 MiB; absent unless present is true
  proof @4 :StateProof;
}
