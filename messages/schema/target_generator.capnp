@0xb844542edc3f2183;

# The target generator: points from seeds, and the distance of every active model to them. A pure function of a seed and
# of the registry's version.

using Cxx = import "/capnp/c++.capnp";
using ModelVersionRef = import "models.capnp".ModelVersionRef;
using Registry = import "registry.capnp";
using Refusals = import "refusal.capnp";
$Cxx.namespace("soma::schema");

struct DrawTargets {
  seeds @0 :List(UInt64);            # one a target, at most 1,024
  dim @1 :UInt32;                    # of the network's models: 2 .. 16,384
  delta @2 :Registry.RegistryDelta;  # as in AssignRequest
}

struct DrawnTargets {
  refusal @0 :Refusals.Refusal;         # `draw`
  points @1 :List(List(Float32));       # [seed][dimension]
  models @2 :List(ModelVersionRef);     # in ascending order
  distancesQ30 @3 :List(List(UInt32));  # [seed][model], units of 2^-30
}
