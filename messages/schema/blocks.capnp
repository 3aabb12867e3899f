@0x84c9e1aa0020d42c;

# Blocks. A header is hashed over a fixed little-endian layout, which is also what travels: messages/codec/codec.hpp
# states it. Transactions are the signed byte strings themselves.

using Cxx = import "/capnp/c++.capnp";
using Transactions = import "transactions.capnp";
$Cxx.namespace("soma::schema");

struct Block {
  header @0 :Data;         # the fixed layout, exactly 246 bytes
  byProposer @1 :Data;     # signature over H("SX1/prop", block id). 64 bytes
  payload @2 :List(Transactions.SignedTransaction);  # at most 4,096 whose bodies have at most 256 KiB together
  parentSigners @3 :Data;  # one bit a member that signed the parent's certificate, lowest first. 16 bytes, or absent
}
