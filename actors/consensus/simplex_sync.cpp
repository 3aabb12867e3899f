// Asks peers for missing blocks and certificates (R11), and answers peers that miss something. A
// peer's claim decides only which peer is asked; only certificates prove anything.
#include <algorithm>

#include "actors/consensus/certificates.hpp"
#include "actors/consensus/simplex_core.hpp"
#include "messages/signing/signing.hpp"
#include "messages/values/assert.hpp"

namespace soma::consensus {
namespace {

std::size_t size_of(const certificate& c) {
  return 80 + 64 * c.signatures.size();
}

}  // namespace

/// Sends the position of this process.
void simplex::core::send_hello(const std::vector<peer_number>& to) {
  tell(to, peer::hello{base.chain, base.epoch, base.height, cur, latest_epoch(),
                       signing.has_lost_record()});
}

/// R0. The latest epoch that can have begun with the votes of this key. A peer that has lost its
/// record asks for it.
epoch_number simplex::core::latest_epoch() const {
  if (signing.has_lost_record()) return {UINT64_MAX};
  if (signing.is_behind_record()) return signing.record_epoch()->next();
  const auto votes_for_end = [&](const auto& view) {
    const auto& finalized = view.second.own_finalize();
    return finalized && (known(*finalized) == nullptr || ends_epoch(*finalized));
  };
  return std::any_of(views.begin(), views.end(), votes_for_end) ? base.epoch.next() : base.epoch;
}

/// R0, R11. Notes the position of a peer. While the own record is lost, the hello also says whether
/// the peer can have voted for the end of this epoch.
void simplex::core::on_hello(peer_number from, const peer::hello& h) {
  if (h.chain != base.chain) {
    out.push_back(blame{from, "it belongs to another chain"});
    return;
  }
  if (h.epoch > base.epoch || h.height > base.height) want_from(from);
  if (signing.has_lost_record() && h.latest_epoch <= base.epoch) {
    const auto who = members.seat_of(keys[from]);
    if (who && who != seat) still_here.insert(*who);
  }
  if (h.asks && may_ask(from)) {
    tell({from}, peer::hello{base.chain, base.epoch, base.height, cur, latest_epoch(), false});
  }
}

/// Bounds the cost of a peer's requests: max_requests_per_s of them are answered (security §8.4).
bool simplex::core::may_ask(peer_number who) {
  auto& [second, count] = served[who];
  if (std::exchange(second, now_ms / 1'000) != now_ms / 1'000) count = 0;
  return ++count <= max_requests_per_s;
}

/// E4. Answers a message of an older epoch, once a second for each peer: with the proof of that
/// epoch's end if it is the last one, or else with a hello, which shows the peer that it is behind.
void simplex::core::answer_older_epoch(peer_number to, epoch_number theirs) {
  const auto second = now_ms / 1'000;
  const auto [told, is_new] = answered_second.try_emplace(to, second);
  if (!is_new && told->second == second) return;
  told->second = second;
  if (last_proof && last_proof->first == theirs) {
    tell({to}, peer::epoch_over{theirs, last_proof->second});
  } else {
    send_hello({to});
  }
}

/// R10. No block became final for a while, so messages may have been lost. Sends the own votes and
/// the certificates above the base again, the latest certificates first, within the byte rate.
void simplex::core::send_standstill() {
  send_hello({});
  peer::standstill s;
  const auto budget = options.egress_bytes_per_s * standstill_wait_ms / 1'000 /
                      std::max<std::size_t>(peers.size(), 1);
  std::size_t used = 0;
  for (const auto& [place, vote] : durable_votes) {
    if (place.first + view_window <= cur) continue;
    s.votes.push_back(vote);
    used += 160;
  }
  if (base.final && base.final->statement.epoch == base.epoch) {
    s.certificates.push_back(*base.final);
    used += size_of(*base.final);
  }
  for (auto view = views.rbegin(); view != views.rend(); ++view) {
    if (view->first + view_window < cur) break;
    for (const auto& [kind, c] : view->second.certificates()) {
      if (used + size_of(c) > budget || s.certificates.size() >= max_response_certificates) break;
      used += size_of(c);
      s.certificates.push_back(c);
    }
  }
  if (!s.votes.empty() || !s.certificates.empty()) tell({}, std::move(s));
  if (signing.may_sign()) send_proposal(cur, {});
}

/// R10. Takes in the votes and certificates that a peer sends again.
void simplex::core::on_standstill(peer_number from, const peer::standstill& s) {
  const auto epoch_of = [&] {
    if (!s.certificates.empty()) return s.certificates.front().statement.epoch;
    return s.votes.empty() ? base.epoch : s.votes.front().statement.epoch;
  }();
  if (epoch_of < base.epoch) return answer_older_epoch(from, epoch_of);
  if (epoch_of > base.epoch) return want_from(from);
  if (s.certificates.size() > max_response_certificates || s.votes.size() > 3 * view_window) return;
  for (const auto& c : s.certificates) {
    if (!take_certificate(from, c)) return;
  }
  for (const auto& vote : s.votes) on_vote(from, vote);
}

// ---- asking

/// R11. This peer seems to be ahead, so it is asked next.
void simplex::core::want_from(peer_number peer) {
  hint = peer;
}

/// R11. A member votes only in its present view, or finalizes in an earlier one, so its vote shows
/// that it holds the certificate before that view. If it comes to this process neither as votes nor
/// from another peer, the member is asked for it. The claim needs no proof, because it leads to one
/// request only.
void simplex::core::note_view_of(peer_number peer, const member_vote& vote) {
  const auto& [kind, epoch, view, block] = vote.statement;
  const auto in_view = kind == vote_kind::finalize ? view + 1 : view;
  const auto key = keys.find(peer);
  if (in_view <= cur || key == keys.end() || members.seat_of(key->second) != vote.signer) return;
  ahead[peer] = std::max(ahead[peer], in_view);
}

/// R11. The first missing block below the highest certified block that misses one.
std::optional<block_id> simplex::core::wanted_block() const {
  for (auto view = block_views.rbegin(); view != block_views.rend(); ++view) {
    for (const auto& [kind, c] : views.at(*view).certificates()) {
      if (kind == vote_kind::skip) continue;
      if (auto missing = first_missing(c.statement.block)) return missing;
    }
  }
  return std::nullopt;
}

/// R11. Sets the timer for the next request when something is missing.
void simplex::core::look_for_missing() {
  if (fetch_armed || !something_missing()) return;
  fetch_armed = true;
  arm(timer_kind::fetch, options.fetch_retry_ms);
}

/// R11. Whether the next decision waits for something: a block, a certificate, an execution, or the
/// answer of a peer that seems to be ahead.
bool simplex::core::something_missing() const {
  bool missing =
      hint.has_value() || !ahead.empty() || execution_stalled || wanted_block().has_value();
  if (!missing && seat && pace_over && members.leader(cur) == *seat) {
    missing = !highest_footing().has_value();
  }
  if (const auto here = views.find(cur); !missing && here != views.end()) {
    for (const auto& p : here->second.proposals())
      missing |= !p.refused && !is_justified(p.block->block.header);
  }
  return missing;
}

/// R11. The first view without a certificate: below the present view's proposal if there is one, or
/// else anywhere above the base.
view_number simplex::core::first_uncertain_view() const {
  if (const auto here = views.find(cur); here != views.end() && !here->second.proposals().empty()) {
    const auto& h = here->second.proposals().front().block->block.header;
    if (h.parent_view > base.view && held(h.parent_view, vote_kind::notarize) == nullptr)
      return h.parent_view;
    for (auto view = std::max(h.parent_view, base.view) + 1; view < cur; ++view) {
      if (held(view, vote_kind::skip) == nullptr) return view;
    }
  }
  for (auto view = base.view + 1; view < cur; ++view) {
    if (held(view, vote_kind::skip) == nullptr && held(view, vote_kind::notarize) == nullptr)
      return view;
  }
  return base.view + 1;
}

/// R11. Asks one peer for what is missing: the peer that seems to be ahead, or one drawn at random
/// from those in a later view or else from all, without regard to power.
void simplex::core::fetch() {
  if (peers.empty()) return hint.reset();
  auto to = hint;
  if (!to && !ahead.empty()) {
    to = std::next(ahead.begin(), static_cast<std::ptrdiff_t>(random.next() % ahead.size()))->first;
  }
  if (!to) to = peers[random.next() % peers.size()];
  hint.reset();
  ahead.erase(*to);
  const auto want = wanted_block();
  asked.insert(*to);
  tell({*to},
       peer::request{base.epoch, base.height, first_uncertain_view(), want.value_or(block_id{})});
}

// ---- answering

namespace {

/// Whether these blocks fit into one answer. A run from the archive ends only where a proof exists,
/// so it may be longer than the requested limits.
bool fits_answer(const std::vector<block_ptr>& blocks) {
  std::size_t size = 0;
  for (const auto& b : blocks) size += b->block.header.payload_bytes;
  return blocks.size() <= max_response_blocks && size <= max_response_bytes;
}

}  // namespace

/// R11. Answers a request with the final blocks after the peer's height and with certificates from
/// the view that it names. Without such blocks it answers with the wanted block and its ancestors.
void simplex::core::on_request(peer_number from, const peer::request& r) {
  if (!may_ask(from) || r.epoch > base.epoch) return;
  peer::response answer;
  answer.epoch = r.epoch;
  if (base.height > r.after) {
    auto run = access_.archive.after(r.after, max_response_bytes, max_response_blocks);
    if (run.blocks.empty() || run.epoch != r.epoch) {
      // The archive has no blocks that help this peer.
    } else if (fits_answer(run.blocks)) {
      answer.blocks = std::move(run.blocks);
      answer.final = std::move(run.final);
      answer.epoch_end = std::move(run.epoch_end);
    } else if (run.epoch_end) {
      // The proof alone is sent. The peer then asks for the blocks by id.
      tell({from}, peer::epoch_over{run.epoch, std::move(*run.epoch_end)});
    } else if (run.final) {
      answer.certificates.push_back(std::move(*run.final));
    }
  }
  if (r.epoch == base.epoch) {
    for (auto view = views.lower_bound(r.from_view); view != views.end(); ++view) {
      if (view->first >= r.from_view + view_window) break;
      for (const auto& [kind, c] : view->second.certificates()) {
        if (answer.certificates.size() + 1 < max_response_certificates)
          answer.certificates.push_back(c);
      }
    }
    // A peer that is far behind learns that from the latest finalize certificate.
    for (auto view = block_views.rbegin(); view != block_views.rend(); ++view) {
      const auto* final = held(*view, vote_kind::finalize);
      if (final == nullptr) continue;
      if (*view >= r.from_view + view_window) answer.certificates.push_back(*final);
      break;
    }
  }
  if (answer.blocks.empty()) {
    std::size_t size = 0;
    for (auto id = r.want; !id.is_zero() && answer.blocks.size() < max_response_blocks;) {
      const auto* b = known(id);
      const auto next = b != nullptr ? b->block : access_.archive.find(id);
      if (!next || next->block.header.epoch != r.epoch || next->block.header.height <= r.after) {
        break;
      }
      size += next->block.header.payload_bytes + 1'024;
      if (size > max_response_bytes && !answer.blocks.empty()) break;
      answer.blocks.push_back(next);
      id = next->block.header.parent;
    }
  }
  SOMA_ASSERT(answer.blocks.size() <= max_response_blocks, "an answer is bounded");
  SOMA_ASSERT(answer.certificates.size() <= max_response_certificates, "an answer is bounded");
  if (answer.blocks.empty() && answer.certificates.empty()) return;
  tell({from}, std::move(answer));
}

/// R11. Takes an answer in. An answer without a request is dropped.
void simplex::core::on_response(peer_number from, const peer::response& r) {
  if (asked.erase(from) == 0 || r.epoch != base.epoch) return;
  if (r.certificates.size() > max_response_certificates) return;
  if (r.blocks.size() > max_response_blocks) return;
  for (const auto& c : r.certificates) {
    if (!take_certificate(from, c)) return;
  }
  if (r.final || r.epoch_end) {
    if (take_run(from, r)) want_from(from);  // the peer may have more
    return;
  }
  auto wanted = wanted_block();
  for (const auto& b : r.blocks) {
    if (!wanted || b->id != *wanted) break;
    if (!is_sound(b->block)) {
      out.push_back(blame{from, "an answer with a malformed block"});
      return;
    }
    keep(b);
    wanted = b->block.header.parent;
    if (*wanted == base.block || known(*wanted) != nullptr) wanted = wanted_block();
  }
}

/// R11. Takes blocks that follow the base in order, if the last one is proven to be final. True
/// when blocks were kept.
bool simplex::core::take_run(peer_number from, const peer::response& r) {
  auto parent = base.block;
  std::vector<block_ptr> fresh;
  for (const auto& b : r.blocks) {
    if (b->block.header.height <= base.height) continue;
    if (b->block.header.parent != parent) break;
    if (!is_sound(b->block)) {
      out.push_back(blame{from, "an answer with a malformed block"});
      return false;
    }
    fresh.push_back(b);
    parent = b->id;
  }
  if (fresh.empty()) return false;
  const auto& last = *fresh.back();
  // Blocks are kept only if the proof for the last one holds.
  if (r.epoch_end) {
    const auto& headers = r.epoch_end->headers;
    if (headers.empty() || signing::id_of(headers.front()) != last.id) return false;
    if (!take_epoch_end(from, *r.epoch_end)) return false;
  } else {
    if (!r.final || r.final->statement.kind != vote_kind::finalize ||
        r.final->statement.block != last.id || r.final->statement.view != last.block.header.view ||
        !take_certificate(from, *r.final)) {
      return false;
    }
  }
  for (const auto& b : fresh) keep(b);
  return true;
}

/// E4. Takes the proof that the present epoch is over.
void simplex::core::on_epoch_over(peer_number from, const peer::epoch_over& e) {
  if (e.epoch < base.epoch) return;
  if (e.epoch > base.epoch) return want_from(from);
  if (take_epoch_end(from, e.proof)) want_from(from);
}

/// E3. Takes the certificate that ends an epoch, with the fillers after the closing block. The
/// closing block itself may still be missing; then it is fetched by its id.
bool simplex::core::take_epoch_end(peer_number from, const epoch_proof& proof) {
  const auto& headers = proof.headers;
  if (headers.empty() || headers.size() > max_proof_headers) return false;
  if (proof.final.statement.kind != vote_kind::finalize ||
      proof.final.statement.epoch != base.epoch) {
    return false;
  }
  std::vector<block_ptr> fillers;
  auto last = signing::id_of(headers.front());
  for (std::size_t i = 1; i < headers.size(); ++i) {
    if (headers[i].parent != last || (headers[i].flags & block_is_filler) == 0) return false;
    last = signing::id_of(headers[i]);
    fillers.push_back(std::make_shared<const identified_block>(
        identified_block{last, block{headers[i], {}, {}, {}}}));
    if (!is_sound(fillers.back()->block)) return false;
  }
  if (proof.final.statement.block != last || proof.final.statement.view != headers.back().view)
    return false;
  if (!take_certificate(from, proof.final)) return false;
  for (const auto& filler : fillers) keep(filler);
  return true;
}

}  // namespace soma::consensus
