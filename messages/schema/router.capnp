@0xf8294009e29998d8;

# The router: the exact distance of every active model to a point, and the models nearest to a text. Ids are exactly 32
# bytes; distances are cosine distances in units of 2^-30.

using Cxx = import "/capnp/c++.capnp";
using ModelVersionRef = import "models.capnp".ModelVersionRef;
using Registry = import "registry.capnp";
using Refusals = import "refusal.capnp";
$Cxx.namespace("soma::schema");

struct AssignRequest {
  # Asks for the distances of all active models to each point, as of the registry's version `delta.toVersion`.
  delta @0 :Registry.RegistryDelta;  # taken first, when it is newer than what the router knows
  points @1 :List(List(Float32));    # [point][dimension]
}

struct Assignment {
  refusal @0 :Refusals.Refusal;         # `draw`
  registryVersion @1 :UInt64;
  models @2 :List(ModelVersionRef);     # in ascending order; at most 2,000,000
  distancesQ30 @3 :List(List(UInt32));  # [point][model]; at most 200,000,000 in all
}

struct RouteQuery {
  # Asks which experts serve a text.
  probes @0 :List(Probe);
  most @1 :UInt32;  # experts in the answer
}

struct Probe {
  # The text as one model sees it.
  ref @0 :ModelVersionRef;
  embedding @1 :List(Float32);  # of the text, made by this model
}

struct Route {
  experts @0 :List(Expert);  # the nearest first
}

struct Expert {
  ref @0 :ModelVersionRef;
  distanceQ30 @1 :UInt32;
}
