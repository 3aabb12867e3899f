// A small network for tests: persons with keys, one function for each kind of transaction, and
// blocks that are run through both stages with targets drawn from their seeds. After every block
// the supply is counted again from the rows, and from time to time the state root is compared with
// one that is built anew.
#pragma once

#include <doctest/doctest.h>

#include <set>

#include "actors/ledger/queries.hpp"
#include "actors/rules/execution.hpp"
#include "actors/rules/genesis_state.hpp"
#include "actors/rules/models.hpp"
#include "actors/state_tree/state_tree.hpp"
#include "messages/crypto/hash.hpp"
#include "tests/actors/ledger/memory_state.hpp"
#include "tests/actors/rules/dice.hpp"
#include "tests/actors/rules/refusal_coverage.hpp"

namespace soma::test {

/// A person is only a public key: the rules use the address alone, and signatures are checked
/// before.
struct person {
  public_key key{};
  [[nodiscard]] soma::address where() const { return crypto::address_of(key); }
};
inline person somebody(std::uint64_t number) {
  return {id_from(number).value};
}
/// The key pair of a validator, which has to be acceptable and to sign.
inline crypto::key_pair key_of(std::uint64_t number) {
  return crypto::key_pair::from_seed(id_from(number).value);
}
inline person validator_person(std::uint64_t number) {
  return {key_of(number).public_half()};
}
inline constexpr std::uint64_t soma_coins(std::uint64_t whole) {
  return whole * shannons_per_soma;
}

inline constexpr std::uint32_t test_dim = 4;
inline constexpr model_architecture test_architecture{1, test_dim, 1, 4, 8};

inline genesis small_genesis(std::size_t validators, std::span<const person> people) {
  soma::genesis genesis;
  genesis.name = "test";
  genesis.start_ms = 1'000'000;
  genesis.parameters.architecture = test_architecture;
  genesis.parameters.epoch_ms = 1'000;
  genesis.parameters.initial_targets = 4;
  genesis.parameters.hits_wanted = 8;
  genesis.parameters.reveal_window_blocks = 20;
  genesis.parameters.row_byte_fee = 0;  // fees in tests count rows, whose sizes they do not know
  genesis.parameters.byte_fee = 0;
  for (const auto& p : people)
    genesis.accounts.push_back({p.where(), {100'000 * shannons_per_soma}});
  for (std::size_t i = 0; i < validators; ++i) {
    genesis.validators.push_back(
        {validator_person(900 + i).key, {(1'000 + 500 * i) * shannons_per_soma}});
  }
  return genesis;
}

struct model_plan {
  model_id id;
  blob_id root;
  weights_hash weights;
  cipher_key key{};
  std::vector<float> embedding;
  hash256 salt;
};

class network {
 public:
  explicit network(const soma::genesis& with) : genesis(with), chain(signing::chain_id_of(with)) {
    REQUIRE(!rules::check_genesis(genesis));
    const auto rows = rules::genesis_rows(genesis);
    state.apply(rows);
    tree.apply(rows);
    active.apply(rows);
    time_ms = genesis.start_ms;
    parent = signing::genesis_parent(chain);
    REQUIRE(ledger::supply_is_whole(state));
  }

  /// Queues one transaction with the sender's next nonce, counting those that wait.
  void send(const person& from, transaction_kind kind) {
    const auto account = ledger::read_account(state, from.where());
    std::uint64_t nonce = account ? account->nonce : 0;
    for (const auto& t : queue) nonce += t.body->sender == from.key ? 1 : 0;
    send_raw(
        {chain, from.key, nonce, {ledger::read_chain(state).epoch.value + 10}, std::move(kind)});
  }
  void send_raw(transaction t) {
    const auto id = crypto::hash("test.tx", encode(t)).as<transaction_tag>();
    queue.push_back({id, std::move(t), 300, std::nullopt});
  }

  [[nodiscard]] rules::block_input next_input(std::uint64_t step_ms) const {
    rules::block_input block;
    block.height = ledger::read_chain(state).height.next();
    block.time_ms = time_ms + step_ms;
    block.parent = parent;
    block.proposer = proposer;
    block.peel = peel;
    for (const auto& v : ledger::read_committee(state).seats) {
      if (!silent.contains(v.member)) block.signers.push_back(v.member);
    }
    block.transactions = queue;
    return block;
  }

  /// Draws points and distances from the seed alone. For the rules it matters only that all
  /// replicas get the same.
  [[nodiscard]] static rules::drawn_targets draw(const rules::execution& begun) {
    rules::drawn_targets drawn;
    for (const auto& c : begun.candidates()) drawn.models.push_back(c.model);
    for (const auto& wanted : begun.draws()) {
      dice d{wanted.seed};
      rules::drawn_target t;
      t.seed = wanted.seed;
      for (std::uint32_t i = 0; i < test_dim; ++i)
        t.point.push_back(static_cast<float>(d.below(100)));
      for (std::size_t i = 0; i < drawn.models.size(); ++i)
        t.distances_q30.push_back(static_cast<std::uint32_t>(d.below(1ull << 31)));
      drawn.targets.push_back(std::move(t));
    }
    return drawn;
  }

  [[nodiscard]] static rules::effects execute(const rules::block_input& block,
                                              const memory_state& on,
                                              const rules::active_models& active,
                                              const soma::genesis& genesis) {
    REQUIRE(!rules::check_block(block, ledger::read_chain(on), on));
    auto begun = rules::begin_block(block, on, active, genesis);
    const auto drawn = draw(begun);
    REQUIRE(!rules::check_draws(begun, drawn));
    return rules::finish(std::move(begun), drawn);
  }

  /// Runs a block with all transactions that wait.
  const rules::effects& block(std::uint64_t step_ms = 10) {
    const auto input = next_input(step_ms);
    last = execute(input, state, active, genesis);
    state.apply(last.changes);
    tree.apply(last.changes);
    active.apply(last.changes);
    REQUIRE(ledger::supply_is_whole(state));
    for (const auto& outcome : last.outcomes) met(outcome.reason);
    time_ms = input.time_ms;
    parent = crypto::hash("test.block", tree.root().view()).as<block_tag>();
    queue.clear();
    return last;
  }
  const rules::effects& end_epoch() {
    const auto& done = block(genesis.parameters.epoch_ms);
    REQUIRE(done.epoch_closed);
    return done;
  }
  /// Runs one transaction in a block of its own. Returns its refusal, if it was refused.
  rules::refused run(const person& from, transaction_kind kind) {
    send(from, std::move(kind));
    return block().outcomes.back().reason;
  }

  [[nodiscard]] chain_row chain_now() const { return ledger::read_chain(state); }
  [[nodiscard]] std::uint64_t balance(const person& p) const {
    const auto row = ledger::read_account(state, p.where());
    return row ? row->balance.value : 0;
  }

  [[nodiscard]] validator_row validator(const person& p) const {
    return ledger::read_validator(state, p.where()).value_or(validator_row{});
  }
  [[nodiscard]] consensus_key_row consensus_key(const crypto::key_pair& key) const {
    const auto row = state.find(consensus_key_key(key.public_half()));
    return row ? decode<consensus_key_row>(*row).value() : consensus_key_row{};
  }
  /// An empty row when there is no such stake.
  [[nodiscard]] stake_row stake(const person& holder, const pool_owner& pool) const {
    return ledger::read_stake(state, {pool, holder.where()}).value_or(stake_row{});
  }
  /// 0 when the person has no seat.
  [[nodiscard]] std::uint32_t power(const person& p) const {
    const auto seat = ledger::find_seat(state, p.where());
    return seat ? seat->power.value : 0;
  }
  /// The latest block's events of one kind.
  [[nodiscard]] std::vector<event> events(event_kind kind) const {
    std::vector<event> found;
    for (const auto& e : last.events) {
      if (e.kind == kind) found.push_back(e);
    }
    return found;
  }
  /// A join that is accepted: the consensus key itself makes the proof of possession.
  [[nodiscard]] tx::join_committee join_of(const person& who, const crypto::key_pair& consensus,
                                           std::uint64_t stake_shannons) const {
    return {consensus.public_half(),
            signing::prove_possession(consensus, chain, who.where()),
            {stake_shannons}};
  }

  [[nodiscard]] static model_plan plan(std::uint64_t number) {
    model_plan m;
    m.root = id_from<blob_id>(number * 7 + 4);
    m.weights = id_from<weights_hash>(number * 7 + 1);
    m.key = id_from(number * 7 + 2).value;
    m.salt = id_from(number * 7 + 3);
    for (std::uint32_t i = 0; i < test_dim; ++i)
      m.embedding.push_back(static_cast<float>(number + i + 1));
    return m;
  }
  [[nodiscard]] static tx::commit_model commit_of(const person& owner, const model_plan& m,
                                                  std::optional<model_id> model = {},
                                                  std::uint64_t stake = 2 * shannons_per_soma) {
    return {model,
            signing::model_commitment(m.weights, m.key, m.embedding, m.salt, owner.where()),
            {rules::weights_bytes(test_architecture) + 1'000, 1u << 20, m.root, {}},
            {stake},
            1'000};
  }
  [[nodiscard]] static tx::reveal_model reveal_of(const model_plan& m) {
    return {m.id, m.weights, m.key, m.embedding, m.salt};
  }
  /// Commits a model, and notes its id in the plan.
  void commit(const person& owner, model_plan& m, std::uint64_t stake = 2 * shannons_per_soma) {
    send(owner, commit_of(owner, m, std::nullopt, stake));
    m.id = signing::model_id_of(queue.back().id);
  }
  /// The members of the committee that the genesis names.
  [[nodiscard]] std::vector<person> members() const {
    std::vector<person> all;
    for (const auto& v : genesis.validators) {
      const person member{v.consensus_key};
      if (power(member) > 0) all.push_back(member);
    }
    return all;
  }
  /// Gives each member enough for the fees of duties that are refused. Of their own they have none.
  void give_fees_to_members(const person& from) {
    for (const auto& member : members()) send(from, tx::transfer{member.where(), {1'000'000}});
    block();
  }
  /// Queues the same verdict of all members.
  void judge(const model_version_ref& version, model_verdict verdict = model_verdict::good) {
    for (const auto& member : members()) send(member, tx::vote_on_model{version, verdict});
  }
  /// A model that is committed and revealed, and not judged yet.
  model_plan revealed_model(const person& owner, std::uint64_t number,
                            std::uint64_t stake = 2 * shannons_per_soma) {
    auto m = plan(number);
    commit(owner, m, stake);
    end_epoch();
    REQUIRE(!run(owner, reveal_of(m)));
    return m;
  }
  /// Makes models active: they are committed, revealed in the next epoch and judged good by all,
  /// and active from the epoch after.
  std::vector<model_plan> active_models(const person& owner, std::size_t count) {
    std::vector<model_plan> models;
    for (std::size_t i = 0; i < count; ++i) {
      models.push_back(plan(i + 1));
      commit(owner, models.back());
    }
    end_epoch();
    for (const auto& m : models) send(owner, reveal_of(m));
    for (const auto& m : models) judge({m.id, 1});
    end_epoch();
    REQUIRE(ledger::active_model_rows(state, 100).size() == count);
    return models;
  }
  [[nodiscard]] std::vector<ledger::listed_target> open_targets() const {
    return ledger::open_targets(state, 1'000);
  }

  soma::genesis genesis;
  chain_id chain;
  memory_state state;
  state_tree::tree tree;
  rules::active_models active;
  std::uint64_t time_ms = 0;
  block_id parent;
  /// Of the blocks from now on; nobody's blocks have no peel.
  public_key proposer{};
  hash256 peel;
  std::vector<rules::block_transaction> queue;
  std::set<soma::address> silent;  // validators that do not sign
  rules::effects last;
};

/// A claim that passes every check, and the reveal that belongs to it.
struct honest_submission {
  tx::claim_target claim;
  tx::reveal_data reveal;
};
inline honest_submission submission_for(const ledger::listed_target& target, const person& sender,
                                        std::uint64_t number) {
  honest_submission s;
  s.reveal = {target.id, id_from<data_hash>(number), id_from<blob_id>(number + 1),
              id_from(number + 2)};
  s.claim = {
      target.id,
      target.row.assigned.front(),
      0x3f800000,
      target.row.radius_q30 / 2,
      1'000,
      signing::data_commitment(s.reveal.data, s.reveal.blob, 1'000, s.reveal.salt, sender.where())};
  return s;
}

}  // namespace soma::test
