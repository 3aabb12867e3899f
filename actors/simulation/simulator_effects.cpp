// Applies the effects of the cores: disks, executors and ledgers that take time and may fail.
#include <algorithm>

#include "actors/simulation/adversary.hpp"
#include "actors/simulation/simulator.hpp"
#include "messages/signing/signing.hpp"

namespace soma::simulation {

void engine::on(node& n, consensus::persist& e) {
  ++counts[coverage::writes];
  note(mix(n.node_index, e.ticket, e.batch.votes.size()));
  const auto says_something = !e.batch.votes.empty() || !e.batch.proposed.empty();
  if (n.correct() && says_something) {
    const auto& disk = n.disk();
    const auto epoch = n.core->epoch().value;
    if (n.core->fenced() || (disk.lost_in_epoch && epoch <= *disk.lost_in_epoch)) {
      all.fail("S10: node " + std::to_string(n.node_index) + " is fenced and says something");
    }
    for (const auto& vote : e.batch.votes) {
      if (vote.epoch.value < n.chain.tip_state()->epoch) {
        all.fail("S8: node " + std::to_string(n.node_index) + " says " + to_text(vote) +
                 " in an epoch that is over");
      }
    }
  }
  trace(n.node_index, [&] {
    std::string text = "writes " + std::to_string(e.ticket) + ":";
    for (const auto& vote : e.batch.votes) text += " " + to_text(vote);
    for (const auto& p : e.batch.proposed) text += " proposes " + p.second.short_text();
    if (const auto count = e.batch.certificates.size(); count != 0) {
      text += " certificates " + std::to_string(count);
    }
    return text;
  });
  const auto slow = n.disk_slow_ms * 1000;
  const auto took = local_dice.between(local.disk_min_us, local.disk_max_us) + slow;
  n.disk_free_us = std::max(n.disk_free_us, now_us) + took;
  queue.push(n.disk_free_us, {event_kind::write_done, static_cast<std::uint8_t>(n.node_index), 0,
                              n.lifecycle, e.ticket});
  n.writes.push_back({e.ticket, std::move(e.batch)});
}

void engine::write_done(node& n, std::uint64_t ticket) {
  if (n.writes.empty() || n.writes.front().ticket != ticket) return;  // it has failed already
  if (n.disk_full) return fail_writes(n);
  if (crash_is_due(n, crash_point::before_durable, local.crash_before_durable_permille,
                   &n.writes.front().batch)) {
    ++counts[coverage::crashed_before_durable];
    crash(n);
    return come_back(n, 50 + local_dice.below(4'000));
  }
  const auto write = std::move(n.writes.front());
  n.writes.pop_front();
  make_durable(n, write.batch);
  if (crash_is_due(n, crash_point::before_answer, local.crash_before_answer_permille,
                   &write.batch)) {
    ++counts[coverage::crashed_before_answer];
    crash(n);
    return come_back(n, 50 + local_dice.below(4'000));
  }
  feed(n, consensus::stored{ticket});
  if (crash_is_due(n, crash_point::after_answer, 0, &write.batch)) crash(n);
}

void engine::make_durable(node& n, const record_batch& batch) {
  auto& disk = n.disk();
  apply(disk.record, batch);
  disk.state = consensus::record_state::intact;
  if (!n.correct()) return;
  const auto& key = n.signer.key();
  for (const auto& vote : batch.votes) {
    all.vote_exists(key, vote, true);
    if (vote.epoch.value < n.chain.tip_state()->epoch) {
      all.fail("S8: " + to_text(vote) + " becomes durable at node " + std::to_string(n.node_index) +
               " after its epoch's end");
    }
  }
  for (const auto& [view, block] : batch.proposed) {
    all.proposal_exists(key, disk.record.epoch.value, view, block);
  }
  for (const auto& c : batch.certificates) all.check_certificate(n.node_index, c);
  check_justified(n, batch);
}

// S5: the durable certificates and votes justify the last votes of the node and every vote to
// finalize.
void engine::check_justified(node& n, const record_batch& batch) {
  const auto& record = n.disk().record;
  const auto base = n.chain.position();
  if (base.epoch != record.epoch) return;
  const auto certified = [&](view_number view, vote_kind kind) {
    return record.certificates.contains({view, kind});
  };
  for (const auto& vote : batch.votes) {
    if (vote.epoch != record.epoch || vote.view <= base.view) continue;
    const auto entered =
        vote.view == base.view + 1 || certified(vote.view - 1, vote_kind::notarize) ||
        certified(vote.view - 1, vote_kind::skip) ||
        certified(vote.view - 1, vote_kind::finalize) || certified(vote.view, vote_kind::notarize);
    const auto final_ok =
        vote.kind != vote_kind::finalize || certified(vote.view, vote_kind::notarize);
    if (!entered || !final_ok) {
      all.fail("S5: " + to_text(vote) + " is durable at node " + std::to_string(n.node_index) +
               ", what justifies it is not");
    }
    if (vote.kind == vote_kind::notarize && !record.blocks.contains(vote.block) &&
        n.chain.find(vote.block) == nullptr) {
      all.fail("S5: " + to_text(vote) + " is durable at node " + std::to_string(n.node_index) +
               ", its block is not");
    }
  }
}

void engine::fail_writes(node& n) {
  const auto failed = std::move(n.writes);
  n.writes.clear();
  n.disk_free_us = now_us;
  for (const auto& write : failed) {
    ++counts[coverage::write_failed];
    feed(n, consensus::store_failed{write.ticket});
  }
}

void engine::on(node& n, consensus::send& e) {
  node_set to = 0;
  for (const auto peer : e.to) to |= node_set{1} << (peer & 0xff);
  if (e.to.empty()) to = n.connected;
  to &= n.connected;
  if (n.correct()) check_sent(n, *e.message);
  the_adversary->hear(e.message);
  trace(n.node_index, [&] { return "says to " + nodes_text(to) + ": " + to_text(*e.message); });
  if (n.correct()) {
    broadcast(n, to, e.message);
  } else {
    the_adversary->send(n, to, e.message);
  }
}

void engine::check_sent(node& n, const peer_message& m) {
  const auto& key = n.signer.key();
  if (const auto* vote = std::get_if<peer::vote>(&m)) {
    // A node may also send votes of another key, to a node that comes back and asks for its own.
    // Such a vote, too, was durable at the node that cast it.
    const auto& members = n.core->members();
    const auto& by =
        members.has(vote->signed_vote.signer) ? members.key_of(vote->signed_vote.signer) : key;
    const auto is_of_correct = [&](const auto& other) {
      return other->correct() && other->signer.key() == by;
    };
    if (by == key || std::any_of(nodes.begin(), nodes.end(), is_of_correct))
      all.check_sent_vote(n.node_index, by, vote->signed_vote.statement);
  } else if (const auto* still = std::get_if<peer::standstill>(&m)) {
    for (const auto& own : still->votes) all.check_sent_vote(n.node_index, key, own.statement);
    for (const auto& c : still->certificates) all.check_certificate(n.node_index, c);
  } else if (const auto* shown = std::get_if<peer::certified>(&m)) {
    all.check_certificate(n.node_index, shown->certificate);
  } else if (const auto* proposal = std::get_if<peer::proposal>(&m)) {
    const auto& header = proposal->block->block.header;
    const auto* members = all.members(header.epoch.value);
    const auto seat = members == nullptr ? std::nullopt : members->seat_of(key);
    if (seat && *seat == header.proposer)
      all.check_sent_proposal(n.node_index, key, *proposal->block);
    if (proposal->parent) all.check_certificate(n.node_index, *proposal->parent);
    for (const auto& c : proposal->skipped) all.check_certificate(n.node_index, c);
  }
}

void engine::on(node& n, consensus::set_timer& e) {
  const auto kind = static_cast<std::uint64_t>(e.kind);
  const auto generation = ++n.timers[kind];
  after(e.after_ms * 1000, {event_kind::timer, static_cast<std::uint8_t>(n.node_index), 0,
                            n.lifecycle, kind | static_cast<std::uint64_t>(generation) << 8});
}

void engine::on(node& n, consensus::execute& e) {
  ++counts[coverage::executions];
  trace(n.node_index, [&] {
    const auto& h = e.candidate->block.header;
    const auto name = e.draft ? std::string("a draft") : e.candidate->id.short_text();
    return "executes " + std::to_string(e.ticket) + ": " + name + " of view " +
           std::to_string(h.epoch.value) + "." + std::to_string(h.view.value) + ", height " +
           std::to_string(h.height.value);
  });
  const auto node_index = static_cast<std::uint8_t>(n.node_index);
  const auto took = local_dice.between(50, local.execution_max_us);
  const auto& header = e.candidate->block.header;
  state_ptr state;
  if (header.parent == n.chain.tip()) {
    state = n.chain.tip_state();
  } else if (const auto it = n.results.find(header.parent); it != n.results.end()) {
    state = it->second->state;
  }
  const auto breaks = !healed && n.correct() && local_dice.chance(local.execution_fails_permille);
  if (state == nullptr || breaks || n.fails_executing) {
    ++counts[coverage::execution_failed];
    const std::uint8_t forgotten = state == nullptr ? 1 : 0;
    return after(took,
                 {event_kind::execution_failed, node_index, forgotten, n.lifecycle, e.ticket});
  }
  auto done = toy.execute(state, e.candidate->id, e.candidate->block);
  if (n.lies_executing && done->result.follows) {
    ++counts[coverage::executor_lied];
    auto lie = *done;
    lie.result.root.value[5] ^= 1;
    done = std::make_shared<const executed_block>(std::move(lie));
  }
  auto id = e.candidate->id;
  if (e.draft) {
    id = signing::id_of(consensus::complete(header, done->result));
    if (!n.lies_executing) toy.name(id, state, done);
  }
  if (done->result.follows) n.results[id] = done;
  n.answers[e.ticket] = done->result;
  after(took, {event_kind::executed, node_index, 0, n.lifecycle, e.ticket});
}

void engine::on(node& n, consensus::commit& e) {
  const auto took = local_dice.between(local.disk_min_us, local.disk_max_us) * e.blocks.size();
  n.commit_free_us = std::max(n.commit_free_us, now_us) + took;
  queue.push(n.commit_free_us, {event_kind::commit_done, static_cast<std::uint8_t>(n.node_index), 0,
                                n.lifecycle, e.ticket});
  n.commits.push_back(std::move(e));
}

void engine::commit_done(node& n) {
  SOMA_ASSERT(!n.commits.empty(), "an answer to each commit");
  const auto batch = std::move(n.commits.front());
  n.commits.pop_front();
  const auto crashes_here = crash_is_due(n, crash_point::in_commit, local.crash_in_commit_permille);
  const auto kept = crashes_here ? local_dice.below(batch.blocks.size()) : batch.blocks.size();
  for (std::size_t i = 0; i < kept; ++i) append(n, batch.blocks[i]);
  if (crashes_here) {
    ++counts[coverage::crashed_in_commit];
    crash(n);
    return come_back(n, 50 + local_dice.below(4'000));
  }
  for (const auto& b : batch.blocks) n.waiting.clean(b.block->block);
  feed(n, consensus::committed{batch.ticket});
  if (n.up && key_version_now(n) != n.key_version) {
    ++counts[coverage::keys_rotated];
    crash(n);
    come_back(n, 5 + local_dice.below(50));
  }
}

void engine::append(node& n, const consensus::final_block& b) {
  const auto it = n.results.find(b.block->id);
  const auto what_it_did = it == n.results.end() ? nullptr : it->second;
  trace(n.node_index, [&] {
    return "final " + std::to_string(n.chain.height() + 1) + " " + b.block->id.short_text();
  });
  note(mix(n.node_index, word_of(b.block->id)));
  const auto longest = all.height();
  if (n.correct()) all.finalized(n.node_index, n.chain.height() + 1, b, what_it_did);
  if (all.height() > longest) {
    for (const auto& t : b.block->block.payload) final_names.insert(name_of(t));
  }
  if (what_it_did == nullptr || what_it_did->state == nullptr) return;
  const auto before = n.chain.tip_state();
  n.chain.append(b, what_it_did->state);
  if (what_it_did->result.closes_epoch && before->seats != what_it_did->state->seats) {
    ++counts[coverage::committee_changes];
  }
}

void engine::on(node& n, consensus::base_moved& e) {
  // Only results whose chain of parents reaches the new base are kept.
  std::map<block_id, executed_ptr> kept;
  for (const auto& [id, what_it_did] : n.results) {
    auto at = id;
    while (at != e.base) {
      const auto it = n.results.find(at);
      if (it == n.results.end()) break;
      at = it->second->parent;
    }
    if (at == e.base) kept.emplace(id, what_it_did);
  }
  n.results = std::move(kept);
}

void engine::on(node& n, consensus::report& e) {
  ++counts[coverage::evidence];
  const auto who = keys.holder_of(e.evidence.signer);
  trace(n.node_index,
        [&] { return "reports identity " + std::to_string(who ? who->identity : 999); });
  if (n.correct()) {
    ++reported;
    const auto is_byzantine = [&](const auto& other) {
      return who && other->identity == who->identity && !other->correct();
    };
    if (std::ranges::none_of(nodes, is_byzantine)) {
      all.fail("S2: a correct process is accused by node " + std::to_string(n.node_index));
    }
  }
  const auto t = encode_toy(e.evidence);
  if (n.waiting.add(t)) gossip(n, t);
}

void engine::on(node& n, consensus::blame& e) {
  ++counts[coverage::blamed];
  const auto& peer = *nodes[e.peer & 0xff];
  trace(n.node_index, [&] { return "blames " + std::to_string(peer.node_index) + ": " + e.why; });
  // By security §6.4 a correct node never blames a correct one.
  if (n.correct() && peer.correct() && !plan.beyond_tolerance) {
    all.fail("B1: node " + std::to_string(n.node_index) + " blames node " +
             std::to_string(peer.node_index) + ", which is correct: " + e.why);
  }
}

void engine::on(node& n, consensus::alarm& e) {
  ++counts[coverage::alarms];
  trace(n.node_index, [&] { return "ALARM: " + e.why; });
  if (!n.correct()) return;
  n.stopped = n.lies_executing || plan.beyond_tolerance;
  if (!n.stopped) {
    all.fail("R12: alarm at node " + std::to_string(n.node_index) + ": " + e.why);
  }
}

}  // namespace soma::simulation
