#include "tests/actors/simulation/scenario_support.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "messages/signing/signing.hpp"

namespace soma::simulation::testing {

namespace {

std::string mutant;
seen_scenarios seen;

}  // namespace

void set_mutant(std::string name) {
  mutant = std::move(name);
}
const seen_scenarios& scenarios_seen() {
  return seen;
}

void holds(const scenario& s, std::uint64_t first, std::uint64_t last) {
  if (!mutant.empty()) return;
  for (auto seed = first; seed <= last; ++seed) {
    CAPTURE(seed);
    const auto missing = s(seed);
    REQUIRE_MESSAGE(missing.empty(), missing);
  }
}

void notices(const scenario& s, std::string_view name, std::uint64_t first, std::uint64_t last) {
  if (name != mutant) return;
  ++seen.asked;
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const int nowhere = ::open("/dev/null", O_WRONLY);
    for (const int out : {STDOUT_FILENO, STDERR_FILENO}) {
      if (nowhere >= 0) ::dup2(nowhere, out);
    }
    for (auto seed = first; seed <= last; ++seed) {
      if (!s(seed).empty()) ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) ++seen.noticed;
}

fault_plan story_plan(std::uint64_t seed, std::size_t size, std::size_t spare,
                      std::uint32_t transactions_per_s) {
  auto p = quiet_plan(seed, size, spare);
  p.transactions_per_s = transactions_per_s;
  p.heal_ms = 1'000'000'000;
  return p;
}

network begin(fault_plan p) {
  run_options options;
  options.max_events = 20'000'000;
  return network(std::move(p), options);
}

shortcoming fails(const network& net, std::string trouble) {
  return net.violation().value_or(std::move(trouble));
}
shortcoming ends(const network& net) {
  return net.violation().value_or("");
}

std::uint64_t longest(const network& net) {
  std::uint64_t most = 0;
  for (std::uint32_t i = 0; i < net.size(); ++i) most = std::max(most, net.height(i));
  return most;
}

view_number highest_view(const network& net) {
  view_number most;
  for (std::uint32_t i = 0; i < net.size(); ++i) {
    if (net.core(i) != nullptr) most = std::max(most, net.core(i)->view());
  }
  return most;
}

std::uint64_t timeout_ms(std::uint64_t above_base, const consensus::simplex_options& o) {
  auto timeout = o.view_timeout_ms;
  for (std::uint64_t i = 2; i < above_base && timeout < o.max_view_timeout_ms; ++i) {
    timeout += timeout / 2;
  }
  return std::min(timeout, o.max_view_timeout_ms);
}

std::uint64_t heal_bound_ms(const network& net) {
  std::uint64_t gap = 0;
  for (std::uint32_t i = 0; i < net.size(); ++i) {
    const auto* core = net.core(i);
    if (core != nullptr) gap = std::max(gap, core->view() - core->base().view);
  }
  return 3 * timeout_ms(gap + 2) + 30'000 + 20'000;
}

std::optional<about> what_about(const peer_message& m) {
  if (const auto* v = std::get_if<peer::vote>(&m))
    return about{v->signed_vote.statement.epoch, v->signed_vote.statement.view};
  if (const auto* c = std::get_if<peer::certified>(&m))
    return about{c->certificate.statement.epoch, c->certificate.statement.view};
  if (const auto* p = std::get_if<peer::proposal>(&m)) {
    return about{p->block->block.header.epoch, p->block->block.header.view};
  }
  return std::nullopt;
}

// ---- listener

listener::listener(network& net) {
  net.set_filter([this](std::uint32_t from, std::uint32_t to, const peer_message& m) {
    if (lets_all_through) return false;
    hear(from, m);
    return drops && drops(from, to, m);
  });
}

void listener::hear(std::uint32_t from, const vote_statement& v) {
  auto& list = votes[from];
  if (std::ranges::find(list, v) == list.end()) list.push_back(v);
}

void listener::hear(std::uint32_t from, const peer_message& m) {
  if (const auto* v = std::get_if<peer::vote>(&m)) hear(from, v->signed_vote.statement);
  if (const auto* s = std::get_if<peer::standstill>(&m)) {
    for (const auto& v : s->votes) hear(from, v.statement);
  }
  if (const auto* p = std::get_if<peer::proposal>(&m)) {
    auto& list = proposals[from];
    const auto same = [&](const block_ptr& b) { return b->id == p->block->id; };
    if (std::ranges::none_of(list, same)) list.push_back(p->block);
  }
}

bool listener::said(std::uint32_t node_index, const vote_statement& statement) const {
  const auto it = votes.find(node_index);
  return it != votes.end() && std::ranges::find(it->second, statement) != it->second.end();
}

std::size_t listener::votes_from(std::uint32_t node_index, epoch_number first) const {
  const auto it = votes.find(node_index);
  if (it == votes.end()) return 0;
  return static_cast<std::size_t>(
      std::ranges::count_if(it->second, [&](const vote_statement& v) { return v.epoch >= first; }));
}

void listener::forget() {
  votes.clear();
  proposals.clear();
}

// ---- forger

forger::forger(const fault_plan& p) : plan_(p), keys_(p.seed), toy_(plan_, keys_) {
  // The key is the id of an empty ledger's tip.
  states_[id_from<block_id>(word_of(keys_.chain()))] = toy_.genesis();
}

void forger::see(const block_ptr& b) {
  const auto& h = b->block.header;
  const auto parent = states_.find(h.parent);
  if (parent == states_.end() || states_.contains(b->id)) return;
  if (h.epoch.value == 0) by_view_[h.view] = b;
  if ((h.flags & block_is_filler) != 0) {
    const auto same = parent->second;
    states_[b->id] = same;
    return;
  }
  const auto done = toy_.execute(parent->second, b->id, b->block);
  if (done->state != nullptr) states_[b->id] = done->state;
}

block_ptr forger::seen_at(view_number view) const {
  const auto it = by_view_.find(view);
  return it == by_view_.end() ? nullptr : it->second;
}

block_ptr forger::signed_again(block made) const {
  const auto key = keys_.key(made.header.proposer.value, 0);
  const auto id = signing::id_of(made.header);
  made.by_proposer = keys_.sign_block(key, id);
  return std::make_shared<const identified_block>(identified_block{id, std::move(made)});
}

block_ptr forger::finish(block_header draft, const state_ptr& state,
                         std::vector<signed_transaction> payload, const signer_set& signers) {
  draft.height = {state->height + 1};
  draft.time_ms = std::max(draft.time_ms, state->time_ms + 1);
  draft.payload_root = signing::payload_root(payload, signers);
  draft.transactions = static_cast<std::uint32_t>(payload.size());
  draft.payload_bytes = 0;
  for (const auto& t : payload) {
    draft.payload_bytes += static_cast<std::uint32_t>(consensus::payload_size(t));
  }
  draft.state_root = {};
  draft.flags = 0;
  draft.next_committee = {};
  block made{draft, {}, std::move(payload), signers};
  const auto done = toy_.execute(state, {}, made);
  if (!done->result.follows) return nullptr;
  made.header = consensus::complete(draft, done->result);
  auto signed_block = signed_again(std::move(made));
  states_[signed_block->id] = done->state;
  return signed_block;
}

block_ptr forger::rival(const identified_block& own, std::uint64_t which) {
  auto header = own.block.header;
  header.time_ms += which;
  if ((header.flags & block_is_filler) != 0) {
    auto other = own.block;
    other.header = header;
    return signed_again(std::move(other));
  }
  const auto parent = states_.find(header.parent);
  if (parent == states_.end()) return nullptr;
  return finish(header, parent->second, own.block.payload, own.block.parent_signers);
}

block_ptr forger::on_parent(const identified_block& own, const identified_block& parent,
                            std::uint64_t which) {
  const auto state = states_.find(parent.id);
  if (state == states_.end() || state->second->epoch != own.block.header.epoch.value)
    return nullptr;
  auto header = own.block.header;
  header.parent = parent.id;
  header.parent_view = parent.block.header.view;
  header.time_ms = std::max(header.time_ms, parent.block.header.time_ms + 1) + which;
  return finish(header, state->second, {}, {});
}

certificate forger::certified(const vote_statement& statement,
                              const std::vector<std::uint16_t>& identities) const {
  certificate c{statement, {}, {}};
  for (const auto identity : identities) {
    c.signers.add({identity});
    c.signatures.push_back(keys_.sign_vote(keys_.key(identity, 0), statement, keys_.chain()));
  }
  return c;
}

}  // namespace soma::simulation::testing
