// What is missing is asked for; what others miss is answered. Peers' claims say whom to ask, only
// certificates count.
#include <algorithm>

#include "actors/consensus/certificates.hpp"
#include "actors/consensus/simplex_core.hpp"
#include "messages/crypto/transactions.hpp"

namespace soma::consensus {
namespace {

std::size_t size_of(const certificate& c) {
  return 80 + 64 * c.signatures.size();
}

}  // namespace

void simplex::core::send_hello(const std::vector<peer_number>& to) {
  tell(to, peer::hello{base.chain, base.epoch, base.height, cur, latest_epoch(), forgot});
}

epoch_number simplex::core::latest_epoch() const {
  if (forgot) return {UINT64_MAX};
  if (silent_through && base.epoch <= *silent_through) return silent_through->next();
  const auto votes_for_end = [&](const auto& view) {
    const auto& mine = view.second.mine;
    return mine.finalize && (known(*mine.finalize) == nullptr || ends_epoch(*mine.finalize));
  };
  return std::any_of(views.begin(), views.end(), votes_for_end) ? base.epoch.next() : base.epoch;
}

void simplex::core::on_hello(peer_number from, const peer::hello& h) {
  if (h.chain != base.chain) {
    out.push_back(blame{from, "it is of another chain"});
    return;
  }
  if (h.epoch > base.epoch || h.height > base.height) want_from(from);
  if (forgot && h.latest_epoch <= base.epoch) {
    const auto who = members.seat_of(keys[from]);
    if (who && who != seat) still_here.insert(*who);
  }
  if (h.asks && may_ask(from)) {
    tell({from}, peer::hello{base.chain, base.epoch, base.height, cur, latest_epoch(), false});
  }
}

bool simplex::core::may_ask(peer_number who) {
  auto& [second, count] = served[who];
  if (std::exchange(second, now_ms / 1'000) != now_ms / 1'000) count = 0;
  return ++count <= max_requests_per_s;
}

/// E4, once a second a peer.
void simplex::core::answer_older_epoch(peer_number to, epoch_number theirs) {
  if (broken(mutation::epoch_end_not_told)) return;
  const auto second = now_ms / 1'000;
  const auto [told, is_new] = told_second.try_emplace(to, second);
  if (!is_new && told->second == second) return;
  told->second = second;
  if (last_proof && last_proof->first == theirs) {
    tell({to}, peer::epoch_over{theirs, last_proof->second});
  } else {
    send_hello({to});
  }
}

/// R10. As much as the bucket lets through, what is latest first.
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
  if (base.final && base.final->what.epoch == base.epoch) {
    s.certificates.push_back(*base.final);
    used += size_of(*base.final);
  }
  for (auto view = views.rbegin(); view != views.rend(); ++view) {
    if (view->first + view_window < cur) break;
    for (const auto& [kind, c] : view->second.certificates) {
      if (used + size_of(c) > budget || s.certificates.size() >= max_response_certificates) break;
      used += size_of(c);
      s.certificates.push_back(c);
    }
  }
  if (!s.votes.empty() || !s.certificates.empty()) tell({}, std::move(s));
  if (may_sign()) send_proposal(cur, {});
}

void simplex::core::on_standstill(peer_number from, const peer::standstill& s) {
  const auto epoch_of = [&] {
    if (!s.certificates.empty()) return s.certificates.front().what.epoch;
    return s.votes.empty() ? base.epoch : s.votes.front().what.epoch;
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

void simplex::core::want_from(peer_number peer) {
  hint = peer;
}

/// The first block that is missing on the way to one that counts.
std::optional<block_id> simplex::core::wanted_block() const {
  for (auto view = block_views.rbegin(); view != block_views.rend(); ++view) {
    for (const auto& [kind, c] : views.at(*view).certificates) {
      if (kind == vote_kind::skip) continue;
      if (auto missing = first_missing(c.what.block)) return missing;
    }
  }
  return std::nullopt;
}

/// R11: whether something that is waited for is not there.
void simplex::core::look_for_missing() {
  if (fetch_armed || !something_missing()) return;
  fetch_armed = true;
  arm(timer_kind::fetch, options.fetch_retry_ms);
}

bool simplex::core::something_missing() const {
  bool missing = hint.has_value() || execution_stalled || wanted_block().has_value();
  if (!missing && seat && pace_over && members.leader(cur) == *seat) {
    missing = !highest_footing().has_value();
  }
  if (const auto here = views.find(cur); !missing && here != views.end()) {
    for (const auto& p : here->second.proposals)
      missing |= !p.refused && !is_justified(p.what->whole.header);
  }
  return missing;
}

/// Where certificates are missing: under the proposal at hand, or anywhere above the base.
std::uint64_t simplex::core::first_uncertain_view() const {
  if (const auto here = views.find(cur); here != views.end() && !here->second.proposals.empty()) {
    const auto& h = here->second.proposals.front().what->whole.header;
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

void simplex::core::fetch() {
  if (peers.empty()) return hint.reset();
  const auto to = hint ? *hint : peers[random() % peers.size()];
  hint.reset();
  const auto want = wanted_block();
  asked.insert(to);
  tell({to},
       peer::request{base.epoch, base.height, first_uncertain_view(), want.value_or(block_id{})});
}

// ---- answering

namespace {

/// A run ends where something proves it, so it may be longer than asked for.
bool fits_answer(const std::vector<block_ptr>& blocks) {
  std::size_t size = 0;
  for (const auto& b : blocks) size += b->whole.header.payload_bytes;
  return blocks.size() <= max_response_blocks && size <= max_response_bytes;
}

}  // namespace

void simplex::core::on_request(peer_number from, const peer::request& r) {
  if (!may_ask(from) || r.epoch > base.epoch) return;
  peer::response answer;
  answer.epoch = r.epoch;
  if (base.height > r.after) {
    auto run = access_.archive.after(r.after, max_response_bytes, max_response_blocks);
    if (run.epoch_end && broken(mutation::epoch_end_not_told)) run.blocks.clear();
    if (run.blocks.empty() || run.epoch != r.epoch) {
      // nothing that helps
    } else if (fits_answer(run.blocks)) {
      answer.blocks = std::move(run.blocks);
      answer.final = std::move(run.final);
      answer.epoch_end = std::move(run.epoch_end);
    } else if (run.epoch_end) {  // the proof alone: then its blocks are asked for by id
      tell({from}, peer::epoch_over{run.epoch, std::move(*run.epoch_end)});
    } else if (run.final) {
      answer.certificates.push_back(std::move(*run.final));
    }
  }
  if (r.epoch == base.epoch) {
    for (auto view = views.lower_bound(r.from_view); view != views.end(); ++view) {
      if (view->first >= r.from_view + view_window) break;
      for (const auto& [kind, c] : view->second.certificates) {
        if (answer.certificates.size() + 1 < max_response_certificates)
          answer.certificates.push_back(c);
      }
    }
    // The latest is what a far asker needs to know that it is far.
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
      const auto next = b != nullptr ? b->what : access_.archive.find(id);
      if (!next || next->whole.header.epoch != r.epoch || next->whole.header.height <= r.after) {
        break;
      }
      size += next->whole.header.payload_bytes + 1'024;
      if (size > max_response_bytes && !answer.blocks.empty()) break;
      answer.blocks.push_back(next);
      id = next->whole.header.parent;
    }
  }
  if (answer.blocks.empty() && answer.certificates.empty()) return;
  tell({from}, std::move(answer));
}

void simplex::core::on_response(peer_number from, const peer::response& r) {
  if (asked.erase(from) == 0 || r.epoch != base.epoch) return;
  if (r.certificates.size() > max_response_certificates) return;
  if (r.blocks.size() > max_response_blocks) return;
  for (const auto& c : r.certificates) {
    if (broken(mutation::certificates_not_fetched)) break;
    if (!take_certificate(from, c)) return;
  }
  if (broken(mutation::blocks_not_fetched)) return;
  if (r.final || r.epoch_end) {
    if (take_run(from, r)) want_from(from);  // there may be more
    return;
  }
  auto wanted = wanted_block();
  for (const auto& b : r.blocks) {
    if (!wanted || b->id != *wanted) break;
    if (!is_sound(b->whole)) {
      out.push_back(blame{from, "an answer with a block that is none"});
      return;
    }
    keep(b);
    wanted = b->whole.header.parent;
    if (*wanted == base.block || known(*wanted) != nullptr) wanted = wanted_block();
  }
}

/// Final blocks after the base, in order, and what proves the last. True when some were new.
bool simplex::core::take_run(peer_number from, const peer::response& r) {
  auto parent = base.block;
  std::vector<block_ptr> fresh;
  for (const auto& b : r.blocks) {
    if (b->whole.header.height <= base.height) continue;
    if (b->whole.header.parent != parent) break;
    if (!is_sound(b->whole)) {
      out.push_back(blame{from, "an answer with a block that is none"});
      return false;
    }
    fresh.push_back(b);
    parent = b->id;
  }
  if (fresh.empty()) return false;
  const auto& last = *fresh.back();
  // Nothing is kept of what is not proven.
  if (r.epoch_end) {
    const auto& headers = r.epoch_end->headers;
    if (headers.empty() || crypto::id_of(headers.front()) != last.id) return false;
    if (!take_epoch_end(from, *r.epoch_end)) return false;
  } else {
    if (!r.final || r.final->what.kind != vote_kind::finalize || r.final->what.block != last.id ||
        r.final->what.view != last.whole.header.view || !take_certificate(from, *r.final)) {
      return false;
    }
  }
  for (const auto& b : fresh) keep(b);
  return true;
}

void simplex::core::on_epoch_over(peer_number from, const peer::epoch_over& e) {
  if (e.epoch < base.epoch) return;
  if (e.epoch > base.epoch) return want_from(from);
  if (take_epoch_end(from, e.proof)) want_from(from);
}

/// The certificate under an epoch's end, with the fillers between; the closing block itself may
/// still be missing.
bool simplex::core::take_epoch_end(peer_number from, const epoch_proof& proof) {
  const auto& headers = proof.headers;
  if (headers.empty() || headers.size() > max_proof_headers) return false;
  if (proof.final.what.kind != vote_kind::finalize || proof.final.what.epoch != base.epoch) {
    return false;
  }
  std::vector<block_ptr> fillers;
  auto last = crypto::id_of(headers.front());
  for (std::size_t i = 1; i < headers.size(); ++i) {
    if (headers[i].parent != last || (headers[i].flags & block_is_filler) == 0) return false;
    last = crypto::id_of(headers[i]);
    fillers.push_back(
        std::make_shared<const named_block>(named_block{last, block{headers[i], {}, {}, {}}}));
    if (!is_sound(fillers.back()->whole)) return false;
  }
  if (proof.final.what.block != last || proof.final.what.view != headers.back().view) return false;
  if (!take_certificate(from, proof.final)) return false;
  for (const auto& filler : fillers) keep(filler);
  return true;
}

}  // namespace soma::consensus
