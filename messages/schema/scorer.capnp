@0x809de9a255054eef;

# The scorer: a pool of workers and what each of them can do. Hashes are exactly 32 bytes.

using Cxx = import "/capnp/c++.capnp";
using Models = import "models.capnp";
using Registry = import "registry.capnp";
using Refusals = import "refusal.capnp";
$Cxx.namespace("soma::schema");

struct ScoreRequest {
  # Scores every model on one piece of data with one seed, and says which model wins by protocol §8.3. The data is in
  # the request, or in the blob store. A model whose weights are not what was revealed takes part and loses.
  models @0 :List(Registry.ModelEntry);  # 1 .. 16, in the order of the target's assignment
  data @1 :Data;                    # the bytes themselves, or nothing when `blob` names them
  blob @2 :Data;                    # Merkle root of the bytes in the blob store
  sizeBytes @3 :UInt64;             # of the data: 1 byte .. 1 MiB
  seed @4 :UInt64;
  point @5 :List(Float32);          # of the target; an empty list asks for no distance
  winnerOnly @6 :Bool;              # a model that can no longer win may be given up
}

struct ScoreReport {
  refusal @0 :Refusals.Refusal;     # `scorer`
  results @1 :List(ModelScore);     # one a model, in the order of the request
  winner @2 :UInt32;                # index in `results`; 2^32 - 1 when no model has a valid score
  distanceQ30 @3 :UInt32;           # of the winner's embedding to the point; 2^31 where either has no direction
  data @4 :Data;                    # hash of the data that was scored
}

struct ModelScore {
  ref @0 :Models.ModelVersionRef;
  givenUp @1 :Bool;                 # the model could not win any more, or is bad; the fields below are then absent
  valid @2 :Bool;                   # every number stayed within what binary32 can hold
  loss @3 :Float32;
  crossEntropy @4 :Float32;
  sigreg @5 :Float32;
  bitsPerByte @6 :Float32;
  embedding @7 :List(Float32);
  digest @8 :Data;                  # over all of the above, bit for bit
}

struct CheckModel {
  # Fetches, decrypts, hashes and parses the weights of a revealed version: is it what it claims to be? When the weights
  # cannot be fetched the check is refused.
  model @0 :Registry.ModelEntry;
  layers @1 :UInt32;                # from here on: the architecture that the network wants
  dim @2 :UInt32;
  heads @3 :UInt32;
  ffn @4 :UInt32;
  maxSeq @5 :UInt32;
}

struct ModelCheck {
  refusal @0 :Refusals.Refusal;     # `scorer`: the check could not be made, which says nothing about the model
  verdict @1 :Models.ModelVerdict;  # of no meaning when the check was refused
  why @2 :Text;                     # what is wrong with the model, for a person; at most 1 KiB
}

struct PredictRequest {
  # Asks for one model's distributions of the next byte after each position of a context.
  model @0 :Registry.ModelEntry;
  context @1 :Data;                 # 1 .. max_seq bytes
  offset @2 :UInt64;                # of the context's first byte in the whole text; below 2^32
  lastOnly @3 :Bool;                # asks only for the distribution after the last position
}

struct PredictReport {
  refusal @0 :Refusals.Refusal;     # `scorer`
  logProbs @1 :List(Float32);       # [position][256], natural logarithm; at most 65,536 positions
}

struct JoinPool {
  # A worker offers itself. The sender of this message is the worker. Answered with an Ack, refusal `scorerPool`.
  name @0 :Text;                    # at most 64 bytes
  cores @1 :UInt32;
}

struct GetPoolStatus {
}

struct PoolStatus {
  workers @0 :UInt32;
  queued @1 :UInt32;
  running @2 :UInt32;
  done @3 :UInt64;                  # pieces of work since the pool was started
  requeued @4 :UInt64;              # pieces of work whose worker died
}
