// A network whose chain forks. Signed blocks with random payloads follow any earlier block. Each is
// executed on a copy of its parent's rows, so that the results under test can be compared.
#pragma once

#include "messages/signing/signing.hpp"
#include "model/exact/index/nearest.hpp"
#include "model/noise/noise.hpp"
#include "model/scoring/distance.hpp"
#include "tests/actors/rules/network.hpp"

namespace soma::test {

inline constexpr std::size_t people_count = 4;
inline constexpr std::size_t validator_count = 3;

inline person person_with_key(std::uint64_t number) {
  return {key_of(number).public_half()};
}
inline soma::genesis forked_genesis() {
  std::vector<person> people;
  for (std::size_t i = 0; i < people_count; ++i) people.push_back(person_with_key(i));
  return small_genesis(validator_count, people);
}

/// Draws targets as the router and the target generator do.
inline rules::drawn_targets drawn_from(
    const std::vector<rules::wanted_draw>& wanted,
    const std::map<model_id, std::pair<std::uint32_t, std::vector<float>>>& models) {
  rules::drawn_targets drawn;
  for (const auto& [id, model] : models) drawn.models.push_back({id, model.first});
  for (const auto& one : wanted) {
    rules::drawn_target target{one.seed, noise::normals(one.seed, test_dim), {}};
    for (const auto& [id, model] : models) {
      target.distances_q30.push_back(
          scoring::distance_q30(target.point, model.second).value_or(exact::far_q30));
    }
    drawn.targets.push_back(std::move(target));
  }
  return drawn;
}

/// The state after a block, computed by executing its chain one block after the other.
struct straight_state {
  memory_state rows;
  state_tree::tree tree;
  rules::effects last;
  struct planned {
    model_plan plan;
    epoch_number committed_in;
  };
  std::vector<planned> plans;    // models that have to be revealed
  std::vector<model_id> trials;  // models whose latest version was revealed and not yet judged
};

struct forked_block {
  block_ptr block;
  std::shared_ptr<straight_state> after;
};

class forked_chain {
 public:
  explicit forked_chain(std::uint64_t seed) : d{seed}, chain_(signing::chain_id_of(genesis)) {
    genesis_ = std::make_shared<straight_state>();
    const auto rows = rules::genesis_rows(genesis);
    genesis_->rows.apply(rows);
    genesis_->tree.apply(rows);
  }

  soma::genesis genesis = forked_genesis();
  dice d;

  [[nodiscard]] forked_block start() const {
    identified_block none;
    none.id = signing::genesis_parent(chain_);
    return {std::make_shared<const identified_block>(none), genesis_};
  }

  /// A complete, signed block that follows `parent`.
  forked_block next(const forked_block& parent) {
    auto after = std::make_shared<straight_state>(*parent.after);
    block made;
    const auto tip = ledger::read_chain(after->rows);
    const auto seats = ledger::read_committee(after->rows).seats;
    auto& h = made.header;
    h.chain = chain_;
    h.epoch = tip.epoch;
    h.height = tip.height.next();
    h.parent = parent.block->id;
    const bool opens_epoch = parent.block->block.header.epoch != tip.epoch || h.height.value == 1;
    h.parent_view = opens_epoch ? view_number{} : parent.block->block.header.view;
    h.view = h.parent_view + 1 + d.below(3);
    h.time_ms = tip.time_ms + 50 + d.below(500);
    h.proposer = {static_cast<std::uint16_t>(d.below(seats.size()))};
    for (std::uint16_t i = 0; !opens_epoch && i < seats.size(); ++i) {
      if (d.chance(70)) made.parent_signers.add({i});
    }
    fill(made.payload, *after);
    seal_payload(made);
    execute(made, seats, *after);
    const auto id = signing::id_of(h);
    for (std::uint64_t v = 0; v < validator_count; ++v) {
      if (key_of(900 + v).public_half() == seats[h.proposer.value].consensus_key) {
        made.by_proposer = signing::sign_block(key_of(900 + v), id);
      }
    }
    return {std::make_shared<const identified_block>(identified_block{id, std::move(made)}), after};
  }

  static void seal_payload(block& made) {
    made.header.payload_root = signing::payload_root(made.payload, made.parent_signers);
    made.header.transactions = static_cast<std::uint32_t>(made.payload.size());
    made.header.payload_bytes = 0;
    for (const auto& sent : made.payload) {
      made.header.payload_bytes +=
          static_cast<std::uint32_t>(sent.body.size() + sent.by_sender.size());
    }
  }

  /// The draft of a block: the block without the results of its execution.
  static block_ptr draft_of(const block_ptr& of) {
    auto draft = *of;
    draft.block.header.state_root = {};
    draft.block.header.flags = 0;
    draft.block.header.next_committee = {};
    draft.block.by_proposer = {};
    draft.id = signing::id_of(draft.block.header);
    return std::make_shared<const identified_block>(std::move(draft));
  }

 private:
  void execute(block& made, const std::vector<committee_seat>& seats, straight_state& on) const {
    auto& h = made.header;
    rules::block_input input{h.height, h.time_ms, h.parent, {}, {}, {}, {}};
    for (const auto i : made.parent_signers.members())
      input.signers.push_back(seats[i.value].member);
    for (const auto& sent : made.payload) {
      input.transactions.push_back(rules::read_transaction(sent));
    }
    auto begun = rules::begin_block(input, on.rows, rules::active_models(on.rows), genesis);
    std::map<model_id, std::pair<std::uint32_t, std::vector<float>>> models;
    for (const auto& c : begun.candidates()) {
      std::vector<float> embedding;
      if (auto row = ledger::read_version(on.rows, c.model)) embedding = row->embedding;
      for (const auto& change : begun.registry()) {
        if (change.active && change.version == c.model) embedding = change.embedding;
      }
      models[c.model.model] = {c.model.version, embedding};
    }
    const auto drawn = drawn_from(begun.draws(), models);
    on.last = rules::finish(std::move(begun), drawn);
    on.rows.apply(on.last.changes);
    h.state_root = on.tree.apply(on.last.changes);
    h.flags = on.last.epoch_closed ? block_closes_epoch : std::uint16_t{0};
    if (on.last.epoch_closed) h.next_committee = signing::committee_hash(on.last.next_committee);
  }

  void fill(std::vector<signed_transaction>& payload, straight_state& on) {
    std::map<std::uint64_t, std::uint64_t> nonces;
    const auto send = [&](std::uint64_t who, transaction_kind kind) {
      const auto account = ledger::read_account(on.rows, person_with_key(who).where());
      transaction t;
      t.chain = chain_;
      t.sender = key_of(who).public_half();
      t.nonce = (account ? account->nonce : 0) + nonces[who]++;
      t.expiry = {ledger::read_chain(on.rows).epoch.value + 1};
      t.kind = std::move(kind);
      payload.push_back(signing::sign_transaction(key_of(who), t));
      return signing::id_of(payload.back());
    };
    const auto epoch = ledger::read_chain(on.rows).epoch;
    std::erase_if(on.plans, [&](const straight_state::planned& p) {
      if (p.committed_in >= epoch || !d.chance(60)) return false;
      send(owner, network::reveal_of(p.plan));
      on.trials.push_back(p.plan.id);
      return true;
    });
    std::erase_if(on.trials, [&](const model_id& id) {
      const auto model = ledger::read_model(on.rows, id);
      if (!model) return true;
      const model_version_ref version{id, model->latest_version};
      const auto row = ledger::read_version(on.rows, version);
      if (!row || row->status != version_status::revealed || !d.chance(60)) return false;
      for (std::uint64_t v = 0; v < validator_count; ++v) {
        if (d.chance(90)) send(900 + v, tx::vote_on_model{version, model_verdict::good});
      }
      return true;
    });
    const auto models = ledger::active_model_rows(on.rows, 10);
    for (auto count = d.below(4); count > 0; --count) {
      const auto who = d.below(people_count);
      switch (d.below(5)) {
        case 0:
        case 1:
          send(who,
               tx::transfer{person_with_key(d.below(people_count + 2)).where(), {d.below(3'000)}});
          break;
        case 2: {  // a new model, or another version of one
          auto plan = network::plan(d.below(1'000'000));
          std::optional<model_id> known;
          if (!models.empty() && d.chance(70)) known = models[d.below(models.size())].id;
          const auto id = send(owner, network::commit_of(person_with_key(owner), plan, known));
          plan.id = known.value_or(signing::model_id_of(id));
          on.plans.push_back({plan, epoch});
          break;
        }
        case 3:
          if (models.empty()) break;
          send(who, tx::add_stake{models[d.below(models.size())].id, {shannons_per_soma}});
          break;
        case 4: {
          const auto open = ledger::open_targets(on.rows, 10);
          if (open.empty()) break;
          const auto& target = open[d.below(open.size())];
          const auto made = submission_for(target, person_with_key(who), d.next());
          send(who, made.claim);
          if (d.chance(50)) send(who, made.reveal);
          break;
        }
      }
    }
  }

  static constexpr std::uint64_t owner = 1;  // the owner of all models
  chain_id chain_;
  std::shared_ptr<straight_state> genesis_;
};

}  // namespace soma::test
