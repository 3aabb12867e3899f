@0xd1f7a3c2e94b6058;

# The supervisor: how the roles of a process are doing.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("soma::schema");

struct GetHealth {
}

struct Health {
  roles @0 :List(RoleHealth);  # in the order in which they were first seen
}

struct RoleHealth {
  name @0 :Text;
  running @1 :Bool;
  restarts @2 :UInt32;
  lastFailure @3 :Text;        # for a person; empty when there was none
}
