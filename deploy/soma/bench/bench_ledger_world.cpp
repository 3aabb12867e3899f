#include "deploy/soma/bench/bench_ledger_world.hpp"

#include <algorithm>
#include <chrono>

#include "actors/execution/ledger_reader.hpp"
#include "actors/ledger/queries.hpp"
#include "actors/rules/genesis_state.hpp"
#include "messages/codec/codec.hpp"
#include "messages/crypto/hash.hpp"
#include "messages/signing/signing.hpp"
#include "storage/tables/ledger_loader.hpp"

namespace soma::cli {
namespace {

constexpr std::size_t most_keyed = 2'000;
constexpr std::size_t block_size = 1'000;
constexpr std::size_t claims_a_block = 10;
constexpr std::uint64_t history_epoch_blocks = 100;
constexpr std::uint64_t model_stake = 2 * shannons_per_soma;
constexpr std::uint64_t all_balances = supply_cap.value / 2;

using clock = std::chrono::steady_clock;

/// Measures the seconds between two calls of lap(), or since it was made for the first call.
class stopwatch {
 public:
  double lap() {
    const auto now = clock::now();
    return std::chrono::duration<double>(now - std::exchange(last_, now)).count();
  }

 private:
  clock::time_point last_ = clock::now();
};

void seal_payload(block& made) {
  auto& h = made.header;
  h.payload_root = signing::payload_root(made.payload, made.parent_signers);
  h.transactions = static_cast<std::uint32_t>(made.payload.size());
  for (const auto& sent : made.payload) {
    h.payload_bytes += static_cast<std::uint32_t>(sent.body.size() + sent.by_sender.size());
  }
}

}  // namespace

hash256 ledger_world::made_up(std::string_view label, std::uint64_t number) const {
  return crypto::tagged_hash(label).add_u64(options_.seed).add_u64(number).finish();
}

public_key ledger_world::public_of(std::uint64_t account) const {
  if (account < keys_.size()) return keys_[account].public_half();
  if (account >= options_.accounts) return validators_[account - options_.accounts].public_half();
  return made_up("bench.key", account).value;
}

/// Makes the rows of height 0 in the order of their keys.
class ledger_world::first_rows {
 public:
  explicit first_rows(ledger_world& world) : w_(world) {}

  /// Calls `take` with every row except the chain row, which it returns: the chain row holds the
  /// sums over all others, so it is written last.
  chain_row each(const row_taker& take) {
    chain_row chain;
    std::vector<row_change> others = rules::genesis_rows(w_.genesis_);
    auto other = others.begin();
    const auto others_below = [&](ledger_table table) {
      for (; other != others.end() && *table_of(other->key) < table; ++other) {
        if (*table_of(other->key) == ledger_table::chain) {
          chain = *decode<chain_row>(*other->value);
        } else if (*table_of(other->key) != ledger_table::account) {
          take(other->key, *other->value);
        }
      }
    };
    others_below(ledger_table::account);
    accounts(take, chain);
    others_below(ledger_table::model);
    models(take, chain);
    versions(take);
    others_below(static_cast<ledger_table>(0xff));
    listed_models(take, chain);
    return chain;
  }

 private:
  void accounts(const row_taker& take, chain_row& chain) const {
    const std::uint64_t senders = w_.options_.accounts + w_.validators_.size();
    std::vector<address> owners;
    for (std::uint64_t i = 0; i < senders; ++i)
      owners.push_back(crypto::address_of(w_.public_of(i)));
    std::ranges::sort(owners);
    const account_row each{{all_balances / senders}, 0};
    const auto value = encode(each);
    for (const auto& owner : owners) take(account_key(owner), value);
    chain.balances.value += each.balance.value * senders;
    chain.unissued.value -= each.balance.value * senders;
  }

  void models(const row_taker& take, chain_row& chain) {
    for (std::uint64_t i = 0; i < w_.options_.models; ++i) {
      ids_.emplace_back(model_id{w_.made_up("bench.model", i).value}, i);
    }
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(most_keyed, ids_.size()); ++i) {
      w_.models_.push_back(ids_[i].first);
    }
    std::ranges::sort(ids_);
    model_row row;
    row.status = model_status::active;
    row.pool = {{model_stake}, model_stake, model_stake};
    row.active_version = row.latest_version = 1;
    for (const auto& [id, i] : ids_) {
      row.owner = crypto::address_of(w_.public_of(i % w_.options_.accounts));
      take(model_key(id), encode(row));
    }
    chain.versions_activated = ids_.size();
    chain.staked.value += model_stake * ids_.size();
    chain.unissued.value -= model_stake * ids_.size();
  }

  void versions(const row_taker& take) const {
    model_version_row row;
    row.status = version_status::active;
    for (const auto& [id, i] : ids_) {
      row.commitment = w_.made_up("bench.commitment", i);
      row.manifest = w_.some_manifest(row.commitment);
      row.activation_order = i + 1;
      row.weights.value = row.commitment.value;
      row.embedding = w_.some_embedding(i);
      take(model_version_key(id, 1), encode(row));
    }
  }

  ledger_world& w_;
  /// Their list, protocol §11.6.
  void listed_models(const row_taker& take, chain_row& chain) const {
    for (std::uint32_t page = 0; page * list_page_ids < ids_.size(); ++page) {
      list_row row;
      const auto from = page * list_page_ids;
      for (auto i = from; i < std::min(ids_.size(), from + list_page_ids); ++i) {
        row.ids.push_back(ids_[i].first.as<hash_tag>());
      }
      take(list_key({list_kind::active_models, page}), encode(row));
    }
    chain.active_models = ids_.size();
  }

  std::vector<std::pair<model_id, std::uint64_t>> ids_;  // each model's id and number, by id
};

ledger_world::ledger_world(const ledger_world_options& options, const row_taker& also)
    : options_(options), random_{options.seed} {
  crypto::seeded_random random(options.seed);
  const auto keyed = std::min<std::uint64_t>(most_keyed, options_.accounts);
  for (std::uint64_t i = 0; i < keyed; ++i) keys_.push_back(crypto::key_pair::generate(random));
  genesis_.name = "bench";
  genesis_.parameters.architecture = {1, options_.dim, 1, options_.dim, 64};
  genesis_.parameters.min_model_stake = {1'000'000};  // every account can make many deposits
  // Full blocks raise the price up to a million times. The senders never stop, so their blocks cost
  // next to nothing to begin with: then no balance runs out, however many blocks there are.
  genesis_.parameters.base_fee = 1;
  genesis_.parameters.byte_fee = genesis_.parameters.row_byte_fee = 0;
  genesis_.parameters.row_fee = 0;
  genesis_.parameters.fee_multiplier_max_ppm = genesis_.parameters.fee_multiplier_start_ppm;
  for (int i = 0; i < 4; ++i) {
    validators_.push_back(crypto::key_pair::generate(random));
    genesis_.validators.push_back({validators_.back().public_half(), {5'000 * shannons_per_soma}});
  }
  chain_ = signing::chain_id_of(genesis_);
  last_ = signing::genesis_parent(chain_);
  nonces_.resize(options_.accounts + validators_.size());

  open_store(options_.sync);
  tables::ledger_loader loader(*store_);
  state_tree::tree::builder tree;
  tip_ = first_rows(*this).each([&](byte_view key, byte_view value) {
    loader.add(key, value);
    tree.add(key, value);
    if (also) also(key, value);
  });
  tree.add(chain_key(), encode(tip_));
  loader.finish(encode(genesis_), encode(tip_));
  tree_ = std::move(tree).finish();
  active_ = rules::active_models(execution::ledger_reader(*store_));
}

void ledger_world::open_store(bool sync) {
  tables::ledger_options how;
  how.sync = sync;
  store_.reset();
  store_ = std::make_unique<tables::ledger_store>(options_.folder, how);
}

// ---- How blocks are made.

block ledger_world::next_block(traffic kind, bool closes_epoch) {
  block made;
  auto& h = made.header;
  h.chain = chain_;
  h.epoch = tip_.epoch;
  h.height = tip_.height.next();
  h.parent_view = {h.height - tip_.epoch_first_block};
  h.view = h.parent_view.next();
  if (h.parent_view.value > 0) made.parent_signers.add({0});
  h.parent = last_;
  h.time_ms = tip_.time_ms + (closes_epoch ? genesis_.parameters.epoch_ms : 1);
  if (kind == traffic::history) {
    send_history(made);
  } else if (kind != traffic::empty) {
    send_votes(made, kind);
    send_claims(made, claims_a_block, kind);
    send_models(made, kind);
    send_stakes(made, kind);
    while (made.payload.size() < block_size) {
      send(made, kind == traffic::signed_blocks ? next_keyed() : next_plain(), transfer(), kind);
    }
  }
  seal_payload(made);
  return made;
}

void ledger_world::live_through(std::uint64_t blocks, const std::function<void()>& each) {
  open_store(false);
  for (std::uint64_t i = 1; i <= blocks; ++i) {
    run(next_block(traffic::history, i % history_epoch_blocks == 0), traffic::history);
    if (each) each();
  }
  // What the last block left half done would be late in the blocks that are measured.
  claims_.clear();
  revealed_.clear();
  models_revealed_.clear();
  committed_.clear();
  open_store(options_.sync);
}

void ledger_world::prepare(std::size_t reveals_wanted) {
  block stakes = next_block(traffic::empty);
  for (std::size_t i = 0; i < std::min<std::size_t>(keys_.size(), block_size); ++i) {
    const auto holder = next_keyed();
    send(stakes, holder, tx::add_stake{models_[(holder + 1) % models_.size()], {10'000'000}},
         traffic::unsigned_blocks);
  }
  seal_payload(stakes);
  run(std::move(stakes), traffic::unsigned_blocks);
  block more = next_block(traffic::empty);
  for (std::size_t i = block_size; i < keys_.size(); ++i) {
    const auto holder = next_keyed();
    send(more, holder, tx::add_stake{models_[(holder + 1) % models_.size()], {10'000'000}},
         traffic::unsigned_blocks);
  }
  seal_payload(more);
  run(std::move(more), traffic::unsigned_blocks);
  block models = next_block(traffic::empty);
  commit_models(models, std::min<std::size_t>(reveals_wanted, 700), traffic::unsigned_blocks);
  seal_payload(models);
  run(std::move(models), traffic::unsigned_blocks);
  run(next_block(traffic::empty, true), traffic::empty);
}

// ---- How blocks are executed.

rules::drawn_targets ledger_world::draw(const rules::execution& begun) const {
  rules::drawn_targets drawn;
  if (begun.draws().empty()) return drawn;
  for (const auto& candidate : begun.candidates()) drawn.models.push_back(candidate.model);
  for (const auto& wanted : begun.draws()) {
    rules::drawn_target target{wanted.seed, std::vector<float>(options_.dim, 0.25f), {}};
    splitmix64 distances{wanted.seed};
    target.distances_q30.resize(drawn.models.size());
    for (auto& d : target.distances_q30) {
      d = (1u << 29) + static_cast<std::uint32_t>(distances.next() >> 34);
    }
    drawn.targets.push_back(std::move(target));
  }
  return drawn;
}

std::vector<public_key> ledger_world::senders_of(const block& made) const {
  std::vector<public_key> senders;
  for (const auto& sent : made.payload) {
    senders.push_back(decode<transaction>(sent.body)->sender);
  }
  return senders;
}

ledger_world::outcome ledger_world::run(block made, traffic kind) {
  outcome done;
  stopwatch watch;
  rules::block_input input;
  input.height = made.header.height;
  input.time_ms = made.header.time_ms;
  input.parent = made.header.parent;
  input.signers = *ledger::members_at(
      ledger::read_committee(execution::ledger_reader(*store_)).seats, made.parent_signers);
  for (const auto& sent : made.payload) {
    rules::block_transaction t;
    if (kind == traffic::signed_blocks) {
      t = rules::read_transaction(sent);
    } else {
      t = {signing::id_of(sent), *decode<transaction>(sent.body),
           sent.body.size() + sent.by_sender.size(), std::nullopt};
    }
    input.transactions.push_back(std::move(t));
  }
  done.times.decode_seconds = watch.lap();
  SOMA_ASSERT(!rules::check_block(input, tip_, execution::ledger_reader(*store_)),
              "a block that follows");
  auto begun = [&] {
    const execution::ledger_reader reader(*store_);
    return rules::begin_block(input, reader, active_, genesis_);
  }();
  done.times.rules_seconds = watch.lap();
  const auto drawn = draw(begun);
  watch.lap();  // in a network another role draws the targets, so this time does not count
  auto result = rules::finish(std::move(begun), drawn);
  done.times.rules_seconds += watch.lap();
  auto tree = tree_.prepare(result.changes);
  made.header.state_root = tree.root;
  const auto id = signing::id_of(made.header);
  done.times.root_seconds = watch.lap();
  store_->commit_block(made, result.changes, result.events);
  done.times.commit_seconds = watch.lap();
  tree_.apply(std::move(tree));
  active_.apply(result.changes);
  done.times.root_seconds += watch.lap();

  tip_ = result.chain;
  last_ = id;
  for (const auto& o : result.outcomes) {
    if (!o.reason) continue;
    if (++done.refused == 1) done.first_refusal = std::string(rules::to_text(*o.reason));
  }
  done.rows = result.changes.size();
  return done;
}

}  // namespace soma::cli
