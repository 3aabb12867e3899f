@0xc525f76575d9a104;

# The submitter: it finds data for open targets, scores it, claims and reveals.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("soma::schema");

struct GetSubmitterStatus {
}

struct SubmitterStatus {
  # Counts since it was started.
  scored @0 :UInt64;       # pieces of data
  claimed @1 :UInt64;      # claims that a validator took in
  revealed @2 :UInt64;     # reveals that a validator took in
  refused @3 :UInt64;      # transactions of either kind that a validator did not take in
}
