@0xa1c66d3d0a5b7f01;

# The validator: what it is asked by submitters, by people and by other roles, and what it tells the watchers of the
# chain. A transaction travels as the very bytes that were signed, and is never encoded again. Ids, hashes and keys are
# exactly 32 bytes unless said otherwise.

using Cxx = import "/capnp/c++.capnp";
using ModelVersionRef = import "models.capnp".ModelVersionRef;
using Refusals = import "refusal.capnp";
$Cxx.namespace("soma::schema");

struct SubmitTransaction {
  # Offers a transaction to the mempool. Answered at once: what is taken waits for a block, it is not executed.
  body @0 :Data;       # the signed bytes of a Transaction, at most 256 KiB
  signature @1 :Data;  # exactly 64 bytes
}

struct SubmitReceipt {
  transaction @0 :Data;          # its id; zero when the bytes are no transaction
  refusal @1 :Refusals.Refusal;  # `rules` or `mempool`
}

struct GetChain {
}

enum SigningState {
  # Whether a validator signs votes and blocks, and why not.
  member @0;     # it has a seat in the committee and signs
  noSeat @1;     # it follows the chain
  listening @2;  # it has just started and hears first what others say
  fenced @3;     # its record of votes is not complete: it waits for the next epoch
  mute @4;       # its disk did not take the record of votes
  alarmed @5;    # something happened that must not: a person has to look
}

struct ChainStatus {
  # Where the chain stands for this validator.
  chain @0 :Data;
  height @1 :UInt64;
  epoch @2 :UInt64;
  timeMs @3 :UInt64;        # of the last block, Unix time
  epochStartMs @4 :UInt64;  # Unix time
  stateRoot @5 :Data;
  registryVersion @6 :UInt64;
  lastBlock @7 :Data;
  openTargets @8 :UInt32;
  pendingTransactions @9 :UInt32;
  supplyOk @10 :Bool;       # the sums of all balances and stakes give the supply
  view @11 :UInt64;         # of the consensus
  peers @12 :UInt32;        # connected
  signs @13 :Bool;
  signing @14 :SigningState;
  build @15 :Text;          # version and commit of the node's program, for people; empty: not known
}

struct GetRow {
  # Asks for one row of the ledger.
  key @0 :Data;  # at most 96 bytes
}

struct Row {
  found @0 :Bool;
  value @1 :Data;  # the row's canonical bytes; empty unless found
}

struct GetRows {
  # Asks for one page of the rows whose keys begin with `prefix`, in the order of their keys.
  prefix @0 :Data;  # the byte of a table and what follows it: 1 .. 96 bytes
  after @1 :Data;   # the last key of the page before; empty: from the first row on
  most @2 :UInt32;  # 1 .. 1,024; a page has fewer rows when they are large
  from @3 :RowSource;
}

enum RowSource {
  # What is read. The indices of targets and models do not enter the state root; their records are
  # described in storage/tables/row_table.hpp. With them, a question about a few targets costs no
  # time for all that ever were. The prefix of an index may be empty.
  ledger @0;
  targetsByEpoch @1;
  targetsUndecided @2;
  targetCounts @3;
  modelCounts @4;
}

struct Rows {
  height @0 :UInt64;  # of the ledger that was read
  rows @1 :List(KeyedRow);
  more @2 :Bool;      # other rows follow the last of these
}

struct KeyedRow {
  key @0 :Data;
  value @1 :Data;
}

struct GetTransaction {
  # Asks what became of a transaction.
  id @0 :Data;
}

struct TransactionStatus {
  height @0 :UInt64;             # of the block that contains it; 0: no block does
  refusal @1 :Refusals.Refusal;  # `rules`, when the block refused it
  feeShannons @2 :UInt64;        # burned
  epoch @3 :UInt64;              # in which it was executed
}

struct GetGenesis {
}

struct GenesisBytes {
  genesis @0 :Data;  # the canonical bytes of a Genesis
}

struct GetOpenTargets {
  most @0 :UInt32;  # 1 .. 1,024
}

struct OpenTargets {
  epoch @0 :UInt64;
  height @1 :UInt64;
  targets @2 :List(OpenTarget);  # in the order of their ids
}

struct OpenTarget {
  id @0 :Data;
  radiusQ30 @1 :UInt32;                # cosine distance in units of 2^-30
  rewardShannons @2 :UInt64;
  point @3 :List(Float32);             # at most 16,384
  assigned @4 :List(ModelVersionRef);  # the best first, at most 16
}

struct BlockNotice {
  # What a block did. Each watcher of the chain is told once, after the block is durable.
  height @0 :UInt64;
  epoch @1 :UInt64;
  id @2 :Data;
  closesEpoch @3 :Bool;
  stateRoot @4 :Data;     # after the block
  events @5 :List(Data);  # each the canonical bytes of an Event
}
