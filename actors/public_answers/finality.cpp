#include "actors/public_answers/finality.hpp"

#include "messages/codec/codec_consensus.hpp"

namespace soma::public_answers {
namespace {

using enum ledger_refusal;

/// A ledger that was taken over from a snapshot knows how the epochs before it ended, but does not
/// have their blocks.
expected<finality, ledger_refusal> without_block(const tables::ledger_view& ledger,
                                                 const chain_row& tip, block_height height) {
  for (std::uint64_t back = 1; back <= 2 && back <= tip.epoch.value; ++back) {
    auto end = ledger.epoch_end({tip.epoch.value - back});
    if (end && end->headers.front().height == height) {
      return finality{std::move(end->headers), std::move(end->final)};
    }
  }
  return make_unexpected(not_kept);
}

}  // namespace

expected<finality, ledger_refusal> finality_of(const tables::ledger_view& ledger,
                                               block_height height) {
  const auto tip = ledger.chain();
  if (!tip || tip->height.value == 0) return make_unexpected(no_block_yet);
  if (height > tip->height) return make_unexpected(not_there_yet);
  const auto block = ledger.block_at(height);
  if (!block) return without_block(ledger, *tip, height);
  if (auto own = ledger.final_at(height)) return finality{{block->header}, std::move(*own)};

  const auto epoch = block->header.epoch;
  const auto closing = ledger.closing_height(epoch);
  auto proven = ledger.next_final(height);
  if (proven && closing && *proven > *closing) proven.reset();
  auto end = !proven && closing ? ledger.epoch_end(epoch) : std::nullopt;
  if (end) proven = closing;
  if (!proven) return make_unexpected(closing ? not_provable : not_final_yet);
  if (proven->value - height.value >= max_linked_blocks) return make_unexpected(not_provable);

  finality proof{{block->header}, {}};
  for (auto at = height.next(); at <= *proven; at = at.next()) {
    proof.headers.push_back(ledger.block_at(at).value().header);
  }
  if (end) {
    // The proof of the epoch's end begins with the closing block, which is there already.
    proof.headers.insert(proof.headers.end(), end->headers.begin() + 1, end->headers.end());
    if (proof.headers.size() > max_proof_headers) return make_unexpected(not_provable);
    proof.final = std::move(end->final);
  } else {
    proof.final = ledger.final_at(*proven).value();
  }
  return proof;
}

void fill(schema::Finality::Builder out, const finality& proof) {
  SOMA_ASSERT(!proof.headers.empty() && proof.headers.size() <= max_proof_headers,
              "as many headers as a light client takes");
  bytes headers;
  headers.reserve(proof.headers.size() * header_layout_bytes);
  for (const auto& header : proof.headers) {
    const auto layout = header_layout(header);
    headers.insert(headers.end(), layout.begin(), layout.end());
  }
  out.setHeaders(data_of(headers));
  const auto certificate = encode(proof.final);
  out.setCertificate(data_of(certificate));
}

message<schema::FinalityAnswer> finality_answer(const tables::ledger_view& ledger,
                                                schema::GetFinality::Reader asked) {
  const auto proof = finality_of(ledger, {asked.getHeight()});
  if (!proof) return refused<schema::FinalityAnswer>(proof.error());
  return message<schema::FinalityAnswer>::build([&](auto out) {
    fill(out.initFinality(), *proof);
    out.setHeight(ledger.height().value);
  });
}

}  // namespace soma::public_answers
