#include "actors/public_answers/history.hpp"

#include "messages/codec/codec_consensus.hpp"

namespace soma::public_answers {
namespace {

using enum ledger_refusal;

/// Encoded values, as many as fit, but at least one.
class bounded_list {
 public:
  bounded_list(std::size_t most, std::size_t most_bytes) : most_(most), most_bytes_(most_bytes) {}

  /// Returns false, and does not take the value, when it does not fit.
  bool add(bytes value) {
    if (!all_.empty() && (all_.size() == most_ || size_ + value.size() > most_bytes_)) return false;
    size_ += value.size();
    all_.push_back(std::move(value));
    return true;
  }
  [[nodiscard]] bool full() const { return all_.size() >= most_; }
  [[nodiscard]] const std::vector<bytes>& all() const { return all_; }

 private:
  std::size_t most_, most_bytes_;
  std::size_t size_ = 0;
  std::vector<bytes> all_;
};

template <class List>
void fill(List to, const std::vector<bytes>& from) {
  for (unsigned i = 0; i < from.size(); ++i) to.set(i, data_of(from[i]));
}

}  // namespace

message<schema::EpochProofs> epoch_proofs_answer(const tables::ledger_view& ledger,
                                                 schema::GetEpochProofs::Reader asked) {
  using answer = schema::EpochProofs;
  if (asked.getMost() == 0) return refused<answer>(too_few);
  if (asked.getMost() > max_epoch_proofs) return refused<answer>(too_many);
  const auto tip = ledger.chain();
  if (!tip || asked.getFrom() >= tip->epoch.value) return refused<answer>(not_there_yet);
  bounded_list proofs(asked.getMost(), max_epoch_proofs_bytes);
  for (epoch_number at{asked.getFrom()}; at < tip->epoch && !proofs.full(); at = at.next()) {
    const auto end = ledger.epoch_end(at);
    if (!end || !proofs.add(encode(*end))) break;
  }
  if (proofs.all().empty()) return refused<answer>(not_kept);
  return message<answer>::build([&](auto out) {
    fill(out.initProofs(static_cast<unsigned>(proofs.all().size())), proofs.all());
    out.setEpoch(tip->epoch.value);
  });
}

message<schema::FinalBlocks> blocks_answer(const tables::ledger_view& ledger,
                                           schema::GetBlocks::Reader asked) {
  using answer = schema::FinalBlocks;
  if (asked.getMost() == 0) return refused<answer>(too_few);
  if (asked.getMost() > max_answered_blocks || asked.getMostBytes() > max_answered_blocks_bytes) {
    return refused<answer>(too_many);
  }
  const auto newest = ledger.height();
  const auto first = ledger.first_block();
  if (asked.getFrom() > newest.value) return refused<answer>(not_there_yet);
  if (!first || asked.getFrom() < first->value) return refused<answer>(not_kept);
  bounded_list blocks(asked.getMost(), asked.getMostBytes());
  for (block_height at{asked.getFrom()}; at <= newest && !blocks.full(); at = at.next()) {
    if (!blocks.add(ledger.block_bytes_at(at).value())) break;
  }
  return message<answer>::build([&](auto out) {
    fill(out.initBlocks(static_cast<unsigned>(blocks.all().size())), blocks.all());
    out.setHeight(newest.value);
  });
}

}  // namespace soma::public_answers
