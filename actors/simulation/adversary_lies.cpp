// Messages that no honest node sends. All of them have the form that decoding guarantees: one
// signature for each signer, lists within their limits, and ids that belong to their headers.
#include <algorithm>

#include "actors/simulation/adversary.hpp"

namespace soma::simulation {
namespace {

signature junk_signature(random_stream& dice) {
  signature s{};
  for (auto& byte : s) byte = static_cast<std::uint8_t>(dice.next());
  return s;
}

}  // namespace

certificate adversary::garbled(certificate c) {
  const auto members = c.signers.members();
  switch (dice_.below(6)) {
    case 0:  // another statement with the same signatures
      c.statement.view.value += 1 + dice_.below(3);
      break;
    case 1:  // too few signers
      if (members.size() > 1) {
        c.signers = {};
        for (std::size_t i = 0; i + 1 < members.size() / 2 + 1; ++i) c.signers.add(members[i]);
        c.signatures.resize(c.signers.count());
      }
      break;
    case 2:
      if (!c.signatures.empty()) {
        c.signatures[dice_.below(c.signatures.size())] = junk_signature(dice_);
      }
      break;
    case 3: {  // all seats that exist, with signatures that do not hold
      c.signers = {};
      c.signatures.clear();
      for (std::uint16_t i = 0; i < signer_set::capacity; ++i) {
        c.signers.add({i});
        c.signatures.push_back(junk_signature(dice_));
      }
      break;
    }
    case 4:
      c.statement.epoch = {c.statement.epoch.value + 1};
      break;
    default:
      c.statement.kind =
          c.statement.kind == vote_kind::finalize ? vote_kind::notarize : vote_kind::finalize;
      if (c.statement.block.is_zero()) c.statement.block = id_from<block_id>(dice_.next());
      break;
  }
  return c;
}

peer_message adversary::forged_vote(node& n) {
  const auto epoch = n.core->epoch();
  const auto view = n.core->view();
  const auto block = blocks_.empty() ? id_from<block_id>(dice_.next()) : blocks_.back()->id;
  const auto seats = n.core->members().size();
  member_vote v;
  v.statement = {vote_kind::notarize, epoch, view, block};
  v.signer = {static_cast<std::uint16_t>(dice_.below(seats))};
  switch (dice_.below(6)) {
    case 0:
      v.by_signer = junk_signature(dice_);
      break;
    case 1:  // the own key under the seat of another
      v.by_signer = n.signer.sign_vote(v.statement);
      break;
    case 2: {  // a vote of another chain
      v = vote(n, v.statement);
      v.by_signer =
          engine_.keys.sign_vote(n.signer.key(), v.statement, id_from<chain_id>(view.value));
      break;
    }
    case 3:  // a vote of another epoch
      v = vote(n, {vote_kind::finalize, {epoch.value + dice_.below(3)}, view, block});
      break;
    case 4:
      v = vote(n, v.statement);
      v.signer = {static_cast<std::uint16_t>(dice_.next())};
      break;
    default:  // absurd views
      v = vote(n, {vote_kind::skip, epoch, dice_.chance(500) ? 0 : dice_.next(), {}});
      break;
  }
  return peer::vote{v};
}

peer_message adversary::forged_certificate(node& n) {
  if (!certificates_.empty()) {
    return peer::certified{garbled(certificates_[dice_.below(certificates_.size())])};
  }
  certificate c;
  c.statement = {vote_kind::finalize, n.core->epoch(), n.core->view(),
                 id_from<block_id>(dice_.next())};
  return peer::certified{garbled(c)};
}

peer_message adversary::forged_message(node& n) {
  const auto epoch = n.core->epoch();
  switch (dice_.below(7)) {
    case 0:
      return peer::hello{engine_.keys.chain(), epoch,
                         {dice_.next()},       dice_.next(),
                         {dice_.below(3)},     dice_.chance(500)};
    case 1:
      return peer::hello{id_from<chain_id>(7), {epoch.value + 5}, {9}, 3, epoch, false};
    case 2:
      return peer::request{{epoch.value + dice_.below(2)},
                           {dice_.below(3)},
                           dice_.next(),
                           id_from<block_id>(dice_.next())};
    case 3: {  // an answer without a request, as long as it may be
      peer::response r{epoch, {}, {}, {}, {}};
      for (const auto& c : certificates_) r.certificates.push_back(garbled(c));
      for (const auto& b : blocks_) {
        r.blocks.push_back(b);
        if (dice_.chance(300)) spoil_block(r.blocks.back());
      }
      return r;
    }
    case 4: {
      peer::standstill s;
      for (const auto& c : certificates_) s.certificates.push_back(garbled(c));
      for (std::uint64_t i = 0; i < 64; ++i) {
        s.votes.push_back(vote(n, {vote_kind::skip, epoch, n.core->view() + i, {}}));
      }
      return s;
    }
    case 5: {  // an epoch that is not over
      peer::epoch_over over{epoch, {}};
      if (blocks_.empty() || certificates_.empty()) return peer::hello{};
      over.proof.headers.push_back(blocks_.back()->block.header);
      over.proof.headers.back().flags |= block_closes_epoch;
      over.proof.final = garbled(certificates_.back());
      over.proof.next_committee = n.core->members().seats();
      return over;
    }
    default: {  // the block of another leader under its own signature
      if (blocks_.empty()) return peer::hello{};
      auto own = *blocks_.back();
      own.block.by_proposer = n.signer.sign_block(own.id);
      return peer::proposal{std::make_shared<const identified_block>(std::move(own)), {}, {}};
    }
  }
}

void adversary::forge(node& n) {
  ++engine_.counts[coverage::forged];
  // It is drawn before the message: the order of arguments would differ between compilers.
  const auto to = some();
  switch (dice_.below(3)) {
    case 0:
      return tell(n, to, forged_vote(n));
    case 1:
      return tell(n, to, forged_certificate(n));
    default:
      return tell(n, to, forged_message(n));
  }
}

void adversary::spoil_block(block_ptr& b) {
  auto other = *b;
  if (dice_.chance(300)) {
    other.block.parent_signers = {};
    for (std::uint16_t i = 0; i < 4; ++i) {
      if (dice_.chance(500)) other.block.parent_signers.add({i});
    }
  } else if (other.block.payload.empty() || dice_.chance(300)) {
    other.block.payload.push_back(encode_toy(toy_transaction{}));
  } else {
    other.block.payload.pop_back();
  }
  b = std::make_shared<const identified_block>(std::move(other));
}

peer_message adversary::spoiled(const peer::response& r) {
  auto lie = r;
  switch (dice_.below(7)) {
    case 0:
      if (!lie.blocks.empty()) spoil_block(lie.blocks[dice_.below(lie.blocks.size())]);
      break;
    case 1:
      if (lie.blocks.size() > 1) {
        lie.blocks.erase(lie.blocks.begin() +
                         static_cast<std::ptrdiff_t>(dice_.below(lie.blocks.size())));
      }
      break;
    case 2:
      for (auto& c : lie.certificates) c = garbled(c);
      break;
    case 3:
      if (lie.final) lie.final = garbled(*lie.final);
      if (lie.epoch_end) lie.epoch_end->final = garbled(lie.epoch_end->final);
      break;
    case 4:  // a valid certificate that is old
      if (!certificates_.empty()) lie.final = certificates_.front();
      break;
    case 5:
      if (lie.epoch_end && lie.epoch_end->next_committee.size() > 1) {
        std::swap(lie.epoch_end->next_committee[0].power, lie.epoch_end->next_committee[1].power);
        std::swap(lie.epoch_end->next_committee[0].member, lie.epoch_end->next_committee[1].member);
      }
      break;
    default:
      std::ranges::reverse(lie.blocks);
      break;
  }
  return lie;
}

}  // namespace soma::simulation
