#include "actors/simulation/safety_checker.hpp"

#include <algorithm>

#include "messages/signing/signing.hpp"

namespace soma::simulation {
namespace {

using consensus::quorum;

std::string number(std::uint64_t n) {
  return std::to_string(n);
}

bool covers(const signer_set& all, const signer_set& some) {
  return std::ranges::all_of(some.members(), [&](auto member) { return all.has(member); });
}

std::string of_node(std::uint32_t node_index) {
  return " (node " + number(node_index) + ")";
}

}  // namespace

std::string to_text(const vote_statement& vote) {
  const char* kind = vote.kind == vote_kind::notarize ? "notarize"
                     : vote.kind == vote_kind::skip   ? "skip"
                                                      : "finalize";
  return std::string(kind) + " " + number(vote.epoch.value) + "." + number(vote.view.value) +
         (vote.kind == vote_kind::skip ? std::string{} : " " + vote.block.short_text());
}

safety_checker::safety_checker(const fault_plan& p, const keyring& keys, const toy_chain& chain)
    : keys_(keys), beyond_(p.beyond_tolerance), tip_state_(chain.genesis()) {
  committees_.emplace_back(keys.chain(), epoch_number{0}, tip_state_->seats,
                           keys.chain().as<hash_tag>());
}

void safety_checker::fail(std::string violation) {
  if (!violation_) violation_ = std::move(violation);
}

void safety_checker::fail_unless_beyond(std::string violation) {
  if (!beyond_) fail(std::move(violation));
}

const safety_checker::view_votes* safety_checker::find(const epoch_and_view& where) const {
  const auto it = views_.find(where);
  return it == views_.end() ? nullptr : &it->second;
}

const safety_checker::tally* safety_checker::tally_of(const vote_statement& statement) const {
  const auto* all = find({statement.epoch.value, statement.view});
  if (all == nullptr) return nullptr;
  const auto it = std::ranges::find(all->tallies, statement, &tally::statement);
  return it == all->tallies.end() ? nullptr : &*it;
}

bool safety_checker::has_quorum(vote_kind kind, std::uint64_t epoch, view_number view,
                                const block_id& block) const {
  const auto* t = tally_of({kind, {epoch}, view, block});
  return t != nullptr && t->power >= quorum;
}

void safety_checker::vote_exists(const public_key& key, const vote_statement& vote, bool correct) {
  auto& all = views_[{vote.epoch.value, vote.view}];
  const said now{key, vote};
  for (const auto& before : all.votes) {
    if (before.key == key && before.statement == vote) return;
  }
  auto& last = last_epochs_[key];
  last = std::max(last, vote.epoch.value);
  if (correct) check_own(now, all);
  all.votes.push_back(now);
  count(now, all);
}

void safety_checker::check_own(const said& vote, const view_votes& all) {
  for (const auto& before : all.votes) {
    if (before.key != vote.key) continue;
    const auto same_kind = before.statement.kind == vote.statement.kind;
    const auto contrary = !same_kind && before.statement.kind != vote_kind::notarize &&
                          vote.statement.kind != vote_kind::notarize;
    if (same_kind || contrary) {
      fail("S2: a correct key said " + to_text(before.statement) + " and " +
           to_text(vote.statement));
    }
  }
  auto notarized = vote;
  notarized.statement.kind = vote_kind::notarize;
  if (vote.statement.kind == vote_kind::finalize &&
      std::ranges::find(all.votes, notarized) == all.votes.end()) {
    fail("R7: a correct key said " + to_text(vote.statement) + " and did not notarize it");
  }
}

void safety_checker::count(const said& vote, view_votes& all) {
  const auto* committee = members(vote.statement.epoch.value);
  const auto seat = committee == nullptr ? std::nullopt : committee->seat_of(vote.key);
  if (!seat) return;
  auto it = std::ranges::find(all.tallies, vote.statement, &tally::statement);
  if (it == all.tallies.end()) {
    all.tallies.push_back({vote.statement, 0, {}});
    it = all.tallies.end() - 1;
  }
  const auto before = it->power;
  it->signers.add(*seat);
  it->power += committee->power_of(*seat);
  if (before < quorum && it->power >= quorum) check_quorum(*it, all);
}

void safety_checker::check_quorum(const tally& full, const view_votes& all) {
  for (const auto& other : all.tallies) {
    if (other.power < quorum || other.statement == full.statement) continue;
    const auto same_kind = other.statement.kind == full.statement.kind;
    const auto one_notarizes =
        other.statement.kind == vote_kind::notarize || full.statement.kind == vote_kind::notarize;
    if (same_kind || !one_notarizes) {
      fail_unless_beyond("S3: quorums for " + to_text(other.statement) + " and for " +
                         to_text(full.statement));
    }
  }
  if (full.statement.kind == vote_kind::skip) ++views_skipped_;
  if (full.statement.kind == vote_kind::finalize &&
      !has_quorum(vote_kind::notarize, full.statement.epoch.value, full.statement.view,
                  full.statement.block)) {
    fail_unless_beyond("S3: a quorum for " + to_text(full.statement) + ", none to notarize it");
  }
}

bool safety_checker::is_known(const public_key& key, const vote_statement& vote) const {
  const auto* all = find({vote.epoch.value, vote.view});
  return all != nullptr && std::ranges::any_of(all->votes, [&](const said& s) {
           return s.key == key && s.statement == vote;
         });
}

void safety_checker::proposal_exists(const public_key& key, std::uint64_t epoch, view_number view,
                                     const block_id& block) {
  const auto [it, is_new] = proposals_.emplace(std::pair{key, epoch_and_view{epoch, view}}, block);
  if (!is_new && it->second != block) {
    fail("S2: a correct leader proposed two blocks in view " + number(epoch) + "." +
         number(view.value));
  }
}

void safety_checker::check_sent_vote(std::uint32_t node_index, const public_key& key,
                                     const vote_statement& vote) {
  if (!is_known(key, vote)) {
    fail("S4: " + to_text(vote) + " left before it was durable" + of_node(node_index));
  }
}

void safety_checker::check_sent_proposal(std::uint32_t node_index, const public_key& key,
                                         const identified_block& b) {
  const auto& header = b.block.header;
  const auto it = proposals_.find({key, epoch_and_view{header.epoch.value, header.view}});
  if (it == proposals_.end() || it->second != b.id) {
    fail("S4: proposal " + b.id.short_text() + " left before it was durable" + of_node(node_index));
  }
}

void safety_checker::check_certificate(std::uint32_t node_index, const certificate& c) {
  const auto* t = tally_of(c.statement);
  if (t == nullptr || !covers(t->signers, c.signers)) {
    fail("S4: a certificate for " + to_text(c.statement) + " holds votes that were never cast" +
         of_node(node_index));
  } else if (members(c.statement.epoch.value)->power_of(c.signers) < quorum) {
    fail("S4: a certificate for " + to_text(c.statement) + " without a quorum" +
         of_node(node_index));
  }
}

std::optional<std::uint64_t> safety_checker::last_epoch_of(const public_key& key) const {
  const auto it = last_epochs_.find(key);
  return it == last_epochs_.end() ? std::nullopt : std::optional(it->second);
}

void safety_checker::finalized(std::uint32_t node_index, std::uint64_t height,
                               const consensus::final_block& b, const executed_ptr& executed) {
  const auto& header = b.block->block.header;
  if (header.height.value != height) {
    return fail("S1: block " + number(header.height.value) + " at height " + number(height) +
                of_node(node_index));
  }
  if (executed == nullptr || executed->state == nullptr) {
    return fail("S1: block " + number(height) + " is final but was not executed" +
                of_node(node_index));
  }
  if (executed->result.root != header.state_root) {
    return fail("S1: block " + number(height) + " has another state root" + of_node(node_index));
  }
  if (header.payload_root !=
      signing::payload_root(b.block->block.payload, b.block->block.parent_signers)) {
    return fail("S1: block " + number(height) + " has another payload" + of_node(node_index));
  }
  if ((header.flags & block_is_filler) != 0) {
    return fail("E2: a filler in the ledger" + of_node(node_index));
  }
  check_proof(node_index, b);
  if (height <= chain_.size()) {
    if (chain_[height - 1]->id != b.block->id) {
      fail("S1: two final blocks at height " + number(height) + ": " +
           chain_[height - 1]->id.short_text() + " and " + b.block->id.short_text() +
           of_node(node_index));
    }
    return;
  }
  check_first_seen(b);
  chain_.push_back(b.block);
  tip_state_ = executed->state;
  if (!executed->result.closes_epoch) return;
  const auto epoch = committees_.size();
  committees_.emplace_back(keys_.chain(), epoch_number{epoch}, executed->result.next_committee,
                           executed->state->leader_seed);
  // Nodes that are ahead of the ledgers may have voted in the new epoch already; those votes count
  // now.
  for (auto it = views_.lower_bound({epoch, view_number{}}); it != views_.end(); ++it) {
    const auto votes = it->second.votes;
    for (const auto& vote : votes) count(vote, it->second);
  }
}

void safety_checker::check_first_seen(const consensus::final_block& b) {
  const auto& header = b.block->block.header;
  const auto epoch = header.epoch.value;
  const auto* committee = members(epoch);
  const auto where = number(epoch) + "." + number(header.view.value);
  if (committee == nullptr || epoch + 1 != committees_.size()) {
    return fail("S8: a final block of epoch " + number(epoch) + ", out of order");
  }
  const auto leader = committee->leader(header.view);
  if (header.proposer != leader ||
      keys_.sign_block(committee->key_of(leader), b.block->id) != b.block->block.by_proposer) {
    fail("S7: the final block of view " + where + " is not its leader's");
  }
  if (header.time_ms <= tip_state_->time_ms) {
    fail_unless_beyond("R13: the final block of view " + where + " is not later than its parent");
  }
  for (auto view = header.parent_view.next(); view < header.view; ++view) {
    if (!has_quorum(vote_kind::skip, epoch, view, {})) {
      return fail_unless_beyond("S7: view " + number(view.value) + " below the final one of " +
                                where + " was not skipped");
    }
  }
  if (!has_quorum(vote_kind::notarize, epoch, header.view, b.block->id)) {
    fail_unless_beyond("S3: the final block of view " + where + " was not notarized");
  }
}

void safety_checker::check_proof(std::uint32_t node_index, const consensus::final_block& b) {
  const auto closes = (b.block->block.header.flags & block_closes_epoch) != 0;
  if (closes != b.epoch_end.has_value()) {
    return fail("S8: a closing block without its epoch's end, or the reverse" +
                of_node(node_index));
  }
  if (b.final) {
    check_certificate(node_index, *b.final);
    if (b.final->statement.block != b.block->id || b.final->statement.kind != vote_kind::finalize) {
      fail("S1: a final block with a certificate for something else" + of_node(node_index));
    }
  }
  if (!b.epoch_end) return;
  check_certificate(node_index, b.epoch_end->final);
  if (b.epoch_end->headers.empty() || signing::id_of(b.epoch_end->headers.front()) != b.block->id ||
      signing::id_of(b.epoch_end->headers.back()) != b.epoch_end->final.statement.block) {
    fail("E3: the proof of an epoch's end proves something else" + of_node(node_index));
  }
}

}  // namespace soma::simulation
