#include "actors/public_answers/refusal.hpp"

namespace soma::public_answers {

std::string_view to_text(ledger_refusal reason) {
  switch (reason) {
    case ledger_refusal::bad_key:
      return "a key or a prefix has 1 to 96 bytes, and keys and a prefix do not go together";
    case ledger_refusal::too_many:
      return "one question may not ask for so many";
    case ledger_refusal::too_few:
      return "nothing is asked for";
    case ledger_refusal::bad_filter:
      return "the id in a filter has exactly 32 bytes";
    case ledger_refusal::no_block_yet:
      return "the chain has no block yet, and only a block's header contains a state root";
    case ledger_refusal::not_final_yet:
      return "what proves that this block is final has not come yet; ask again in a moment";
    case ledger_refusal::not_kept:
      return "this node does not keep anything so old; ask another one";
    case ledger_refusal::not_there_yet:
      return "this node has nothing so new yet";
    case ledger_refusal::not_provable:
      return "nothing that this node keeps proves by itself that this block is final";
    case ledger_refusal::bad_name:
      return "name an epoch by its number, or a target, model or address by 0x and at least its "
             "first 8 hex digits";
    case ledger_refusal::unknown:
      return "the ledger has no target, model or address that begins with these digits";
    case ledger_refusal::ambiguous:
      return "more than one id begins with these digits: write more of them";
  }
  return "unknown";
}

}  // namespace soma::public_answers
