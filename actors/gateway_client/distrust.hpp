// Why what a gateway says is not believed. The caller leaves a gateway that lies, shows the reason
// to the person and goes on with another gateway.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "messages/wire/role_messages.hpp"

namespace soma::gateway_client {

enum class distrust : std::uint8_t {
  // The gateway gave no answer. That is no lie.
  silent = 1,     // nothing came within the time limit, or the connection broke
  declined,       // it says that it does not have the answer: refusal::declined tells why
  not_itself,     // whoever answers there does not hold the key, or the certificate, of the gateway
  other_version,  // it speaks another version of the network's answers, or is no gateway

  // The answer cannot be right, whatever the ledger holds.
  too_large,     // more bytes than an answer of this type may have
  malformed,     // the bytes are not the message that was asked for
  other_answer,  // rows that were not asked for, or fewer, or out of order

  // The answer is not true, or nothing shows that it is.
  wrong_genesis,      // the genesis does not have the hash that names the network
  other_chain,        // a header belongs to another network
  missing_epochs,     // the epochs before the header are not shown, or not in order
  wrong_committee,    // a committee is not the one that the closing header names
  wrong_headers,      // the headers are not linked to the one that the certificate names
  bad_certificate,    // no quorum of the epoch's committee has signed it
  contradiction,      // another header of this height was proven before: quorums of two chains lied
  other_history,      // an epoch was closed by another block than the one that the person named
  wrong_root,         // the proof of a row does not lead to the state root of the header
  forged_row,         // the ledger has no such row, or the row has another value
  forged_absence,     // the ledger has such a row
  wrong_description,  // the hashes of the chunks are not those of the blob
  wrong_chunk,        // the bytes are not those of the blob
  stale,  // true once: the block is too old, or too far below one that was proven before

  // No gateway's fault.
  unsafe_gap,     // what is trusted is so old that its committee has nothing to lose any more
  kept_damaged,   // the kept state is not what was written
  other_network,  // the kept state belongs to another network
};
[[nodiscard]] std::string_view to_text(distrust reason);

/// Whether the gateway has said what no honest one says. A stale gateway may be honest and behind
/// its network; it is of no use all the same.
[[nodiscard]] bool is_lie(distrust reason);

/// Why a call gave no answer.
struct refusal {
  distrust reason{};
  std::string detail;  // printable ASCII for a person, at most 256 bytes; may be empty
  std::optional<schema::LedgerRefusal> declined;  // the gateway's own reason, when it gave one
};

/// One line for a person: "the gateway at https://a: the block is too old: its block is 300 s old".
[[nodiscard]] std::string describe(std::string_view gateway, const refusal& why);

}  // namespace soma::gateway_client
