// A stored chain of one validator, made by the real rules, with real certificates and proofs of
// epochs, and the state tree beside it. An epoch takes a minute.
#pragma once

#include "messages/values/votes.hpp"
#include "storage/tables/ledger_store.hpp"
#include "tests/actors/replay/honest_proposer.hpp"
#include "tests/support/scratch.hpp"

namespace soma::test {

class proven_chain {
 public:
  explicit proven_chain(std::uint64_t start_ms = 1'000'000)
      : proposer(start_ms),
        store(folder_.path() / "ledger", {.map_bytes = std::size_t{1} << 28, .sync = false}) {
    const auto first = rules::genesis_rows(proposer.genesis);
    store.init(encode(proposer.genesis), first);
    tree.apply(first);
  }

  [[nodiscard]] chain_id chain() const { return signing::chain_id_of(proposer.genesis); }
  [[nodiscard]] const soma::genesis& genesis() const { return proposer.genesis; }

  [[nodiscard]] certificate certify(const block_header& header,
                                    std::uint64_t key = honest_proposer::key_seed) const {
    certificate made;
    made.statement = {vote_kind::finalize, header.epoch, header.view, signing::id_of(header)};
    made.signers.add({0});
    made.signatures.push_back(signing::sign_vote(key_of(key), chain(), made.statement));
    return made;
  }

  /// Commits a block. The end of an epoch is always proven; with fillers the closing block has no
  /// certificate of its own.
  const block_header& grow(std::uint64_t wait_ms, std::vector<signed_transaction> payload = {},
                           bool certified = true, std::size_t fillers = 0) {
    const auto made = proposer.next(wait_ms, std::move(payload));
    const auto& done = proposer.result();
    std::optional<epoch_proof> end;
    if (done.epoch_closed) end = end_of(made.header, done.next_committee, fillers);
    const bool has_own = certified && fillers == 0;
    store.commit_block(made, done.changes, done.events,
                       has_own ? std::optional(certify(made.header)) : std::nullopt, end);
    tree.apply(done.changes);
    headers.push_back(made.header);
    return headers.back();
  }
  const block_header& pay(std::uint64_t amount, bool certified = true) {
    return grow(1'000, {proposer.transfer(amount)}, certified);
  }
  const block_header& close_epoch(std::size_t fillers = 0) {
    return grow(60'000, {}, true, fillers);
  }

 private:
  scratch_directory folder_;

  [[nodiscard]] epoch_proof end_of(const block_header& closing,
                                   const std::vector<committee_seat>& next,
                                   std::size_t fillers) const {
    epoch_proof end{{closing}, {}, next};
    for (std::size_t i = 0; i < fillers; ++i) {
      auto filler = closing;
      filler.parent = signing::id_of(end.headers.back());
      filler.parent_view = end.headers.back().view;
      filler.view = end.headers.back().view.next();
      filler.flags = block_is_filler;
      filler.transactions = filler.payload_bytes = 0;
      end.headers.push_back(filler);
    }
    end.final = certify(end.headers.back());
    return end;
  }

 public:
  honest_proposer proposer;
  tables::ledger_store store;
  state_tree::tree tree;
  std::vector<block_header> headers;  // of heights 1, 2, …
};

}  // namespace soma::test
