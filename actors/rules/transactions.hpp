// One transaction, protocol §1.8. It is applied as a whole; or it pays the base fee and changes
// nothing else but the nonce of its sender; or it fails the first checks and changes nothing at
// all.
#pragma once

#include "actors/rules/block_run.hpp"

namespace soma::rules {

/// What a block says about one of its transactions before it is executed.
struct block_transaction {
  transaction_id id;
  std::optional<transaction> body;  // signature verified; absent when it could not be read
  std::uint64_t size_bytes = 0;     // body and signature
  refused known = std::nullopt;     // malformed or bad_signature, found by the caller
};

/// Reads and verifies a transaction as it lies in a block, protocol §1.6. The signature is not
/// checked again when the caller knows that it holds for this very body.
[[nodiscard]] block_transaction read_transaction(const signed_transaction& sent,
                                                 bool is_known_to_hold = false);

struct transaction_outcome {
  transaction_id id;
  refused reason = std::nullopt;  // nothing: applied
  shannons fee;                   // burned
  friend bool operator==(const transaction_outcome&, const transaction_outcome&) = default;
};

/// The first checks, protocol §1.7, in order: size, chain, account, nonce, expiry, base fee.
/// `account` may be nullptr. A duty that is free needs no balance.
[[nodiscard]] refused check_door(const transaction& t, std::uint64_t size_bytes,
                                 const chain_id& chain, epoch_number epoch,
                                 const account_row* account, shannons base_fee, bool free_of_fee);
/// What a member owes the network, and does free of fees when it is applied: votes, and onions for
/// its blocks. Protocol §2.3.
[[nodiscard]] bool is_duty(const transaction_kind& kind);
/// The checks of a duty's own rule, in the state as it is. What passes them is applied, for free.
[[nodiscard]] refused check_duty(const block_run& run, const address& sender,
                                 const transaction_kind& kind);
/// The amount from which the value fee is taken; zero for kinds that move none. Protocol §2.2.
[[nodiscard]] shannons moved_by(const transaction_kind& kind);

[[nodiscard]] transaction_outcome run_transaction(block_run& run, const chain_id& chain,
                                                  const block_transaction& t);

}  // namespace soma::rules
