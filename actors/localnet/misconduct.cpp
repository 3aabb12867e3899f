#include "actors/localnet/misconduct.hpp"

#include <algorithm>
#include <optional>

#include "messages/codec/codec.hpp"
#include "messages/codec/model_entry.hpp"

namespace soma::localnet {
namespace {

class wrong_loss final : public submitter::claim_policy {
  submitter::claimed_score claim_of(schema::ScoreReport::Reader report) const override {
    auto claimed = submitter::claim_policy::claim_of(report);
    claimed.loss *= 0.5f;
    return claimed;
  }
};

class wrong_winner final : public submitter::claim_policy {
  submitter::claimed_score claim_of(schema::ScoreReport::Reader report) const override {
    const auto other = (report.getWinner() + 1) % report.getResults().size();
    return {other, report.getResults()[other].getLoss()};
  }
};

class never_reveals final : public submitter::claim_policy {
  bool reveals() const override { return false; }
};

/// Copies the claim of another submitter, with its commitment, for a target that is still open. It
/// can never reveal, because the commitment contains the address of its sender.
class copies_claims final : public submitter::claim_policy {
 public:
  submitter::round_plan plan(const submitter::round_view& view,
                             crypto::random_source& random) override {
    if (copied_ && !view.fresh.empty()) return claim_for(view, random);
    submitter::read_rows closed;
    for (const auto& target : last_open_) {
      if (!view.open.contains(target)) closed.keys.push_back(submission_key(target));
    }
    last_open_ = view.open;
    return closed;
  }
  void learn(byte_view value) override {
    if (auto submission = decode<submission_row>(value)) copied_ = std::move(*submission);
  }

 private:
  submitter::ready_claim claim_for(const submitter::round_view& view,
                                   crypto::random_source& random) {
    const auto& target = view.fresh.front();
    submitter::ready_claim ready;
    ready.claim.target = id_or_zero<target_id>(target.getId());
    ready.claim.winner = ref_of(target.getAssigned()[0]);
    ready.claim.loss_bits = copied_->loss_bits;
    ready.claim.distance_q30 = std::min(copied_->distance_q30, target.getRadiusQ30());
    ready.claim.size_bytes = copied_->size_bytes;
    ready.claim.commitment = copied_->commitment;
    ready.pending = {
        random.next_id<hash256>(), copied_->data, copied_->blob, {}, false, view.epoch};
    copied_.reset();
    return ready;
  }

  std::set<target_id> last_open_;  // the targets that were open at the last poll
  std::optional<submission_row> copied_;
};

}  // namespace

const char* to_text(misconduct kind) {
  switch (kind) {
    case misconduct::none:
      return "honest";
    case misconduct::wrong_loss:
      return "claims a better loss";
    case misconduct::wrong_winner:
      return "names another winner";
    case misconduct::never_reveals:
      return "never reveals";
    case misconduct::copies_claims:
      return "copies claims";
  }
  return "unknown";
}

std::shared_ptr<submitter::claim_policy> policy_of(misconduct kind) {
  switch (kind) {
    case misconduct::none:
      break;
    case misconduct::wrong_loss:
      return std::make_shared<wrong_loss>();
    case misconduct::wrong_winner:
      return std::make_shared<wrong_winner>();
    case misconduct::never_reveals:
      return std::make_shared<never_reveals>();
    case misconduct::copies_claims:
      return std::make_shared<copies_claims>();
  }
  return std::make_shared<submitter::claim_policy>();
}

}  // namespace soma::localnet
