@0xf604c10520ac691b;

# The model registry: what is known of each version of each model that has been active. Ids, hashes and keys are exactly
# 32 bytes unless said otherwise.

using Cxx = import "/capnp/c++.capnp";
using ModelVersionRef = import "models.capnp".ModelVersionRef;
$Cxx.namespace("soma::schema");

struct ModelEntry {
  # One version of a model, with all that is needed to find, decrypt, check and place it.
  ref @0 :ModelVersionRef;
  owner @1 :Data;               # address
  stakeShannons @2 :UInt64;
  activationOrder @3 :UInt64;   # among all versions that were ever activated, from 1
  weights @4 :Data;             # hash of the plain file
  key @5 :Data;                 # AES-256
  iv @6 :Data;                  # exactly 16 bytes
  sizeBytes @7 :UInt64;         # of the file, plain and encrypted
  root @8 :Data;                # Merkle root over the encrypted chunks
  embedding @9 :List(Float32);  # at most 16,384
}

struct RegistryDelta {
  # Takes a role that knows the registry at one version to another version.
  fromVersion @0 :UInt64;
  toVersion @1 :UInt64;
  snapshot @2 :Bool;               # replaces all that was known, so that `fromVersion` means nothing
  activated @3 :List(ModelEntry);  # a newer version of a model replaces the older one
  retired @4 :List(ModelVersionRef);
}

struct GetModels {
  # Asks for these versions, superseded ones too; an empty list asks for all that are active.
  refs @0 :List(ModelVersionRef);
}

struct Models {
  registryVersion @0 :UInt64;
  entries @1 :List(ModelEntry);  # in the order of the request, at most 4,096; unknown versions are left out
}
