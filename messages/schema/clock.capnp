@0xf4b5da6b294a7ad6;

# The clock: the only way in which a role learns the time or waits.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("soma::schema");

struct Wait {
  # Asks the clock to answer after this time; 0 asks it to answer at once.
  ms @0 :UInt32;
}

struct Time {
  unixMs @0 :UInt64;       # since 1970; the operator may set this clock, so it may jump
  steadyMs @1 :UInt64;     # since a moment of no meaning; this clock never jumps and never goes back
}
