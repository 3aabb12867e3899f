@0xe299788b3d914607;

# Between a validator and the role that keeps its connections to the other validators. The body of a message is the
# bytes of a PeerMessage (consensus.capnp), at most 2 MiB. Its type says which member of PeerMessage's union it is: the
# first has type 1. Frames on the wire carry this very number, so that the limit of the kind is known before memory is
# taken.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("soma::schema");

struct HearPeers {
  # The sender is told of the peers from now on, instead of the role that was told before. It is told first of all peers
  # that are connected. Two roles are told: one of messages about blobs, and the validator of all others.
  ofBlobs @0 :Bool;        # the sender wants the messages about blobs
}

struct FromPeer {
  # What another validator did. Answered once it has been dealt with: until then the bytes of a message count as
  # outstanding, and of a peer with too many of them nothing more is read.
  peer @0 :UInt32;         # number of the connection; no other connection ever has it
  union {
    connected @1 :Data;    # the key that the peer has shown to hold, 32 bytes
    gone @2 :Void;
    sent :group {
      type @3 :UInt16;     # as the frame announced it, never 0; not compared with the body yet
      body @4 :Data;       # not looked into yet
    }
  }
}

struct ToPeers {
  # Something for other validators. It may be lost, and is never answered.
  to @0 :List(UInt32);     # numbers of connections; an empty list: all peers that are connected
  type @1 :UInt16;         # of the body; 0 when there is none
  body @2 :Data;           # empty: nothing is sent
  blame @3 :Text;          # not empty: what these peers did that no honest validator does; they are disconnected
}
