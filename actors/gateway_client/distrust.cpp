#include "actors/gateway_client/distrust.hpp"

namespace soma::gateway_client {

std::string_view to_text(distrust reason) {
  switch (reason) {
    case distrust::silent:
      return "the gateway does not answer";
    case distrust::declined:
      return "the gateway does not have the answer";
    case distrust::not_itself:
      return "another server answers in the place of the gateway";
    case distrust::other_version:
      return "the gateway speaks another version of the network's answers";
    case distrust::too_large:
      return "the answer is larger than any answer may be";
    case distrust::malformed:
      return "the answer is not a message of the kind that was asked for";
    case distrust::other_answer:
      return "the answer has other rows than were asked for";
    case distrust::wrong_genesis:
      return "the genesis is not the one that the hash of the network names";
    case distrust::other_chain:
      return "the block belongs to another network";
    case distrust::missing_epochs:
      return "the gateway does not show how the epochs before the block ended";
    case distrust::wrong_committee:
      return "the committee is not the one that the last block of the epoch names";
    case distrust::wrong_headers:
      return "the headers do not lead to the block of the certificate";
    case distrust::bad_certificate:
      return "no quorum of the committee has signed the block";
    case distrust::contradiction:
      return "another block of this height was proven before";
    case distrust::other_history:
      return "an epoch was closed by another block than the one that is known";
    case distrust::wrong_root:
      return "the proof of a row does not lead to the state root of the block";
    case distrust::forged_row:
      return "the ledger does not have this row";
    case distrust::forged_absence:
      return "the ledger has the row that is said to be absent";
    case distrust::wrong_description:
      return "the hashes of the chunks are not those of the blob";
    case distrust::wrong_chunk:
      return "the bytes are not those of the blob";
    case distrust::stale:
      return "the block is too old";
    case distrust::unsafe_gap:
      return "what is trusted is older than the time for which a committee's stake is held";
    case distrust::kept_damaged:
      return "the kept state is damaged";
    case distrust::other_network:
      return "the kept state belongs to another network";
  }
  return "unknown";
}

bool is_lie(distrust reason) {
  return reason >= distrust::too_large && reason < distrust::stale;
}

std::string describe(std::string_view gateway, const refusal& why) {
  std::string text = "the gateway at ";
  text += gateway;
  // The detail is a sentence about the gateway already.
  if (why.reason == distrust::other_version) return text + ' ' + why.detail;
  text.append(": ").append(to_text(why.reason));
  return why.detail.empty() ? text : text + ": " + why.detail;
}

}  // namespace soma::gateway_client
