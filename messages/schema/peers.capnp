@0xe299788b3d914607;

# Between a validator and whoever keeps its connections to the others. As in roles.capnp.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("soma::schema");

struct HearPeers {
  # The sender wants to hear of the peers from now on, instead of whoever heard of them before. It is told first of
  # all that are connected.
}

struct FromPeer {
  # What another validator did, as whoever keeps the connections saw it. Answered once it has been dealt with: until
  # then its bytes count as outstanding, and of a peer with too many of them nothing more is read.
  peer @0 :UInt32;      # number of the connection; never used again for another key
  union {
    connected @1 :Data; # 32 bytes: the key that the peer has shown to hold
    gone @2 :Void;
    body @3 :Data;      # the bytes of a PeerMessage, at most 2 MiB, not yet looked into
  }
}

struct ToPeers {
  # Something for other validators. It may be lost: nobody waits for it.
  to @0 :List(UInt32);  # numbers of connections; none: all that are connected
  body @1 :Data;        # the bytes of a PeerMessage; none: nothing is sent
  blame @2 :Text;       # not empty: what they did that no honest validator does; they are disconnected for a while
}
