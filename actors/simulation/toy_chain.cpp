#include "actors/simulation/toy_chain.hpp"

#include <algorithm>

#include "messages/codec/codec.hpp"
#include "messages/signing/signing.hpp"

namespace soma::simulation {
namespace {

constexpr std::uint8_t transfer_tag = 1;
constexpr std::uint8_t evidence_tag = 2;
constexpr std::size_t transfer_bytes = 27;

void put(bytes& to, std::uint64_t word, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) to.push_back(static_cast<std::uint8_t>(word >> (8 * i)));
}

std::uint64_t take(byte_view& from, std::size_t size) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < size; ++i) word |= static_cast<std::uint64_t>(from[i]) << (8 * i);
  from = from.subspan(size);
  return word;
}

template <std::size_t N>
bool take(byte_view& from, std::array<std::uint8_t, N>& to) {
  if (from.size() < N) return false;
  std::copy_n(from.begin(), N, to.begin());
  from = from.subspan(N);
  return true;
}

bool take_statement(byte_view& from, bytes& statement, signature& by) {
  if (from.size() < 2) return false;
  const auto size = take(from, 2);
  if (from.size() < size) return false;
  statement.assign(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(size));
  from = from.subspan(size);
  return take(from, by);
}

std::optional<tx::report_equivocation> decode_evidence(const signed_transaction& t) {
  byte_view from = t.body;
  if (from.empty() || take(from, 1) != evidence_tag) return std::nullopt;
  tx::report_equivocation e;
  if (!take(from, e.signer) || !take_statement(from, e.first_statement, e.first_signature) ||
      !take_statement(from, e.second_statement, e.second_signature)) {
    return std::nullopt;
  }
  return e;
}

// What a signed statement binds its signer to: an epoch, a view, and the kind and block that make
// two statements exclude each other.
struct bound {
  std::uint64_t epoch = 0;
  view_number view;
  vote_kind kind{};
  bool is_block = false;
  block_id block;
};

std::optional<bound> read(const keyring& keys, const public_key& signer, byte_view statement,
                          const signature& by) {
  if (const auto header = decode<block_header>(statement)) {
    const auto id = signing::id_of(*header);
    if (keys.sign_block(signer, id) != by || header->chain != keys.chain()) return std::nullopt;
    return bound{header->epoch.value, header->view, {}, true, id};
  }
  if (const auto vote = decode<vote_statement>(statement)) {
    if (keys.sign_vote(signer, *vote, keys.chain()) != by) return std::nullopt;
    return bound{vote->epoch.value, vote->view, vote->kind, false, vote->block};
  }
  return std::nullopt;
}

// The class of the offence; 0 when both statements may be signed.
std::uint64_t class_of(const bound& a, const bound& b) {
  if (a.epoch != b.epoch || a.view != b.view || a.is_block != b.is_block) return 0;
  if (a.is_block) return a.block != b.block ? 4 : 0;
  if (a.kind == b.kind) {
    if (a.kind == vote_kind::skip || a.block == b.block) return 0;
    return a.kind == vote_kind::notarize ? 1 : 2;
  }
  return a.kind == vote_kind::notarize || b.kind == vote_kind::notarize ? 0 : 3;
}

}  // namespace

std::uint64_t toy_state::supply() const {
  std::uint64_t sum = reward_pool + burned;
  for (const auto b : balances) sum += b;
  for (const auto s : stakes) sum += s;
  return sum;
}

state_root toy_state::root() const {
  std::uint64_t all = mix(height, time_ms, epoch);
  const auto add = [&all](std::uint64_t word) { all = mix(all ^ word); };
  add(epoch_start_ms);
  add(epoch_end_ms);
  for (std::size_t i = 0; i < accounts; ++i) add(mix(balances[i]) + nonces[i]);
  for (const auto s : stakes) add(s);
  add(reward_pool);
  add(burned);
  for (const auto e : evidence) add(e);
  for (const auto s : slashed) add(s);
  for (const auto& seat : seats) {
    add(static_cast<std::uint64_t>(seat.member.value[1]) << 32 | seat.power.value);
    add(seat.consensus_key[0]);
  }
  for (const auto* id : {&entropy, &leader_seed, &next_leader_seed}) add(word_of(*id));
  return id_from<state_root>(all);
}

signed_transaction encode_toy(const toy_transaction& t) {
  signed_transaction out;
  out.body.reserve(transfer_bytes);
  put(out.body, transfer_tag, 1);
  put(out.body, t.from, 1);
  put(out.body, t.to, 1);
  put(out.body, t.nonce, 4);
  put(out.body, t.amount, 4);
  put(out.body, t.expiry, 8);
  put(out.body, t.number, 8);
  return out;
}

signed_transaction encode_toy(const tx::report_equivocation& e) {
  signed_transaction out;
  put(out.body, evidence_tag, 1);
  out.body.insert(out.body.end(), e.signer.begin(), e.signer.end());
  const auto add = [&](const bytes& statement, const signature& by) {
    put(out.body, statement.size(), 2);
    out.body.insert(out.body.end(), statement.begin(), statement.end());
    out.body.insert(out.body.end(), by.begin(), by.end());
  };
  add(e.first_statement, e.first_signature);
  add(e.second_statement, e.second_signature);
  return out;
}

std::optional<toy_transaction> decode_toy(const signed_transaction& t) {
  byte_view from = t.body;
  if (from.size() != transfer_bytes || take(from, 1) != transfer_tag) return std::nullopt;
  toy_transaction out;
  out.from = static_cast<std::uint8_t>(take(from, 1));
  out.to = static_cast<std::uint8_t>(take(from, 1));
  out.nonce = static_cast<std::uint32_t>(take(from, 4));
  out.amount = static_cast<std::uint32_t>(take(from, 4));
  out.expiry = take(from, 8);
  out.number = take(from, 8);
  if (out.from >= accounts || out.to >= accounts) return std::nullopt;
  return out;
}

std::uint64_t name_of(const signed_transaction& t) {
  std::uint64_t all = t.body.size();
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < t.body.size(); ++i) {
    word = word << 8 | t.body[i];
    if (i % 8 == 7) all = mix(all ^ word);
  }
  return mix(all ^ word);
}

toy_chain::toy_chain(const fault_plan& p, const keyring& keys)
    : plan_(p), keys_(keys), frail_(frail_identities(p)) {
  toy_state state;
  std::size_t identities = 0;
  for (const auto& planned : p.nodes)
    identities = std::max<std::size_t>(identities, planned.identity + 1);
  state.stakes.assign(identities, 1'000'000);
  state.balances.fill(1'000'000);
  state.reward_pool = 100'000'000;
  state.epoch_end_ms = genesis_ms + p.epoch_ms;
  state.seats = committee_of(0, state);
  state.entropy = state.leader_seed = state.next_leader_seed = keys_.chain().as<hash_tag>();
  supply_ = state.supply();
  genesis_ = std::make_shared<const toy_state>(std::move(state));
}

std::vector<committee_seat> toy_chain::committee_of(std::uint64_t epoch,
                                                    const toy_state& state) const {
  const auto& planned = plan_.committees[std::min<std::size_t>(epoch, plan_.committees.size() - 1)];
  const auto is_slashed = [&](std::uint16_t identity) {
    return std::ranges::binary_search(state.slashed, identity);
  };
  std::vector<committee_seat> seats;
  std::uint32_t taken = 0;
  for (const auto& seat : planned) {
    auto power = seat.power;
    if (is_slashed(seat.identity)) {
      taken += power / 2;
      power -= power / 2;
    }
    seats.push_back({keyring::member(seat.identity),
                     keys_.key(seat.identity, seat.key_version),
                     {power},
                     0,
                     0});
  }
  // The power of the slashed goes to a member that the plan does not break, so that the sum stays.
  for (std::size_t i = 0; i < seats.size(); ++i) {
    if ((frail_ >> planned[i].identity & 1) != 0) continue;
    seats[i].power.value += taken;
    taken = 0;
  }
  if (taken != 0) seats.front().power.value += taken;
  return seats;
}

executed_ptr toy_chain::find(const block_id& id) const {
  const auto it = results_.find(id);
  return it == results_.end() ? nullptr : it->second.executed;
}

void toy_chain::name(const block_id& id, const state_ptr& state, executed_ptr executed) {
  results_.emplace(id, remembered{state, std::move(executed)});
}

executed_ptr toy_chain::execute(const state_ptr& on, const block_id& id, const block& b) {
  const auto is_draft = b.header.state_root.is_zero();
  if (!is_draft) {
    if (const auto it = results_.find(id); it != results_.end() && it->second.on == on) {
      return it->second.executed;
    }
  }
  auto done = std::make_shared<executed_block>();
  done->parent = b.header.parent;
  done->height = b.header.height.value;
  toy_state state = *on;
  state.height += 1;
  state.time_ms = b.header.time_ms;
  bool follows = b.header.height.value == state.height && b.header.epoch.value == on->epoch;
  // What a proposer's onion would hold follows from its seat and the height.
  const auto peel = id_from<hash256>(mix(state.height, b.header.proposer.value));
  follows = follows && (is_draft || b.header.peel == peel);
  state.entropy = id_from<hash256>(mix(word_of(state.entropy) ^ word_of(peel)));
  if (follows) pay_signers(state, b.parent_signers);
  for (const auto& t : b.payload) follows = follows && apply(state, t);
  if (follows) {
    done->result.closes_epoch = state.time_ms >= state.epoch_end_ms;
    if (done->result.closes_epoch) {
      close_epoch(state);
      done->result.next_committee = state.seats;
    }
    SOMA_ASSERT(state.supply() == supply_, "S9: nothing is made or lost by execution");
    done->result.follows = true;
    done->result.epoch_end_ms = state.epoch_end_ms;
    done->result.root = state.root();
    done->result.peel = peel;
    done->result.entropy = state.entropy;
    done->state = std::make_shared<const toy_state>(std::move(state));
  }
  if (!is_draft) results_[id] = {on, done};
  return done;
}

void toy_chain::pay_signers(toy_state& state, const signer_set& signers) const {
  for (const auto seat : signers.members()) {
    if (seat.value >= state.seats.size() || state.reward_pool == 0) continue;
    state.stakes[keyring::identity_of(state.seats[seat.value].member)] += 1;
    state.reward_pool -= 1;
  }
}

bool toy_chain::apply(toy_state& state, const signed_transaction& t) const {
  if (const auto sent = decode_toy(t)) {
    transfer(state, *sent);
    return true;
  }
  const auto evidence = decode_evidence(t);
  if (evidence) punish(state, *evidence);
  return evidence.has_value();
}

void toy_chain::transfer(toy_state& state, const toy_transaction& t) const {
  constexpr std::uint64_t fee = 1;
  if (t.expiry < state.epoch || t.nonce != state.nonces[t.from]) return;
  if (state.balances[t.from] < t.amount + fee) return;
  state.nonces[t.from] += 1;
  state.balances[t.from] -= t.amount + fee;
  state.balances[t.to] += t.amount;
  state.burned += fee;
}

void toy_chain::punish(toy_state& state, const tx::report_equivocation& e) const {
  const auto who = keys_.holder_of(e.signer);
  if (!who || who->identity >= state.stakes.size()) return;
  const auto first = read(keys_, e.signer, e.first_statement, e.first_signature);
  const auto second = read(keys_, e.signer, e.second_statement, e.second_signature);
  if (!first || !second) return;
  const auto offence = class_of(*first, *second);
  if (offence == 0) return;
  const auto key =
      mix(mix(who->identity, who->version), mix(first->epoch, first->view.value), offence);
  const auto position = std::ranges::lower_bound(state.evidence, key);
  if (position != state.evidence.end() && *position == key) return;
  state.evidence.insert(position, key);
  const auto taken = state.stakes[who->identity] / 20;
  state.stakes[who->identity] -= taken;
  state.burned += taken;
  const auto seat = std::ranges::lower_bound(state.slashed, who->identity);
  if (seat == state.slashed.end() || *seat != who->identity) {
    state.slashed.insert(seat, who->identity);
  }
}

void toy_chain::close_epoch(toy_state& state) const {
  state.epoch += 1;
  state.epoch_start_ms = state.time_ms;
  state.epoch_end_ms = state.time_ms + plan_.epoch_ms;
  state.seats = committee_of(state.epoch, state);
  state.leader_seed = std::exchange(state.next_leader_seed, state.entropy);
}

}  // namespace soma::simulation
