// The links between nodes: delay, loss, duplicates and cuts. Transactions travel on them, too.
#include <algorithm>

#include "actors/simulation/simulator.hpp"
#include "messages/codec/codec.hpp"

namespace soma::simulation {
namespace {

template <class... Handlers>
struct either : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
either(Handlers...) -> either<Handlers...>;  // clang 14 does not deduce it

constexpr std::size_t vote_bytes = 130;

std::size_t size_of(const certificate& c) {
  return 80 + 64 * c.signatures.size();
}
std::size_t size_of(const std::vector<certificate>& all) {
  std::size_t sum = 0;
  for (const auto& c : all) sum += size_of(c);
  return sum;
}

std::uint64_t digest_of(const vote_statement& v) {
  return mix(mix(v.epoch.value, v.view.value), static_cast<std::uint64_t>(v.kind),
             word_of(v.block));
}

}  // namespace

std::uint32_t class_of(const peer_message& m) {
  if (const auto* vote = std::get_if<peer::vote>(&m)) {
    return vote_classes + static_cast<std::uint32_t>(vote->signed_vote.statement.kind);
  }
  return static_cast<std::uint32_t>(m.index());
}

std::size_t size_of(const peer_message& m) {
  return std::visit(
      either{[](const peer::hello&) -> std::size_t { return 80; },
             [](const peer::proposal& p) -> std::size_t {
               return size_of(p.block->block) + (p.parent ? size_of(*p.parent) : 0) +
                      size_of(p.skipped);
             },
             [](const peer::vote&) -> std::size_t { return vote_bytes; },
             [](const peer::certified& c) -> std::size_t { return size_of(c.certificate); },
             [](const peer::standstill& s) -> std::size_t {
               return size_of(s.certificates) + vote_bytes * s.votes.size();
             },
             [](const peer::request&) -> std::size_t { return 64; },
             [](const peer::response& r) -> std::size_t {
               std::size_t sum = size_of(r.certificates) + (r.final ? size_of(*r.final) : 0);
               for (const auto& b : r.blocks) sum += size_of(b->block);
               return sum;
             },
             [](const peer::epoch_over& e) -> std::size_t {
               return header_layout_bytes * e.proof.headers.size() + size_of(e.proof.final) +
                      68 * e.proof.next_committee.size();
             },
             [](const peer::transactions& t) -> std::size_t {
               std::size_t sum = 0;
               for (const auto& one : t.list) sum += consensus::payload_size(one);
               return sum;
             },
             [](const peer::ask_state&) -> std::size_t { return 64; },
             [](const peer::state_part& p) -> std::size_t { return 64 + p.data.size(); },
             [](const peer::seek& s) -> std::size_t { return 32 + 32 * s.blobs.size(); },
             [](const peer::have& h) -> std::size_t { return 32 + 40 * h.blobs.size(); },
             [](const peer::get&) -> std::size_t { return 64; },
             [](const peer::part& p) -> std::size_t { return 64 + p.data.size(); }},
      m);
}

std::uint64_t digest_of(const peer_message& m) {
  const auto kind = m.index();
  if (const auto* vote = std::get_if<peer::vote>(&m)) {
    return mix(kind, digest_of(vote->signed_vote.statement), vote->signed_vote.signer.value);
  }
  if (const auto* c = std::get_if<peer::certified>(&m))
    return mix(kind, digest_of(c->certificate.statement));
  if (const auto* p = std::get_if<peer::proposal>(&m)) return mix(kind, word_of(p->block->id));
  return mix(kind, size_of(m));
}

std::string to_text(const peer_message& m) {
  const auto certificates = [](std::size_t n) { return std::to_string(n) + " certificates"; };
  return std::visit(
      either{
          [](const peer::hello& h) {
            return "hello at " + std::to_string(h.height.value) + ", " +
                   std::to_string(h.epoch.value) + "." + std::to_string(h.view.value);
          },
          [&](const peer::proposal& p) {
            const auto& header = p.block->block.header;
            return "proposal " + p.block->id.short_text() + " " +
                   std::to_string(header.epoch.value) + "." + std::to_string(header.view.value) +
                   " height " + std::to_string(header.height.value) + " on view " +
                   std::to_string(header.parent_view.value) + " flags " +
                   std::to_string(header.flags) + ", " + certificates(p.skipped.size());
          },
          [](const peer::vote& v) {
            return to_text(v.signed_vote.statement) + " by seat " +
                   std::to_string(v.signed_vote.signer.value);
          },
          [](const peer::certified& c) { return "certified " + to_text(c.certificate.statement); },
          [&](const peer::standstill& s) {
            return "standstill, " + certificates(s.certificates.size()) + ", votes " +
                   std::to_string(s.votes.size());
          },
          [](const peer::request& r) {
            return "request in " + std::to_string(r.epoch.value) + " after " +
                   std::to_string(r.after.value) + " from view " +
                   std::to_string(r.from_view.value) + " for " + r.want.short_text();
          },
          [&](const peer::response& r) {
            return "response of epoch " + std::to_string(r.epoch.value) + ", " +
                   certificates(r.certificates.size()) + ", blocks " +
                   std::to_string(r.blocks.size()) + (r.final ? ", final" : "") +
                   (r.epoch_end ? ", epoch end" : "");
          },
          [](const peer::epoch_over& e) {
            return "epoch " + std::to_string(e.epoch.value) + " is over";
          },
          [](const peer::transactions& t) {
            return "transactions " + std::to_string(t.list.size());
          },
          [](const peer::ask_state& a) {
            return "asks for the state of " + std::to_string(a.height.value);
          },
          [](const peer::state_part& p) { return "state of " + std::to_string(p.height.value); },
          [](const peer::seek& s) { return "seeks blobs " + std::to_string(s.blobs.size()); },
          [](const peer::have& h) { return "has blobs " + std::to_string(h.blobs.size()); },
          [](const peer::get& g) { return "asks for a part of " + g.wanted.blob.short_text(); },
          [](const peer::part& p) { return "a part of " + p.answered.blob.short_text(); }},
      m);
}

void engine::broadcast(node& n, node_set to, const message_ptr& message) {
  const auto bytes = size_of(*message);
  for (std::uint32_t other = 0; other < nodes.size(); ++other) {
    if ((to >> other & 1) == 0) continue;
    n.sent_bytes += bytes;
    n.sent_messages += 1;
    deliver(n.node_index, other, message);
  }
}

void engine::deliver(std::uint32_t from, std::uint32_t to, const message_ptr& message,
                     std::uint64_t extra_us) {
  if (filter && filter(from, to, *message)) return;
  if (((blocked[from] | manual_cuts[from]) >> to & 1) != 0) {
    ++counts[coverage::cut_off];
    return;
  }
  if (network_dice.chance(links.loss_permille)) {
    ++counts[coverage::lost];
    return;
  }
  if (delay) extra_us += delay(from, to, *message);
  const auto copies = network_dice.chance(links.duplicate_permille) ? 2 : 1;
  if (copies == 2) ++counts[coverage::duplicated];
  for (int copy = 0; copy < copies; ++copy) {
    auto took_us = network_dice.between(links.delay_min_us, links.delay_max_us) + extra_us;
    if (network_dice.chance(links.straggler_permille)) {
      took_us += network_dice.below(links.straggler_max_us);
      ++counts[coverage::straggled];
    }
    if ((slow_classes >> class_of(*message) & 1) != 0) {
      took_us += network_dice.below(10'000'000);
      ++counts[coverage::class_delayed];
    }
    after(took_us,
          {event_kind::message, static_cast<std::uint8_t>(to), static_cast<std::uint8_t>(from),
           nodes[to]->lifecycle, nodes[from]->key_version, message});
  }
}

void engine::arrive(const happening& h) {
  auto& n = *nodes[h.node_index];
  if (!n.up || (n.connected >> h.from & 1) == 0) return;
  // A hello belongs to its connection and is dropped with it. Any other message may arrive although
  // the receiver has started anew since it was sent.
  if (std::holds_alternative<peer::hello>(*h.message) && h.lifecycle != n.lifecycle) return;
  ++counts[coverage::delivered];
  note(mix(now_us, h.from | h.node_index << 8, digest_of(*h.message)));
  if (const auto* sent = std::get_if<peer::transactions>(h.message.get())) {
    bool is_new = false;
    for (const auto& t : sent->list) is_new = n.waiting.add(t) || is_new;
    if (is_new) feed(n, consensus::payload_waiting{});
    return;
  }
  feed(n,
       consensus::received{h.from | static_cast<consensus::peer_number>(h.number) << 8, h.message});
}

void engine::pass_on(node& n, std::vector<signed_transaction> list) {
  broadcast(n, n.connected,
            std::make_shared<const peer_message>(peer::transactions{std::move(list)}));
}

void engine::gossip(node& n, const signed_transaction& t) {
  pass_on(n, {t});
  feed(n, consensus::payload_waiting{});
}

std::uint64_t engine::submit(node& n, std::uint8_t account) {
  toy_transaction t;
  t.from = account;
  t.to = static_cast<std::uint8_t>((account + 1) % accounts);
  t.nonce = n.waiting.next_nonce(account);
  t.amount = 5;
  t.expiry = n.chain.tip_state()->epoch + 2;
  t.number = transactions.size();
  const auto sent = encode_toy(t);
  transactions.push_back({t, name_of(sent)});
  if (n.waiting.add(sent)) gossip(n, sent);
  return t.number;
}

void engine::find_cuts() {
  blocked.fill(0);
  for (std::size_t i = 0; i < plan.faults.size(); ++i) {
    if (active[i]) cut_by(plan.faults[i], i);
  }
}

}  // namespace soma::simulation
