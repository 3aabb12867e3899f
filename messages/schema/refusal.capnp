@0xea38c041273f68af;

# How a role says that it did not do what it was asked for. The messages of the roles travel inside the cluster of one
# operator: between threads as a pointer, between processes as bytes. Both ends run the same version of the program, so
# the numbers of their fields may change from version to version. Those of rows, of blocks, of what validators say to
# each other and of what anybody may ask (`none`, `blobStore`, `ledger`, `why`, BlobStoreRefusal and LedgerRefusal here)
# may not.
#
# A reply that can fail has one field `refusal` of the type below. A reply without that field cannot fail. A program
# decides by the member of the union and by its value; the sentence in `why` is for people alone.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("soma::schema");

struct Refusal {
  union {
    none @0 :Void;                    # the request was carried out; a refusal that is absent says the same
    rules @1 :UInt16;                 # the protocol refuses a transaction: a number of soma::rules::refusal, never 0
    mempool @2 :MempoolRefusal;
    blobStore @3 :BlobStoreRefusal;
    draw @4 :DrawRefusal;
    scorer @5 :ScorerRefusal;
    scorerPool @6 :ScorerPoolRefusal;
    globalModel @7 :GlobalModelRefusal;
    ledger @9 :LedgerRefusal;         # of the answers in public_answers.capnp
  }
  why @8 :Text;                       # one sentence for a person, at most 1 KiB; empty unless something was refused
}

enum MempoolRefusal {
  # Why a transaction that the protocol may well take does not wait for a block here.
  duplicate @0;          # this very transaction waits already
  tooLarge @1;           # more than 256 KiB
  expired @2;            # its last epoch is over
  nonceTooLow @3;        # the account has used the nonce
  nonceTooFar @4;        # too many of the account's transactions would have to come first
  nonceTaken @5;         # another transaction with this nonce waits
  accountFull @6;        # too many transactions of this account wait
  poolFull @7;           # too many transactions wait
  expiryTooFar @8;       # its last epoch is more than two ahead
  feesUnaffordable @9;   # the balance does not cover what all that waits of this account takes from it
  dutyWaits @10;         # another transaction of this account for the same duty waits
}

enum BlobStoreRefusal {
  unknown @0;            # no such blob is here
  corruptChunk @1;       # the bytes on the disk are no longer those that were put; the blob is in quarantine now
  quotaExceeded @2;      # with this blob, more bytes would lie here than may
  empty @3;              # a blob has at least one byte
  tooLarge @4;           # larger than any blob may be
  wrongHashes @5;        # the number of chunk hashes does not fit the size
  wrongChunk @6;         # the bytes are not those whose hash was announced, or there is no such chunk
  putInProgress @7;      # another writer is putting this blob, or too many blobs are being put
  incomplete @8;         # chunks are missing
}

enum DrawRefusal {
  # Of the router and of the target generator, which passes on what the router says.
  registryGap @0;        # the delta does not begin at the version that is known here: send a snapshot
  badDraw @1;            # more draws than one request may have, or an impossible dimension
  tooManyDistances @2;   # the answer would be larger than a message may be
}

enum ScorerRefusal {
  badRequest @0;         # the request is not what the schema's comments ask for
  dataUnavailable @1;    # the blob store does not have the data
  wrongSize @2;          # the data is not as long as was said
  modelUnavailable @3;   # the blob store does not have the weights of a model
  badModel @4;           # the weights of a model are not what was revealed
  busy @5;               # the queue is full: ask again later
  workerLost @6;         # each worker that tried it died
  failed @7;             # the engine could not do it, for example for lack of memory
}

enum ScorerPoolRefusal {
  # Why a worker may not join the pool.
  noWorker @0;           # the sender is not a worker
  nameTooLong @1;        # a worker's name has at most 64 bytes
  poolFull @2;
}

enum GlobalModelRefusal {
  emptyText @0;          # there is no text to continue
  noModels @1;           # the network has no active model
  badRequest @2;         # a size is outside what the schema says
  scoringFailed @3;      # the scorer refused, or died
}

enum LedgerRefusal {
  # Why a question about the ledger has no answer.
  badKey @0;             # a key or a prefix has no byte or more than 96, or a prefix was given beside keys
  tooMany @1;            # more keys, rows, blocks, proofs, events or kinds than one question may ask for
  tooFew @2;             # none of them
  badFilter @3;          # the id in a filter does not have 32 bytes
  noBlockYet @4;         # there is no block, and only the header of a block contains a state root
  notFinalYet @5;        # what proves that this block is final has not come yet: ask again in a moment
  notKept @6;            # it is older than what this node keeps: ask another node
  notThereYet @7;        # it is newer than what this node has
  notProvable @8;        # nothing that this node keeps proves by itself that this block is final
  badName @9;            # neither the number of an epoch nor 0x and 8 to 64 hex digits
  unknown @10;           # nothing in this ledger has an id that begins with these digits
  ambiguous @11;         # several ids begin with them
}

struct Ack {
  # It is done, or it is refused.
  refusal @0 :Refusal;
}
