#include "actors/replay/chain_replay.hpp"

#include "actors/ledger/queries.hpp"
#include "actors/rules/genesis_state.hpp"
#include "messages/signing/signing.hpp"

namespace soma::replay {
namespace {

std::string shown(std::uint64_t number) {
  return std::to_string(number);
}
template <class Tag>
std::string shown(const id32<Tag>& id) {
  return id.text();
}
template <class Tag>
std::string shown(const counter<Tag>& number) {
  return std::to_string(number.value);
}

/// Returns a difference unless both values are equal.
template <class Value>
std::optional<difference> compare(fault kind, const Value& wanted, const Value& found) {
  if (wanted == found) return std::nullopt;
  return difference{kind, shown(wanted), shown(found)};
}

}  // namespace

std::string_view to_text(fault kind) {
  switch (kind) {
    case fault::wrong_version:
      return "the version of the header";
    case fault::wrong_chain:
      return "the chain";
    case fault::wrong_height:
      return "the height";
    case fault::wrong_epoch:
      return "the epoch";
    case fault::wrong_parent:
      return "the parent";
    case fault::wrong_view:
      return "the view";
    case fault::no_such_proposer:
      return "the proposer";
    case fault::bad_proposer_signature:
      return "the proposer's signature";
    case fault::wrong_transaction_count:
      return "the number of transactions";
    case fault::wrong_payload_size:
      return "the size of the transactions";
    case fault::wrong_payload_root:
      return "the root over the transactions";
    case fault::wrong_parent_signers:
      return "the parent's signers";
    case fault::bad_transaction:
      return "a transaction";
    case fault::cannot_follow:
      return "the block's place in the chain";
    case fault::wrong_flags:
      return "the flags";
    case fault::wrong_next_committee:
      return "the next committee";
    case fault::wrong_state_root:
      return "the state root";
  }
  return "unknown";
}

chain_replay::chain_replay(const soma::genesis& genesis, std::unique_ptr<row_store> rows,
                           unsigned threads)
    : genesis_(genesis),
      id_(signing::chain_id_of(genesis)),
      rows_(std::move(rows)),
      drawing_(genesis.parameters.architecture.dim, threads),
      last_(signing::genesis_parent(id_)) {
  const auto first = rules::genesis_rows(genesis_);
  tree_.apply(first);
  rows_->apply(first);
  active_.apply(first);
  chain_ = ledger::read_chain(*rows_);
}

std::optional<difference> chain_replay::check_header(const block_header& header) const {
  if (auto no = compare<std::uint64_t>(fault::wrong_version, 1, header.version)) return no;
  if (auto no = compare(fault::wrong_chain, id_, header.chain)) return no;
  if (auto no = compare(fault::wrong_height, chain_.height.next(), header.height)) return no;
  if (auto no = compare(fault::wrong_epoch, chain_.epoch, header.epoch)) return no;
  if (auto no = compare(fault::wrong_parent, last_, header.parent)) return no;
  if (auto no = compare(fault::wrong_view, last_view_, header.parent_view)) return no;
  if (header.view <= header.parent_view) {
    return difference{fault::wrong_view, "above " + shown(header.parent_view), shown(header.view)};
  }
  return std::nullopt;
}

std::optional<difference> chain_replay::check_proposer(const block& candidate,
                                                       const block_id& id) const {
  const auto seats = ledger::read_committee(*rows_).seats;
  const auto seat = candidate.header.proposer;
  if (seat.value >= seats.size()) {
    return difference{fault::no_such_proposer, "below " + shown(seats.size()), shown(seat.value)};
  }
  if (!signing::verify_block(seats[seat.value].consensus_key, id, candidate.by_proposer)) {
    return difference{fault::bad_proposer_signature, "one by " + shown(seats[seat.value].member),
                      "one that does not hold"};
  }
  return std::nullopt;
}

std::optional<difference> chain_replay::check_payload(const block& candidate) {
  const auto& header = candidate.header;
  std::uint64_t size = 0;
  for (const auto& sent : candidate.payload) size += sent.body.size() + sent.by_sender.size();
  if (auto no = compare<std::uint64_t>(fault::wrong_transaction_count, candidate.payload.size(),
                                       header.transactions)) {
    return no;
  }
  if (auto no = compare<std::uint64_t>(fault::wrong_payload_size, size, header.payload_bytes)) {
    return no;
  }
  return compare(fault::wrong_payload_root,
                 signing::payload_root(candidate.payload, candidate.parent_signers),
                 header.payload_root);
}

expected<rules::block_input, difference> chain_replay::input_of(const block& candidate) const {
  rules::block_input input;
  input.height = candidate.header.height;
  input.time_ms = candidate.header.time_ms;
  input.parent = candidate.header.parent;
  const auto seats = ledger::read_committee(*rows_).seats;
  input.proposer = seats[candidate.header.proposer.value].consensus_key;  // checked before
  input.peel = candidate.header.peel;
  const bool first = candidate.header.height == chain_.epoch_first_block;
  const auto signers = ledger::members_at(seats, candidate.parent_signers);
  if (!signers || (first && !signers->empty())) {
    return make_unexpected(difference{fault::wrong_parent_signers,
                                      first ? "none" : "seats below " + shown(seats.size()),
                                      to_hex(candidate.parent_signers.layout())});
  }
  input.signers = *signers;
  for (const auto& sent : candidate.payload) {
    auto body = signing::verify(sent);
    if (!body) {
      return make_unexpected(difference{
          fault::bad_transaction, "one that a proposer may include",
          shown(signing::id_of(sent)) + ": " + std::string(signing::to_text(body.error()))});
    }
    input.transactions.push_back({signing::id_of(sent), std::move(*body),
                                  sent.body.size() + sent.by_sender.size(), std::nullopt});
  }
  if (const auto refused = rules::check_block(input, chain_, *rows_)) {
    return make_unexpected(difference{fault::cannot_follow, "one that follows its parent",
                                      std::string(rules::to_text(*refused))});
  }
  return input;
}

std::optional<difference> chain_replay::check_outcome(const block_header& header,
                                                      const rules::effects& result,
                                                      const state_tree::tree::prepared& tree) {
  const std::uint64_t flags = result.epoch_closed ? block_closes_epoch : 0;
  if (auto no = compare<std::uint64_t>(fault::wrong_flags, flags, header.flags)) return no;
  const auto committee =
      result.epoch_closed ? signing::committee_hash(result.next_committee) : hash256{};
  if (auto no = compare(fault::wrong_next_committee, committee, header.next_committee)) return no;
  return compare(fault::wrong_state_root, tree.root, header.state_root);
}

expected<replayed_block, difference> chain_replay::next(const block& candidate) {
  const auto& header = candidate.header;
  const auto id = signing::id_of(header);
  if (auto no = check_header(header)) return make_unexpected(std::move(*no));
  if (auto no = check_proposer(candidate, id)) return make_unexpected(std::move(*no));
  if (auto no = check_payload(candidate)) return make_unexpected(std::move(*no));
  const auto input = input_of(candidate);
  if (!input) return make_unexpected(input.error());

  auto begun = rules::begin_block(*input, *rows_, active_, genesis_);
  const auto drawn = drawing_.draw(begun, *rows_);
  const auto result = rules::finish(std::move(begun), drawn);
  auto tree = tree_.prepare(result.changes);
  if (auto no = check_outcome(header, result, tree)) return make_unexpected(std::move(*no));

  const auto root = tree_.apply(std::move(tree));
  SOMA_ASSERT(root == header.state_root, "what was compared is what is taken in");
  active_.apply(result.changes);
  rows_->apply(result.changes);
  chain_ = result.chain;
  last_ = id;
  last_view_ = result.epoch_closed ? view_number{} : header.view;
  replayed_block done{id, result.epoch_closed, result.outcomes.size(), 0};
  for (const auto& outcome : result.outcomes) done.refused += outcome.reason.has_value();
  return done;
}

}  // namespace soma::replay
