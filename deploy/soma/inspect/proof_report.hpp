// What a proof of a row says, for people.
#pragma once

#include "messages/values/proofs.hpp"

namespace soma::cli {

/// Prints the facts of a proof as a table to stdout.
void print_proof(const proven_row& proven);

}  // namespace soma::cli
