@0xd1f7a3c2e94b6058;

# How the roles of a process are doing. Conventions as in roles.capnp.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("soma::schema");

struct GetHealth {
}

struct Health {
  roles @0 :List(RoleHealth);
}

struct RoleHealth {
  name @0 :Text;
  running @1 :Bool;
  restarts @2 :UInt32;
  lastFailure @3 :Text;
}
