@0x952b8983223e01f4;

# The trainer: it improves one model, then publishes it by commit and reveal.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("soma::schema");

struct Train {
  # Trains the trainer's model for the steps that it was set up with, and publishes it. Answered at once.
}

struct GetTrainerStatus {
}

enum TrainerStage {
  idle @0;
  training @1;
  committing @2;           # the weights are trained; the commitment is not in the mempool yet
  committed @3;            # waits for the epoch of the reveal
  revealing @4;            # the reveal is sent; whether it stands is not known yet
  published @5;
  failed @6;
}

struct TrainerStatus {
  stage @0 :TrainerStage;
  model @1 :Data;          # 32 bytes; zero until the commitment was sent
  why @2 :Text;            # of a failure, for a person; at most 1 KiB
}
