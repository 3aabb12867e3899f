@0xe97d85912dd94d69;

# The global model: the mixture of the nearest specialists, which continues a text or predicts one.

using Cxx = import "/capnp/c++.capnp";
using ModelVersionRef = import "models.capnp".ModelVersionRef;
using Refusals = import "refusal.capnp";
$Cxx.namespace("soma::schema");

struct Ask {
  # Asks for the continuation of a text.
  text @0 :Data;                # 1 byte .. 64 KiB
  mostBytes @1 :UInt32;         # to write: 1 .. 65,536
  experts @2 :UInt32;           # at most this many are mixed; at least 1
  seed @3 :UInt64;              # of the choice among likely bytes
  temperatureMilli @4 :UInt32;  # 1000 samples as predicted; 0 takes the most likely byte
}

struct Answer {
  refusal @0 :Refusals.Refusal;  # `globalModel`
  text @1 :Data;                 # what was written
  shares @2 :List(ExpertShare);  # of what was written; they sum to 1
}

struct ExpertShare {
  ref @0 :ModelVersionRef;
  share @1 :Float64;        # 0 .. 1
  distanceQ30 @2 :UInt32;   # of the expert to the text, units of 2^-30
  bitsPerByte @3 :Float64;  # of this expert alone
}

struct Evaluate {
  # Asks how well the mixture predicts a text, beside each expert alone.
  text @0 :Data;       # 2 bytes .. 64 MiB
  experts @1 :UInt32;  # as in Ask
}

struct Evaluation {
  refusal @0 :Refusals.Refusal;  # `globalModel`
  bytes @1 :UInt64;              # of the text
  predicted @2 :UInt64;          # bytes; the first byte of each context is given
  bitsPerByte @3 :Float64;       # of the mixture, over the bytes that were predicted
  shares @4 :List(ExpertShare);
}
