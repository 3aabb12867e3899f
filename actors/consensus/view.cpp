#include "actors/consensus/view.hpp"

#include <algorithm>
#include <utility>

#include "messages/values/assert.hpp"

namespace soma::consensus {
namespace {

constexpr std::size_t view_bytes = 640;  // an estimate, without votes and blocks
constexpr std::size_t vote_bytes = 160;

counted_vote contradiction(offence what, const member_vote& vote, vote_kind earlier_kind,
                           const block_id& earlier_block, const signature& earlier_signature) {
  const auto& now = vote.statement;
  return {nullptr, what, {earlier_kind, now.epoch, now.view, earlier_block}, earlier_signature};
}

}  // namespace

// ---- decisions of this process

bool view_state::may_notarize(const block_id& block) const {
  if (own_notarize_ || proposals_.empty()) return false;
  const auto& first = proposals_.front();
  return first.block->id == block && !first.refused;
}

bool view_state::may_skip() const {
  return !own_skip_ && !own_finalize_;
}

bool view_state::may_finalize() const {
  const auto* notarized = held(vote_kind::notarize);
  if (notarized == nullptr || own_notarize_ != notarized->statement.block) return false;
  return !own_finalize_ && !own_skip_;
}

void view_state::notarize(const block_id& block) {
  SOMA_ASSERT(may_notarize(block), "one block is notarized a view, the first that was proposed");
  own_notarize_ = block;
}

void view_state::skip() {
  SOMA_ASSERT(may_skip(), "a view is skipped once, and never after it was finalized");
  own_skip_ = true;
}

void view_state::finalize() {
  SOMA_ASSERT(may_finalize(), "what is finalized was notarized, and its view not skipped");
  own_finalize_ = held(vote_kind::notarize)->statement.block;
}

void view_state::propose(const block_ptr& block, std::optional<certificate> parent) {
  SOMA_ASSERT(!proposed_, "one block is proposed a view");
  proposed_ = own_proposal{block->id, false, std::move(parent)};
  proposals_.push_back({block});
}

void view_state::set_proposal_durable() {
  SOMA_ASSERT(proposed_, "what became durable was proposed");
  proposed_->durable = true;
}

void view_state::recall(vote_kind kind, const block_id& block) {
  switch (kind) {
    case vote_kind::notarize:
      SOMA_ASSERT(!own_notarize_, "a record holds one vote of a kind for a view");
      own_notarize_ = block;
      break;
    case vote_kind::skip:
      own_skip_ = true;
      break;
    case vote_kind::finalize:
      SOMA_ASSERT(!own_finalize_, "a record holds one vote of a kind for a view");
      own_finalize_ = block;
      break;
  }
}

void view_state::recall_proposal(const block_id& id, const block_ptr& block) {
  SOMA_ASSERT(!proposed_, "a record holds one proposal for a view");
  SOMA_ASSERT(block == nullptr || block->id == id, "a block is kept under its id");
  proposed_ = own_proposal{id, true, std::nullopt};
  if (block != nullptr) proposals_.push_back({block});
}

bool view_state::has_said(vote_kind kind, const block_id& block) const {
  switch (kind) {
    case vote_kind::notarize:
      return own_notarize_ == block;
    case vote_kind::finalize:
      return own_finalize_ == block;
    case vote_kind::skip:
      return own_skip_;
  }
  return false;
}

// ---- votes of members

counted_vote view_state::count(const member_vote& vote, voting_power power) {
  SOMA_ASSERT(power.value > 0, "members have power");
  const auto& block = vote.statement.block;
  const auto who = vote.signer;
  if (vote.statement.kind == vote_kind::skip) {
    if (const auto first = first_finalize_.find(who); first != first_finalize_.end()) {
      return contradiction(offence::skip_and_finalize, vote, vote_kind::finalize,
                           first->second.block, first->second.by_signer);
    }
    return count_in(skip_, vote, power);
  }
  if (vote.statement.kind == vote_kind::notarize) {
    const auto [first, is_new] =
        first_notarize_.try_emplace(who, first_vote{block, vote.by_signer});
    if (is_new) return count_in(notarize_[block], vote, power);
    if (first->second.block == block) return {};
    return contradiction(offence::two_notarize, vote, vote_kind::notarize, first->second.block,
                         first->second.by_signer);
  }
  if (const auto skipped = skip_.signatures.find(who); skipped != skip_.signatures.end()) {
    return contradiction(offence::skip_and_finalize, vote, vote_kind::skip, {}, skipped->second);
  }
  const auto [first, is_new] = first_finalize_.try_emplace(who, first_vote{block, vote.by_signer});
  if (is_new) return count_in(finalize_[block], vote, power);
  if (first->second.block == block) return {};
  return contradiction(offence::two_finalize, vote, vote_kind::finalize, first->second.block,
                       first->second.by_signer);
}

counted_vote view_state::count_in(vote_tally& tally, const member_vote& vote, voting_power power) {
  if (tally.signers.has(vote.signer)) return {};
  tally.signers.add(vote.signer);
  tally.signatures.emplace(vote.signer, vote.by_signer);
  tally.power += power;
  SOMA_ASSERT(tally.signers.count() == tally.signatures.size(), "a signature for each signer");
  return {&tally, std::nullopt, {}, {}};
}

bool view_state::has_counted(const member_vote& vote) const {
  if (vote.statement.kind == vote_kind::skip) return skip_.signers.has(vote.signer);
  const auto& first_of =
      vote.statement.kind == vote_kind::notarize ? first_notarize_ : first_finalize_;
  const auto first = first_of.find(vote.signer);
  return first != first_of.end() && first->second.block == vote.statement.block;
}

bool view_state::has_notarized(seat_index member) const {
  return first_notarize_.contains(member);
}

std::vector<heard_vote> view_state::votes_of(seat_index member) const {
  std::vector<heard_vote> all;
  if (const auto first = first_notarize_.find(member); first != first_notarize_.end()) {
    all.push_back({vote_kind::notarize, first->second.block, first->second.by_signer});
  }
  if (const auto first = first_finalize_.find(member); first != first_finalize_.end()) {
    all.push_back({vote_kind::finalize, first->second.block, first->second.by_signer});
  }
  if (const auto skipped = skip_.signatures.find(member); skipped != skip_.signatures.end()) {
    all.push_back({vote_kind::skip, {}, skipped->second});
  }
  return all;
}

const vote_tally* view_state::tally(vote_kind kind, const block_id& block) const {
  if (kind == vote_kind::skip) return &skip_;
  const auto& of_kind = kind == vote_kind::finalize ? finalize_ : notarize_;
  const auto found = of_kind.find(block);
  return found == of_kind.end() ? nullptr : &found->second;
}

bool view_state::accuse(seat_index member, offence what) {
  return accused_.insert({member, what}).second;
}

// ---- certificates

const certificate* view_state::held(vote_kind kind) const {
  const auto found = certificates_.find(kind);
  return found == certificates_.end() ? nullptr : &found->second;
}

void view_state::keep(const certificate& c) {
  const bool is_new = certificates_.emplace(c.statement.kind, c).second;
  SOMA_ASSERT(is_new, "one certificate of a kind is kept");
}

// ---- proposals of the leader

bool view_state::has_seen(const block_id& proposal) const {
  return std::ranges::any_of(proposals_, [&](const auto& p) { return p.block->id == proposal; });
}

void view_state::add_proposal(const block_ptr& block, bool refused) {
  SOMA_ASSERT(proposals_.size() < 2, "the second proposal is evidence, more are of no use");
  SOMA_ASSERT(!has_seen(block->id), "a proposal is added once");
  proposals_.push_back({block, refused});
}

void view_state::refuse(const block_id& proposal) {
  const auto found =
      std::ranges::find_if(proposals_, [&](const auto& p) { return p.block->id == proposal; });
  SOMA_ASSERT(found != proposals_.end(), "what is refused was proposed");
  found->refused = true;
}

// ---- memory

std::vector<block_id> view_state::forget_votes() {
  SOMA_ASSERT(held(vote_kind::skip) != nullptr, "only of a view that was skipped");
  skip_ = {};
  if (held(vote_kind::notarize) != nullptr) return {};
  notarize_.clear();
  first_notarize_.clear();
  finalize_.clear();
  first_finalize_.clear();
  std::vector<block_id> of_no_use;
  for (const auto& p : proposals_) {
    if (p.block->id != own_notarize_) of_no_use.push_back(p.block->id);
  }
  proposals_.clear();
  return of_no_use;
}

std::size_t view_state::held_bytes() const {
  auto votes = first_notarize_.size() + first_finalize_.size() + skip_.signatures.size();
  for (const auto& [kind, c] : certificates_) votes += c.signatures.size();
  std::size_t total = view_bytes + votes * vote_bytes;
  for (const auto& p : proposals_) total += held_bytes_of(p.block->block);
  return total;
}

}  // namespace soma::consensus
