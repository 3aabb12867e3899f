@0xa1c66d3d0a5b7f01;

# Requests and replies of the roles. One struct is one message between actors: the words travel as they are, between
# threads as a pointer, between processes of one operator as bytes. What strangers sent is inside as the signed byte
# string itself (`body`), parsed by whoever must judge it, never re-encoded.
#
# Every reply that can fail carries `refusal`: 0 is success, other values are named in the role's header, and `why` says
# it in one sentence of at most 1 KiB. Ids, hashes and keys are exactly 32 bytes unless said otherwise.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("soma::schema");

struct Ack {
  # Nothing but: done, or refused.
  refusal @0 :UInt16;
  why @1 :Text;
}

struct Wait {
  # Asks the clock to answer after this long; 0: at once.
  ms @0 :UInt32;
}

struct Time {
  unixMs @0 :UInt64;
  steadyMs @1 :UInt64;  # from any beginning; never jumps
}

# ---- validator ------------------------------------------------------------------------------------------------------

struct SubmitTransaction {
  # Offers a transaction to the mempool. Answered at once: accepted means queued, not executed.
  body @0 :Data;        # the signed bytes of a Transaction, at most 256 KiB
  signature @1 :Data;   # 64 bytes
}

struct SubmitReceipt {
  transaction @0 :Data;
  refusal @1 :UInt16;
  why @2 :Text;
}

struct GetChain {
  # Where the chain stands.
}

struct ChainStatus {
  chain @0 :Data;
  height @1 :UInt64;
  epoch @2 :UInt64;
  timeMs @3 :UInt64;
  epochStartMs @4 :UInt64;
  stateRoot @5 :Data;
  registryVersion @6 :UInt64;
  lastBlock @7 :Data;
  openTargets @8 :UInt32;
  pendingTransactions @9 :UInt32;
  supplyOk @10 :Bool;
  view @11 :UInt64;             # of the agreement
  peers @12 :UInt32;            # connected
  signs @13 :Bool;              # false: it only follows
  standing @14 :Text;           # member, or why it does not sign: no seat, listening, fenced, mute, alarmed
}

struct GetRow {
  # One row of the ledger, by its key.
  key @0 :Data;         # at most 96 bytes
}

struct Row {
  found @0 :Bool;
  value @1 :Data;       # the row's canonical bytes
}

struct GetRows {
  # One page of the rows whose keys begin with `prefix`, in the order of their keys.
  prefix @0 :Data;      # the byte of a table and what follows it, 1 .. 96 bytes
  after @1 :Data;       # the last key of the page before; none: from the first row on
  most @2 :UInt32;      # 1 .. 1024; a page has fewer when rows are large
}

struct Rows {
  height @0 :UInt64;
  rows @1 :List(KeyedRow);
  more @2 :Bool;        # behind the last of them there are others
}

struct KeyedRow {
  key @0 :Data;
  value @1 :Data;
}

struct GetTransaction {
  # What became of a transaction.
  id @0 :Data;
}

struct TransactionStatus {
  height @0 :UInt64;        # of the block it is in; 0: it is in none
  refusal @1 :UInt16;       # 0: applied. The numbers are those of the rules
  why @2 :Text;
  feeShannons @3 :UInt64;   # burned
  epoch @4 :UInt64;         # in which it was executed
}

struct GetGenesis {
  # What the network was born with.
}

struct GenesisBytes {
  genesis @0 :Data;         # canonical
}

struct GetOpenTargets {
  most @0 :UInt32;      # at most this many; 1 .. 1024
}

struct OpenTargets {
  epoch @0 :UInt64;
  height @1 :UInt64;
  targets @2 :List(OpenTarget);
}

struct OpenTarget {
  id @0 :Data;
  radiusQ30 @1 :UInt32;
  rewardShannons @2 :UInt64;
  point @3 :List(Float32);
  assigned @4 :List(ModelRef);  # best first
}

struct ModelRef {
  model @0 :Data;
  version @1 :UInt32;
}

struct BlockNotice {
  # What a block did, told once to whoever watches the chain: after it is durable.
  height @0 :UInt64;
  epoch @1 :UInt64;
  id @2 :Data;
  closesEpoch @3 :Bool;
  stateRoot @4 :Data;
  events @5 :List(Data);        # each the encoded bytes of an Event
}

# ---- model registry, router, target generator -----------------------------------------------------------------------

struct ModelEntry {
  # One version of a model with all that is needed to find, decrypt, check and place it.
  ref @0 :ModelRef;
  owner @1 :Data;
  stakeShannons @2 :UInt64;
  activationOrder @3 :UInt64;
  weights @4 :Data;             # hash of the plain file
  key @5 :Data;                 # AES-256
  iv @6 :Data;                  # 16 bytes
  sizeBytes @7 :UInt64;
  root @8 :Data;                # Merkle root of the encrypted chunks
  embedding @9 :List(Float32);
}

struct RegistryDelta {
  # Takes the registry from one version to the next. With `snapshot` it replaces all that was known.
  fromVersion @0 :UInt64;
  toVersion @1 :UInt64;
  snapshot @2 :Bool;
  activated @3 :List(ModelEntry);   # a newer version of a model replaces the older one
  retired @4 :List(ModelRef);
}

struct GetModels {
  # The named versions, also superseded ones; all active ones when the list is empty.
  refs @0 :List(ModelRef);
}

struct Models {
  registryVersion @0 :UInt64;
  entries @1 :List(ModelEntry);     # in the order asked for; versions nobody knows are left out
}

struct AssignRequest {
  # Exact distances of every active model to each point, as of `delta.toVersion`.
  delta @0 :RegistryDelta;          # applied first when it is newer than what the router has
  points @1 :List(List(Float32));
}

struct Assignment {
  refusal @0 :UInt16;               # 1: the router's version does not fit, send a snapshot; 3: more distances than fit
  registryVersion @1 :UInt64;
  models @2 :List(ModelRef);        # ascending
  distancesQ30 @3 :List(List(UInt32));  # [point][model], units of 2^-30
}

struct RouteQuery {
  # Which experts serve a piece of text: each probe is the text's embedding as that model sees it.
  probes @0 :List(Probe);
  most @1 :UInt32;
}

struct Probe {
  ref @0 :ModelRef;
  embedding @1 :List(Float32);
}

struct Route {
  experts @0 :List(Expert);         # nearest first
}

struct Expert {
  ref @0 :ModelRef;
  distanceQ30 @1 :UInt32;
}

struct DrawTargets {
  seeds @0 :List(UInt64);
  dim @1 :UInt32;
  delta @2 :RegistryDelta;
}

struct DrawnTargets {
  refusal @0 :UInt16;               # 1: send a snapshot of the registry
  points @1 :List(List(Float32));   # [seed][dim]
  models @2 :List(ModelRef);        # ascending
  distancesQ30 @3 :List(List(UInt32));  # [seed][model]
}

# ---- scorer ---------------------------------------------------------------------------------------------------------

struct ScoreRequest {
  # Scores every model on one piece of data with one seed, and says which wins by protocol §8.3.
  models @0 :List(ModelEntry);      # 1 .. 16, in the order of the target's assignment
  data @1 :Data;                    # the bytes themselves; or, when empty:
  blob @2 :Data;                    # Merkle root of the bytes in the blob store
  sizeBytes @3 :UInt64;             # of the data, at most 1 MiB
  seed @4 :UInt64;
  point @5 :List(Float32);          # distance of the winner's embedding to it; empty: none wanted
  winnerOnly @6 :Bool;              # models that can no longer win may be given up
}

struct ScoreReport {
  refusal @0 :UInt16;
  why @1 :Text;
  results @2 :List(ModelScore);     # one a model, in the order of the request
  winner @3 :UInt32;                # index in results; 2^32 - 1: no model has a valid score
  distanceQ30 @4 :UInt32;           # of the winner's embedding; 2^31 where it has no direction
  data @5 :Data;                    # hash of the data that was scored
}

struct ModelScore {
  ref @0 :ModelRef;
  valid @1 :Bool;
  loss @2 :Float32;
  crossEntropy @3 :Float32;
  sigreg @4 :Float32;
  bitsPerByte @5 :Float32;
  embedding @6 :List(Float32);
  digest @7 :Data;                  # empty when given up
  givenUp @8 :Bool;                 # could not win any more; the numbers above are not there
}

struct CheckModel {
  # Fetch, decrypt, hash, parse: is a revealed version what it claims to be, and of the network's architecture?
  model @0 :ModelEntry;
  layers @1 :UInt32;
  dim @2 :UInt32;
  heads @3 :UInt32;
  ffn @4 :UInt32;
  maxSeq @5 :UInt32;
}

struct ModelCheck {
  verdict @0 :UInt16;               # soma::model_verdict; means nothing when the check was refused
  why @1 :Text;
  refusal @2 :UInt16;               # the check could not be made, which says nothing about the model
}

struct PredictRequest {
  # Next-byte distributions of one model after each position of a context of 1 .. max_seq bytes.
  model @0 :ModelEntry;
  context @1 :Data;
  offset @2 :UInt64;                # global offset of the context's first byte
  lastOnly @3 :Bool;                # only the distribution after the last position
}

struct PredictReport {
  refusal @0 :UInt16;
  why @1 :Text;
  logProbs @2 :List(Float32);       # [positions][256], natural logarithm
}

struct JoinPool {
  # A worker offers itself; the sender of the message is the worker.
  name @0 :Text;                    # 1 .. 64 bytes
  cores @1 :UInt32;
}

struct PoolStatus {
  workers @0 :UInt32;
  queued @1 :UInt32;
  running @2 :UInt32;
  done @3 :UInt64;
  requeued @4 :UInt64;              # pieces of work whose worker died
}

struct GetPoolStatus {
}

# ---- trainer, submitter, global model -------------------------------------------------------------------------------

struct Train {
  # Trains the trainer's model for the steps it was set up with, then publishes it by commit and reveal.
}

struct TrainerStatus {
  stage @0 :UInt16;                 # idle, training, committing, revealing, published, failed
  model @1 :Data;
  why @2 :Text;
}

struct GetStatus {
}

struct SubmitterStatus {
  scored @0 :UInt64;
  claimed @1 :UInt64;
  revealed @2 :UInt64;
  refused @3 :UInt64;
}

struct Ask {
  # Continue a text with the mixture of the nearest experts.
  text @0 :Data;                    # 1 byte .. 64 KiB
  mostBytes @1 :UInt32;             # bytes to write
  experts @2 :UInt32;               # k
  seed @3 :UInt64;
  temperatureMilli @4 :UInt32;      # 1000 samples as predicted, 0 takes the most likely byte
}

struct Answer {
  refusal @0 :UInt16;
  why @1 :Text;
  text @2 :Data;
  shares @3 :List(ExpertShare);     # of the text that was written; they sum to 1
}

struct ExpertShare {
  ref @0 :ModelRef;
  share @1 :Float64;
  distanceQ30 @2 :UInt32;
  bitsPerByte @3 :Float64;          # of this expert alone, where it was measured
}

struct Evaluate {
  # How well the mixture predicts a text, beside each expert alone.
  text @0 :Data;                    # 2 bytes .. 64 MiB
  experts @1 :UInt32;
}

struct Evaluation {
  refusal @0 :UInt16;
  why @1 :Text;
  bytes @2 :UInt64;
  predicted @3 :UInt64;
  bitsPerByte @4 :Float64;          # of the mixture, over predicted bytes
  shares @5 :List(ExpertShare);
}
